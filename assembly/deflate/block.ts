import { align, put } from "./bit-writer";
import { assignCodes, makeCodes, setCount } from "./codes";
import { DEFLATE_BITS, DEFLATE_BIT_COUNT } from "./layout";
import {
  DISTANCE_CODES,
  DISTANCE_COUNT,
  DISTANCE_FREQUENCIES,
  FIXED_DISTANCE_CODES,
  FIXED_LITERAL_CODES,
  FIXED_MADE,
  LENGTHS,
  LENGTHS_RUN,
  LITERAL_CODES,
  LITERAL_COUNT,
  LITERAL_FREQUENCIES,
  OUT,
  PRECODE_CODES,
  PRECODE_FREQUENCIES,
  TOKENS_END,
} from "./stream";
import {
  distanceExtra,
  DISTANCE_SHIFT,
  DISTANCE_SYMBOL_SHIFT,
  lengthExtra,
  lengthSymbol,
  MATCH,
  TOKENS,
} from "./tokens";

// RFC 1951 §3.2.3
const STORED: u32 = 0;
const FIXED: u32 = 1;
const DYNAMIC: u32 = 2;

const END_OF_BLOCK: u32 = 256;
const MAX_STORED: u32 = 65535;
const PRECODE_COUNT: u32 = 19;

/** Gets the frequencies ready for the tokens of a block. */
export function openBlock(): void {
  memory.fill(LITERAL_FREQUENCIES, 0, DISTANCE_FREQUENCIES - LITERAL_FREQUENCIES + 32 * 4);
  store<u32>(LITERAL_FREQUENCIES + END_OF_BLOCK * 4, 1);
}

/** Writes the tokens, which stand for the bytes from `at` up to `end`, as the kind of block that is shortest. */
export function writeBlock(at: usize, end: usize, isFinal: u32): void {
  makeFixed();
  makeCodes(LITERAL_FREQUENCIES, LITERAL_COUNT, 15, LITERAL_CODES);
  makeCodes(DISTANCE_FREQUENCIES, DISTANCE_COUNT, 15, DISTANCE_CODES);
  const runEnd = describeCodes();
  const extra = extraBits();
  const dynamic = descriptionBits(runEnd) + extra + codedBits(LITERAL_CODES, DISTANCE_CODES);
  const fixed = extra + codedBits(FIXED_LITERAL_CODES, FIXED_DISTANCE_CODES);
  const size = <u32>(end - at);
  const stored = size * 8 + 32 + ((5 - load<u32>(DEFLATE_BIT_COUNT)) & 7) + (size > MAX_STORED ? 40 : 0);
  if (stored <= min(dynamic, fixed)) {
    writeStored(at, end, isFinal);
  } else if (fixed <= dynamic) {
    put((FIXED << 1) | isFinal, 3);
    writeTokens(FIXED_LITERAL_CODES, FIXED_DISTANCE_CODES);
  } else {
    put((DYNAMIC << 1) | isFinal, 3);
    writeDescription(runEnd);
    writeTokens(LITERAL_CODES, DISTANCE_CODES);
  }
}

/** Writes bytes as they are (§3.2.4); none at all as an empty block. */
export function writeStored(at: usize, end: usize, isFinal: u32): void {
  do {
    const size = min(<u32>(end - at), MAX_STORED);
    put((STORED << 1) | (at + size == end ? isFinal : 0), 3);
    align();
    put(size | (~size << 16), 32);
    const out: usize = load<u32>(OUT);
    memory.copy(out, at, size);
    store<u32>(OUT, <u32>out + size);
    at += size;
  } while (at < end);
}

/** §3.2.6 */
function makeFixed(): void {
  if (load<u32>(FIXED_MADE) != 0) return;
  store<u32>(FIXED_MADE, 1);
  for (let i: u32 = 0; i < 288; i++) {
    store<u32>(FIXED_LITERAL_CODES + i * 4, (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8) << 16);
  }
  for (let length: u32 = 0; length <= 15; length++) setCount(length, 0);
  setCount(7, 24);
  setCount(8, 152);
  setCount(9, 112);
  assignCodes(288, FIXED_LITERAL_CODES);
  for (let i: u32 = 0; i < 32; i++) store<u32>(FIXED_DISTANCE_CODES + i * 4, 5 << 16);
  for (let length: u32 = 7; length <= 9; length++) setCount(length, 0);
  setCount(5, 32);
  assignCodes(32, FIXED_DISTANCE_CODES);
}

/** How many bits the symbols of the block take, without the extra ones. */
function codedBits(literals: usize, distances: usize): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < LITERAL_COUNT * 4; i += 4) {
    bits += load<u32>(LITERAL_FREQUENCIES + i) * (load<u32>(literals + i) >> 16);
  }
  for (let i: u32 = 0; i < DISTANCE_COUNT * 4; i += 4) {
    bits += load<u32>(DISTANCE_FREQUENCIES + i) * (load<u32>(distances + i) >> 16);
  }
  return bits;
}

function extraBits(): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 8; i < 28; i++) bits += load<u32>(LITERAL_FREQUENCIES + (257 + i) * 4) * lengthExtra(i);
  for (let i: u32 = 4; i < DISTANCE_COUNT; i++) bits += load<u32>(DISTANCE_FREQUENCIES + i * 4) * distanceExtra(i);
  return bits;
}

/** How many symbols of a table there must be code lengths for, at least `least`. */
function inUse(codes: usize, count: u32, least: u32): u32 {
  while (count > least && load<u32>(codes + count * 4 - 4) == 0) count--;
  return count;
}

/** Lists the code lengths of the block with their repetitions (§3.2.7), and makes the code for that list. Answers its end. */
function describeCodes(): usize {
  const literals = inUse(LITERAL_CODES, LITERAL_COUNT, 257);
  const all = literals + inUse(DISTANCE_CODES, DISTANCE_COUNT, 1);
  for (let i: u32 = 0; i < literals; i++) store<u8>(LENGTHS + i, load<u16>(LITERAL_CODES + i * 4, 2));
  for (let i = literals; i < all; i++) store<u8>(LENGTHS + i, load<u16>(DISTANCE_CODES + (i - literals) * 4, 2));
  memory.fill(PRECODE_FREQUENCIES, 0, PRECODE_COUNT * 4);
  let run = LENGTHS_RUN;
  for (let i: u32 = 0; i < all; ) {
    const length: u32 = load<u8>(LENGTHS + i);
    let next = i + 1;
    while (next < all && load<u8>(LENGTHS + next) == length) next++;
    let left = next - i;
    i = next;
    if (length == 0) {
      while (left >= 11) {
        const times = min<u32>(left, 138);
        run = describe(run, 18, times - 11);
        left -= times;
      }
      if (left >= 3) {
        run = describe(run, 17, left - 3);
        left = 0;
      }
    } else {
      run = describe(run, length, 0);
      left--;
      while (left >= 3) {
        const times = min<u32>(left, 6);
        run = describe(run, 16, times - 3);
        left -= times;
      }
    }
    for (; left != 0; left--) run = describe(run, length, 0);
  }
  makeCodes(PRECODE_FREQUENCIES, PRECODE_COUNT, 7, PRECODE_CODES);
  return run;
}

/** An entry of the list: a symbol, and its extra bits from bit 8 on. */
// @ts-ignore: decorator
@inline
function describe(run: usize, symbol: u32, extra: u32): usize {
  store<u16>(run, symbol | (extra << 8));
  const frequency = PRECODE_FREQUENCIES + symbol * 4;
  store<u32>(frequency, load<u32>(frequency) + 1);
  return run + 2;
}

// @ts-ignore: decorator
@inline
function describeExtra(symbol: u32): u32 {
  return symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
}

/** The order of the lengths of the code for code lengths. */
// @ts-ignore: decorator
@inline
function precodeAt(i: u32): usize {
  const order = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
  return PRECODE_CODES + <u32>load<u8>(order + i) * 4;
}

function precodeInUse(): u32 {
  let count = PRECODE_COUNT;
  while (count > 4 && load<u32>(precodeAt(count - 1)) == 0) count--;
  return count;
}

function descriptionBits(runEnd: usize): u32 {
  let bits = 14 + 3 * precodeInUse();
  for (let i: u32 = 0; i < PRECODE_COUNT; i++) {
    const length = load<u32>(PRECODE_CODES + i * 4) >> 16;
    bits += load<u32>(PRECODE_FREQUENCIES + i * 4) * (length + describeExtra(i));
  }
  return bits;
}

function writeDescription(runEnd: usize): void {
  const count = precodeInUse();
  put(inUse(LITERAL_CODES, LITERAL_COUNT, 257) - 257, 5);
  put(inUse(DISTANCE_CODES, DISTANCE_COUNT, 1) - 1, 5);
  put(count - 4, 4);
  for (let i: u32 = 0; i < count; i++) put(load<u32>(precodeAt(i)) >> 16, 3);
  for (let run = LENGTHS_RUN; run < runEnd; run += 2) {
    const symbol: u32 = load<u8>(run);
    const code = load<u32>(PRECODE_CODES + symbol * 4);
    const length = code >> 16;
    put((code & 0xffff) | (<u32>load<u8>(run, 1) << length), length + describeExtra(symbol));
  }
}

function writeTokens(literals: usize, distances: usize): void {
  const end: usize = load<u32>(TOKENS_END);
  let out: usize = load<u32>(OUT);
  let held = load<u32>(DEFLATE_BIT_COUNT);
  let bits: u64 = load<u32>(DEFLATE_BITS);
  for (let at = TOKENS; at < end; at += 4) {
    const token = load<u32>(at);
    if ((token & MATCH) == 0) {
      const code = load<u32>(literals + token * 4);
      bits |= <u64>(code & 0xffff) << held;
      held += code >> 16;
    } else {
      // At most 15 + 5 + 15 + 13 bits, and the 7 that are held.
      const length = token & 0xff;
      const symbol = lengthSymbol(length);
      const code = load<u32>(literals + (257 + symbol) * 4);
      bits |= <u64>(code & 0xffff) << held;
      held += code >> 16;
      const extra = lengthExtra(symbol);
      bits |= <u64>(length & ((1 << extra) - 1)) << held;
      held += extra;
      const distanceSymbol = (token >> DISTANCE_SYMBOL_SHIFT) & 31;
      const distance = (token >> DISTANCE_SHIFT) & 0x7fff;
      const distanceCode = load<u32>(distances + distanceSymbol * 4);
      bits |= <u64>(distanceCode & 0xffff) << held;
      held += distanceCode >> 16;
      const distanceBits = distanceExtra(distanceSymbol);
      bits |= <u64>(distance & ((1 << distanceBits) - 1)) << held;
      held += distanceBits;
    }
    store<u64>(out, bits, 0, 1);
    out += held >> 3;
    bits >>= held & ~7;
    held &= 7;
  }
  store<u32>(OUT, <u32>out);
  store<u32>(DEFLATE_BIT_COUNT, held);
  store<u32>(DEFLATE_BITS, <u32>bits);
  const code = load<u32>(literals + END_OF_BLOCK * 4);
  put(code & 0xffff, code >> 16);
}
