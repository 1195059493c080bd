// RFC 1951 §3.2.7: how a dynamic block describes its codes, by their lengths, which have a code of their own.
import { put } from "./bit-writer";
import { listUsed, makeCodes, symbolOf } from "./codes";
import {
  DISTANCES_USED,
  DISTANCE_CODES,
  LENGTHS,
  LITERALS_USED,
  LITERAL_CODES,
  PRECODE_CODES,
  PRECODE_COUNT,
  PRECODE_FREQUENCIES,
  PRECODE_USED,
} from "./stream";

const REPEAT: u32 = 16; // the length before, 3 to 6 times
const FEW_ZEROS: u32 = 17; // 3 to 10
const MANY_ZEROS: u32 = 18; // 11 to 138

/** Lists the code lengths of the block, makes a code for that list, and answers how many bits it all takes. */
export function describeCodes(): u32 {
  memory.fill(PRECODE_FREQUENCIES, 0, PRECODE_COUNT * 4 + 4);
  let at = list(LENGTHS, LITERALS_USED, LITERAL_CODES);
  // One length must be there even if no distance is.
  at = load<u32>(DISTANCES_USED) == 0 ? zeros(at, 1) : list(at, DISTANCES_USED, DISTANCE_CODES);
  store<u16>(at, u16.MAX_VALUE);
  memory.fill(PRECODE_CODES, 0, PRECODE_COUNT * 4);
  listUsed(PRECODE_FREQUENCIES, PRECODE_COUNT + 1, PRECODE_USED);
  const bits = makeCodes(PRECODE_USED, 7, PRECODE_CODES);
  const extra = timesOf(REPEAT) * 2 + timesOf(FEW_ZEROS) * 3 + timesOf(MANY_ZEROS) * 7;
  return 14 + 3 * precodeLengths() + bits + extra;
}

export function writeDescription(): void {
  const count = precodeLengths();
  put(last(LITERALS_USED) - 256, 5);
  put(load<u32>(DISTANCES_USED) == 0 ? 0 : last(DISTANCES_USED), 5);
  put(count - 4, 4);
  for (let i: u32 = 0; i < count; i++) put(load<u16>(precodeAt(i), 2), 3);
  for (let at = LENGTHS; load<u16>(at) != u16.MAX_VALUE; at += 2) {
    const symbol: u32 = load<u8>(at);
    const code = load<u32>(PRECODE_CODES + symbol * 4);
    const length = code >> 16;
    const extra = symbol < REPEAT ? 0 : symbol == REPEAT ? 2 : symbol == FEW_ZEROS ? 3 : 7;
    put((code & 0xffff) | (<u32>load<u8>(at, 1) << length), length + extra);
  }
}

/** The last symbol in use. */
function last(used: usize): u32 {
  return symbolOf(load<u32>(used + load<u32>(used) * 4));
}

/** Adds the lengths of an alphabet's codes up to the last symbol in use. */
function list(at: usize, used: usize, codes: usize): usize {
  const end = used + 4 + load<u32>(used) * 4;
  let next: u32 = 0;
  let length: u32 = 0;
  let times: u32 = 0;
  for (let entry = used + 4; entry < end; entry += 4) {
    const symbol = symbolOf(load<u32>(entry));
    const own: u32 = load<u16>(codes + symbol * 4, 2);
    if (own != length || symbol != next) {
      at = repeated(at, length, times);
      at = zeros(at, symbol - next);
      length = own;
      times = 0;
    }
    times++;
    next = symbol + 1;
  }
  return repeated(at, length, times);
}

function repeated(at: usize, length: u32, times: u32): usize {
  if (times == 0) return at;
  at = add(at, length, 0);
  times--;
  while (times >= 3) {
    const some = min<u32>(times, 6);
    at = add(at, REPEAT, some - 3);
    times -= some;
  }
  for (; times != 0; times--) at = add(at, length, 0);
  return at;
}

function zeros(at: usize, times: u32): usize {
  while (times >= 11) {
    const some = min<u32>(times, 138);
    at = add(at, MANY_ZEROS, some - 11);
    times -= some;
  }
  if (times >= 3) return add(at, FEW_ZEROS, times - 3);
  for (; times != 0; times--) at = add(at, 0, 0);
  return at;
}

/** An entry of the list: a symbol, and its extra bits from bit 8 on. */
// @ts-ignore: decorator
@inline
function add(at: usize, symbol: u32, extra: u32): usize {
  store<u16>(at, symbol | (extra << 8));
  const frequency = PRECODE_FREQUENCIES + symbol * 4;
  store<u32>(frequency, load<u32>(frequency) + 1);
  return at + 2;
}

// @ts-ignore: decorator
@inline
function timesOf(symbol: u32): u32 {
  return load<u32>(PRECODE_FREQUENCIES + symbol * 4);
}

/** Where the lengths of the code for code lengths are, in the order in which they are written. */
// @ts-ignore: decorator
@inline
function precodeAt(i: u32): usize {
  const order = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);
  return PRECODE_CODES + <u32>load<u8>(order + i) * 4;
}

/** How many of them must be written. */
function precodeLengths(): u32 {
  let count = PRECODE_COUNT;
  while (count > 4 && load<u32>(precodeAt(count - 1)) == 0) count--;
  return count;
}
