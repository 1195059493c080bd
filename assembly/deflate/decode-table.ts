import { COUNTS, OFFSETS, SORTED } from "./inflate-state";

// An entry of a table is 32 bits:
//   0 to 4     how many bits the code takes, with the extra bits behind it
//   8 to 11    how many the code alone takes
//   13 to 15   what is not common: SPECIAL, and with it SUBTABLE, END_OF_BLOCK, or neither for what stands for nothing
//   16 to 30   the literal, the least length or distance, or the place of a subtable, in entries
//   31         LITERAL
// In the entry of a subtable the lowest bits say how many more bits it is looked up by.
export const LITERAL: u32 = 1 << 31;
export const SPECIAL: u32 = 1 << 15;
export const SUBTABLE: u32 = 1 << 14;
export const END_OF_BLOCK: u32 = 1 << 13;
export const TOTAL_BITS: u32 = 31;

const MAX_BITS: u32 = 15;

/** One bit of a code, in both places of an entry. */
const ONE_BIT: u32 = 0x101;

/**
 * Makes the table of a Huffman code (§3.2.2) from the `count` code lengths at `lengths`, to be looked up by `root` bits
 * first, and by more for longer codes. `meanings` has the entry of each symbol, less its code.
 *
 * It answers by how many bits the table is looked up, up to `root`; 0 for lengths that are no code. Some bits may stand
 * for nothing only when the code has one symbol, of one bit, or none at all, and `mayBeIncomplete`.
 */
export function makeTable(
  lengths: usize,
  count: u32,
  table: usize,
  root: u32,
  meanings: usize,
  mayBeIncomplete: bool,
): u32 {
  for (let i: u32 = 0; i <= MAX_BITS; i += 2) store<u64>(COUNTS + (i << 2), 0);
  for (let i: u32 = 0; i < count; i++) {
    const length: u32 = load<u8>(lengths + i);
    if (length == 0) continue;
    const at = COUNTS + (length << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let longest = MAX_BITS;
  while (longest > 0 && load<u32>(COUNTS + (longest << 2)) == 0) longest--;
  if (longest == 0) {
    // The stream may name a code that it does not use. Whatever comes, one bit of it stands for nothing; of code lengths,
    // for 0.
    const nothing = mayBeIncomplete ? SPECIAL | ONE_BIT : ONE_BIT;
    store<u32>(table, nothing, 0);
    store<u32>(table, nothing, 4);
    return 1;
  }

  // Where the symbols of each length begin in the order of their codes, and how much of the space of codes is not taken.
  let left: i32 = 1;
  let offset: u32 = 0;
  for (let length: u32 = 1; length <= longest; length++) {
    const some = load<u32>(COUNTS + (length << 2));
    left = (left << 1) - some;
    if (left < 0) return 0;
    store<u32>(OFFSETS + (length << 2), SORTED + (offset << 1));
    offset += some;
  }
  if (left > 0 && (longest > 1 || !mayBeIncomplete)) return 0;
  for (let i: u32 = 0; i < count; i++) {
    const length: u32 = load<u8>(lengths + i);
    if (length == 0) continue;
    const at = OFFSETS + (length << 2);
    const place = load<u32>(at);
    store<u16>(place, i);
    store<u32>(at, place + 2);
  }

  if (root > longest) root = longest;
  // Codes come with their first bit lowest, so one of n bits is found at every place whose n lowest bits it is: the table
  // for n bits, twice, is that for n + 1, as far as codes are not longer than n.
  let symbol = SORTED;
  let code: u32 = 0;
  let size: u32 = 1;
  for (let length: u32 = 1; length <= root; length++) {
    double(table, size);
    size <<= 1;
    for (let some = load<u32>(COUNTS + (length << 2)); some > 0; some--) {
      store<u32>(table + (code << 2), load<u32>(meanings + ((<u32>load<u16>(symbol)) << 2)) + length * ONE_BIT);
      symbol += 2;
      code = next(code, size);
    }
  }
  if (left > 0) store<u32>(table, SPECIAL | ONE_BIT, 4);
  if (longest > root) subtables(table, root, longest, symbol, code, meanings);
  return root;
}

/** The code behind this one of those with the same length: 1 is added to it, the first bit being the highest. */
// @ts-ignore: decorator
@inline
function next(code: u32, size: u32): u32 {
  const zeros = code ^ (size - 1);
  if (zeros == 0) return 0;
  const highest = (<u32>1) << (31 - clz(zeros));
  return (code & (highest - 1)) | highest;
}

/** Repeats the first `size` entries behind themselves. */
// @ts-ignore: decorator
@inline
function double(table: usize, size: u32): void {
  if (size == 1) {
    store<u32>(table, load<u32>(table), 4);
    return;
  }
  const end = table + (size << 2);
  for (let from = table, to = end; from < end; from += 8, to += 8) store<u64>(to, load<u64>(from));
}

/** The codes of more than `root` bits: for each beginning of `root` bits a table by the bits behind it. */
function subtables(table: usize, root: u32, longest: u32, symbol: usize, code: u32, meanings: usize): void {
  const rootMask = ((<u32>1) << root) - 1;
  let free = (<u32>1) << root;
  let beginning: u32 = u32.MAX_VALUE;
  let subtable: usize = 0;
  let bits: u32 = 0;
  for (let length = root + 1; length <= longest; length++) {
    const size = (<u32>1) << length;
    for (let some = load<u32>(COUNTS + (length << 2)); some > 0; some--) {
      if ((code & rootMask) != beginning) {
        beginning = code & rootMask;
        // As many bits as the codes that begin so may have: those of this length that are left, or else longer ones.
        bits = length - root;
        let taken = some;
        while (taken < (<u32>1) << bits) {
          bits++;
          taken = (taken << 1) + load<u32>(COUNTS + ((root + bits) << 2));
        }
        subtable = table + (free << 2);
        store<u32>(table + (beginning << 2), SPECIAL | SUBTABLE | (free << 16) | bits);
        free += (<u32>1) << bits;
      }
      const entry = load<u32>(meanings + ((<u32>load<u16>(symbol)) << 2)) + length * ONE_BIT;
      symbol += 2;
      const end = subtable + ((<usize>4) << bits);
      for (let at = subtable + ((code >> root) << 2); at < end; at += (<usize>4) << (length - root)) {
        store<u32>(at, entry);
      }
      code = next(code, size);
    }
  }
}
