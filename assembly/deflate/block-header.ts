import { giveBack, refill, take } from "./bit-reader";
import { makeTable, TOTAL_BITS } from "./decode-table";
import {
  BIT_COUNT, BITS, BOTH_COUNT, CODE_LENGTH_BITS, CODE_LENGTH_COUNT, CODE_LENGTH_LENGTHS, CODE_LENGTH_MEANINGS,
  CODE_LENGTH_ROOT, CODE_LENGTH_TABLE, DISTANCE_BITS, DISTANCE_MEANINGS, DISTANCE_ROOT, DISTANCE_TABLE, DISTANCES,
  FIXED_DISTANCE_TABLE, FIXED_LITERAL_TABLE, GO_ON, IS_FINAL, LENGTH, LENGTHS, LITERAL_BITS, LITERAL_COUNT,
  LITERAL_MEANINGS, LITERAL_ROOT, LITERAL_TABLE, LITERALS, PHASE, PHASE_CODE_LENGTH_CODE, PHASE_CODE_LENGTHS,
  PHASE_CODES, PHASE_COUNTS, PHASE_STORED, PHASE_STORED_LENGTH, READ,
} from "./inflate-state"; // prettier-ignore
import { INFLATE_BAD_BLOCK, INFLATE_BAD_CODE, INFLATE_BAD_STORED, INFLATE_NEEDS_INPUT } from "./layout";

const END_OF_BLOCK_SYMBOL: u32 = 256;

/** In which order the lengths of the code of code lengths come (§3.2.7). */
const ORDER: usize = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

/** BFINAL and BTYPE (§3.2.3). */
export function blockHeader(end: usize): u32 {
  if (refill(end) < 3) return INFLATE_NEEDS_INPUT;
  store<u32>(IS_FINAL, take(1));
  const type = take(2);
  if (type == 0) {
    take(load<u32>(BIT_COUNT) & 7);
    store<u32>(PHASE, PHASE_STORED_LENGTH);
  } else if (type == 1) {
    store<u32>(LITERALS, FIXED_LITERAL_TABLE);
    store<u32>(LITERAL_BITS, 9);
    store<u32>(DISTANCES, FIXED_DISTANCE_TABLE);
    store<u32>(DISTANCE_BITS, 5);
    store<u32>(PHASE, PHASE_CODES);
  } else if (type == 2) {
    store<u32>(PHASE, PHASE_COUNTS);
  } else {
    return INFLATE_BAD_BLOCK;
  }
  return GO_ON;
}

/** LEN and NLEN (§3.2.4). */
export function storedLength(end: usize): u32 {
  if (refill(end) < 32) return INFLATE_NEEDS_INPUT;
  const both = take(32);
  if ((both & 0xffff) != ~both >> 16) return INFLATE_BAD_STORED;
  giveBack();
  store<u32>(LENGTH, both & 0xffff);
  store<u32>(PHASE, PHASE_STORED);
  return GO_ON;
}

/** HLIT, HDIST and HCLEN (§3.2.7). There are no symbols for the highest counts, so those are refused. */
export function counts(end: usize): u32 {
  if (refill(end) < 14) return INFLATE_NEEDS_INPUT;
  const literals = take(5) + 257;
  const distances = take(5) + 1;
  if (literals > 286 || distances > 30) return INFLATE_BAD_CODE;
  store<u32>(LITERAL_COUNT, literals);
  store<u32>(BOTH_COUNT, literals + distances);
  store<u32>(CODE_LENGTH_COUNT, take(4) + 4);
  store<u32>(READ, 0);
  for (let i: u32 = 0; i < 24; i += 8) store<u64>(CODE_LENGTH_LENGTHS + i, 0);
  store<u32>(PHASE, PHASE_CODE_LENGTH_CODE);
  return GO_ON;
}

/** The code that the other two are sent in. */
export function codeLengthCode(end: usize): u32 {
  const count = load<u32>(CODE_LENGTH_COUNT);
  for (let read = load<u32>(READ); read < count; read++) {
    if (load<u32>(BIT_COUNT) < 3 && refill(end) < 3) {
      store<u32>(READ, read);
      return INFLATE_NEEDS_INPUT;
    }
    store<u8>(CODE_LENGTH_LENGTHS + load<u8>(ORDER + read), take(3));
  }
  const root = makeTable(CODE_LENGTH_LENGTHS, 19, CODE_LENGTH_TABLE, CODE_LENGTH_ROOT, CODE_LENGTH_MEANINGS, false);
  if (root == 0) return INFLATE_BAD_CODE;
  store<u32>(CODE_LENGTH_BITS, root);
  store<u32>(READ, 0);
  store<u32>(PHASE, PHASE_CODE_LENGTHS);
  return GO_ON;
}

/** The lengths of the two codes, which are one sequence: a repetition may go on from the one into the other. */
export function codeLengths(end: usize): u32 {
  const count = load<u32>(BOTH_COUNT);
  const mask = ((<u32>1) << load<u32>(CODE_LENGTH_BITS)) - 1;
  let read = load<u32>(READ);
  let bits = load<u64>(BITS);
  let left = load<u32>(BIT_COUNT);
  let status: u32 = GO_ON;
  while (read < count) {
    // At most 7 bits and 7 extra.
    if (left < 14) {
      save(bits, left);
      left = refill(end);
      bits = load<u64>(BITS);
    }
    const entry = load<u32>(CODE_LENGTH_TABLE + ((<u32>bits & mask) << 2));
    const total = entry & TOTAL_BITS;
    if (total > left) {
      status = INFLATE_NEEDS_INPUT;
      break;
    }
    const symbol = entry >> 16;
    if (symbol < 16) {
      store<u8>(LENGTHS + read, symbol);
      read++;
    } else {
      const code = (entry >> 8) & 15;
      const extra = (<u32>bits & (((<u32>1) << total) - 1)) >> code;
      const until = read + extra + (symbol == 18 ? 11 : 3);
      if (until > count || (symbol == 16 && read == 0)) return INFLATE_BAD_CODE;
      const repeated: u32 = symbol == 16 ? load<u8>(LENGTHS + read - 1) : 0;
      for (; read < until; read++) store<u8>(LENGTHS + read, repeated);
    }
    bits >>= total;
    left -= total;
  }
  save(bits, left);
  store<u32>(READ, read);
  return status == GO_ON ? codes() : status;
}

// @ts-ignore: decorator
@inline
function save(bits: u64, count: u32): void {
  store<u64>(BITS, bits);
  store<u32>(BIT_COUNT, count);
}

function codes(): u32 {
  const literals = load<u32>(LITERAL_COUNT);
  if (load<u8>(LENGTHS + END_OF_BLOCK_SYMBOL) == 0) return INFLATE_BAD_CODE;
  const literalBits = makeTable(LENGTHS, literals, LITERAL_TABLE, LITERAL_ROOT, LITERAL_MEANINGS, true);
  if (literalBits == 0) return INFLATE_BAD_CODE;
  const distances = load<u32>(BOTH_COUNT) - literals;
  const distanceBits = makeTable(LENGTHS + literals, distances, DISTANCE_TABLE, DISTANCE_ROOT, DISTANCE_MEANINGS, true);
  if (distanceBits == 0) return INFLATE_BAD_CODE;
  store<u32>(LITERALS, LITERAL_TABLE);
  store<u32>(LITERAL_BITS, literalBits);
  store<u32>(DISTANCES, DISTANCE_TABLE);
  store<u32>(DISTANCE_BITS, distanceBits);
  store<u32>(PHASE, PHASE_CODES);
  return GO_ON;
}
