import { refill } from "./bit-reader";
import { END_OF_BLOCK, SPECIAL, SUBTABLE, TOTAL_BITS } from "./decode-table";
import { copyMatch } from "./match";
import {
  BIT_COUNT, BITS, DISTANCE, DISTANCE_BITS, DISTANCES, GO_ON, LENGTH, LITERAL_BITS, LITERALS, PHASE, PHASE_BLOCK, PHASE_CODES,
  PHASE_MATCH, WINDOW,
} from "./inflate-state"; // prettier-ignore
import {
  INFLATE_BAD_CODE, INFLATE_BAD_DISTANCE, INFLATE_CURSOR, INFLATE_END, INFLATE_NEEDS_INPUT, INFLATE_NEEDS_ROOM,
  INFLATE_OUT, 
} from "./layout"; // prettier-ignore

/** What a turn of the fast loop may read and write: two refills, and two literals before a match. */
const FAST_INPUT: i32 = 16;
const FAST_ROOM: i32 = 2 + 258;

/** Literals and matches up to the end of the block (§3.2.3); or until input or room run out, between two of them. */
export function codes(inEnd: usize, outEnd: usize): u32 {
  const status = fast(inEnd, outEnd);
  return status == INFLATE_NEEDS_INPUT ? careful(inEnd, outEnd) : status;
}

/** As long as there is so much input and room that neither needs to be asked for in the middle. */
function fast(inEnd: usize, outEnd: usize): u32 {
  let cursor: usize = load<u32>(INFLATE_CURSOR);
  let out: usize = load<u32>(INFLATE_END);
  const lastCursor = <i32>inEnd - FAST_INPUT;
  const lastOut = <i32>outEnd - FAST_ROOM;
  if (<i32>cursor > lastCursor || <i32>out > lastOut) return INFLATE_NEEDS_INPUT;
  const literals: usize = load<u32>(LITERALS);
  const distances: usize = load<u32>(DISTANCES);
  const literalBits = load<u32>(LITERAL_BITS);
  const distanceBits = load<u32>(DISTANCE_BITS);
  const literalMask = ((<u32>1) << literalBits) - 1;
  const distanceMask = ((<u32>1) << distanceBits) - 1;
  const window = load<u32>(WINDOW);
  let bits = load<u64>(BITS);
  let count = load<u32>(BIT_COUNT);
  let status: u32 = INFLATE_NEEDS_INPUT;

  while (<i32>cursor <= lastCursor && <i32>out <= lastOut) {
    bits |= load<u64>(cursor, 0, 1) << count;
    cursor += (63 - count) >> 3;
    count |= 56;
    let entry = load<u32>(literals + ((<u32>bits & literalMask) << 2));
    if (<i32>entry < 0) {
      store<u8>(out, entry >> 16);
      out++;
      bits >>= entry & TOTAL_BITS;
      count -= entry & TOTAL_BITS;
      entry = load<u32>(literals + ((<u32>bits & literalMask) << 2));
      if (<i32>entry < 0) {
        store<u8>(out, entry >> 16);
        out++;
        bits >>= entry & TOTAL_BITS;
        count -= entry & TOTAL_BITS;
        entry = load<u32>(literals + ((<u32>bits & literalMask) << 2));
      }
    }
    if ((entry & SPECIAL) != 0) {
      if ((entry & SUBTABLE) != 0) {
        const more = (<u32>bits >> literalBits) & (((<u32>1) << (entry & TOTAL_BITS)) - 1);
        entry = load<u32>(literals + (((entry >> 16) + more) << 2));
      }
      if ((entry & SPECIAL) != 0) {
        if ((entry & END_OF_BLOCK) == 0) {
          status = INFLATE_BAD_CODE;
          break;
        }
        bits >>= entry & TOTAL_BITS;
        count -= entry & TOTAL_BITS;
        store<u32>(PHASE, PHASE_BLOCK);
        status = GO_ON;
        break;
      }
    }
    let saved = bits;
    bits >>= entry & TOTAL_BITS;
    count -= entry & TOTAL_BITS;
    if (<i32>entry < 0) {
      store<u8>(out, entry >> 16);
      out++;
      continue;
    }
    const length = (entry >> 16) + extraBits(saved, entry);

    if (count < 28) {
      bits |= load<u64>(cursor, 0, 1) << count;
      cursor += (63 - count) >> 3;
      count |= 56;
    }
    entry = load<u32>(distances + ((<u32>bits & distanceMask) << 2));
    if ((entry & SPECIAL) != 0) {
      if ((entry & SUBTABLE) != 0) {
        const more = (<u32>bits >> distanceBits) & (((<u32>1) << (entry & TOTAL_BITS)) - 1);
        entry = load<u32>(distances + (((entry >> 16) + more) << 2));
      }
      if ((entry & SPECIAL) != 0) {
        status = INFLATE_BAD_CODE;
        break;
      }
    }
    saved = bits;
    bits >>= entry & TOTAL_BITS;
    count -= entry & TOTAL_BITS;
    const distance = (entry >> 16) + extraBits(saved, entry);
    if (distance > <u32>out - INFLATE_OUT || distance > window) {
      status = INFLATE_BAD_DISTANCE;
      break;
    }
    copyMatch(out, distance, length);
    out += length;
  }
  // Above the count there may be more of the byte at the cursor.
  store<u64>(BITS, bits & (((<u64>1) << count) - 1));
  store<u32>(BIT_COUNT, count);
  store<u32>(INFLATE_CURSOR, cursor);
  store<u32>(INFLATE_END, out);
  return status;
}

/** One literal or match at a time, and none in parts but for a match that finds no room. */
function careful(inEnd: usize, outEnd: usize): u32 {
  const literals: usize = load<u32>(LITERALS);
  const distances: usize = load<u32>(DISTANCES);
  const literalBits = load<u32>(LITERAL_BITS);
  const distanceBits = load<u32>(DISTANCE_BITS);
  while (true) {
    // At most 15 bits and 5 extra, 15 and 13.
    let count = load<u32>(BIT_COUNT);
    if (count < 48) count = refill(inEnd);
    let bits = load<u64>(BITS);
    let entry = lookUp(literals, literalBits, <u32>bits);
    let used = entry & TOTAL_BITS;
    if (used > count) return INFLATE_NEEDS_INPUT;
    const out: usize = load<u32>(INFLATE_END);
    if (<i32>entry < 0) {
      if (out == outEnd) return INFLATE_NEEDS_ROOM;
      store<u8>(out, entry >> 16);
      store<u32>(INFLATE_END, out + 1);
      store<u64>(BITS, bits >> used);
      store<u32>(BIT_COUNT, count - used);
      continue;
    }
    if ((entry & SPECIAL) != 0) {
      if ((entry & END_OF_BLOCK) == 0) return INFLATE_BAD_CODE;
      store<u64>(BITS, bits >> used);
      store<u32>(BIT_COUNT, count - used);
      store<u32>(PHASE, PHASE_BLOCK);
      return GO_ON;
    }
    const length = (entry >> 16) + extraBits(bits, entry);
    bits >>= used;
    entry = lookUp(distances, distanceBits, <u32>bits);
    used += entry & TOTAL_BITS;
    if (used > count) return INFLATE_NEEDS_INPUT;
    if ((entry & SPECIAL) != 0) return INFLATE_BAD_CODE;
    const distance = (entry >> 16) + extraBits(bits, entry);
    if (distance > <u32>out - INFLATE_OUT || distance > load<u32>(WINDOW)) return INFLATE_BAD_DISTANCE;
    if (out == outEnd) return INFLATE_NEEDS_ROOM;
    store<u64>(BITS, bits >> (entry & TOTAL_BITS));
    store<u32>(BIT_COUNT, count - used);
    store<u32>(LENGTH, length);
    store<u32>(DISTANCE, distance);
    store<u32>(PHASE, PHASE_MATCH);
    if (!match(outEnd)) return INFLATE_NEEDS_ROOM;
  }
}

/** As much of the match at hand as there is room for; whether that is all of it. */
export function match(outEnd: usize): bool {
  const out: usize = load<u32>(INFLATE_END);
  const length = load<u32>(LENGTH);
  const some = min(length, <u32>(outEnd - out));
  copyMatch(out, load<u32>(DISTANCE), some);
  store<u32>(INFLATE_END, out + some);
  store<u32>(LENGTH, length - some);
  if (some < length) return false;
  store<u32>(PHASE, PHASE_CODES);
  return true;
}

/** The entry of the code that comes next. Where bits are missing they count as zeros, and the code found is too long. */
// @ts-ignore: decorator
@inline
function lookUp(table: usize, root: u32, bits: u32): u32 {
  const entry = load<u32>(table + ((bits & (((<u32>1) << root) - 1)) << 2));
  if ((entry & SUBTABLE) == 0) return entry;
  const more = (bits >> root) & (((<u32>1) << (entry & TOTAL_BITS)) - 1);
  return load<u32>(table + (((entry >> 16) + more) << 2));
}

/** The number in the extra bits behind a code. */
// @ts-ignore: decorator
@inline
function extraBits(bits: u64, entry: u32): u32 {
  const code = (entry >> 8) & 15;
  return (<u32>bits & (((<u32>1) << (entry & TOTAL_BITS)) - 1)) >> code;
}
