import { align, put } from "./bit-writer";
import { assignCodes, frequencyOf, listUsed, makeCodes, symbolOf } from "./codes";
import { describeCodes, writeDescription } from "./description";
import { DEFLATE_BITS, DEFLATE_BIT_COUNT } from "./layout";
import {
  DISTANCES_USED,
  DISTANCE_CODES,
  DISTANCE_COUNT,
  DISTANCE_FREQUENCIES,
  FIXED_DISTANCE_CODES,
  FIXED_LITERAL_CODES,
  FIXED_MADE,
  FREQUENCIES_END,
  LITERALS_USED,
  LITERAL_CODES,
  LITERAL_COUNT,
  LITERAL_FREQUENCIES,
  OUT,
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
/** Fewer tokens than this never make up for the description of codes of their own. */
const WORTH_CODES: u32 = 32;

/** Gets the frequencies ready for the tokens of a block. */
export function openBlock(): void {
  memory.fill(LITERAL_FREQUENCIES, 0, FREQUENCIES_END - LITERAL_FREQUENCIES);
  store<u32>(LITERAL_FREQUENCIES + END_OF_BLOCK * 4, 1);
}

/** Writes the tokens, which stand for the bytes from `at` up to `end`, as the kind of block that is shortest. */
export function writeBlock(at: usize, end: usize, isFinal: u32): void {
  makeFixed();
  listUsed(LITERAL_FREQUENCIES, LITERAL_COUNT, LITERALS_USED);
  listUsed(DISTANCE_FREQUENCIES, DISTANCE_COUNT, DISTANCES_USED);
  const extra = extraBits();
  const fixed = extra + fixedBits();
  let dynamic: u32 = u32.MAX_VALUE;
  if (load<u32>(TOKENS_END) >= <u32>TOKENS + WORTH_CODES * 4) {
    dynamic = extra + makeCodes(LITERALS_USED, 15, LITERAL_CODES) + makeCodes(DISTANCES_USED, 15, DISTANCE_CODES);
    dynamic += describeCodes();
  }
  const size = <u32>(end - at);
  const stored = size * 8 + 32 + ((5 - load<u32>(DEFLATE_BIT_COUNT)) & 7);
  if (stored <= min(dynamic, fixed)) {
    writeStored(at, end, isFinal);
  } else if (fixed <= dynamic) {
    put((FIXED << 1) | isFinal, 3);
    writeTokens(FIXED_LITERAL_CODES, FIXED_DISTANCE_CODES);
  } else {
    put((DYNAMIC << 1) | isFinal, 3);
    writeDescription();
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
  assignCodes(FIXED_LITERAL_CODES, 288, memory.data<u8>([0, 0, 0, 0, 0, 0, 0, 24, 152, 112, 0, 0, 0, 0, 0, 0]));
  for (let i: u32 = 0; i < 32; i++) store<u32>(FIXED_DISTANCE_CODES + i * 4, 5 << 16);
  assignCodes(FIXED_DISTANCE_CODES, 32, memory.data<u8>([0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
}

/** How many bits the symbols of the block take with fixed codes, without the extra ones. */
function fixedBits(): u32 {
  let bits: u32 = 0;
  const end = LITERALS_USED + 4 + load<u32>(LITERALS_USED) * 4;
  for (let at = LITERALS_USED + 4; at < end; at += 4) {
    const entry = load<u32>(at);
    bits += frequencyOf(entry) * <u32>load<u16>(FIXED_LITERAL_CODES + symbolOf(entry) * 4, 2);
  }
  for (let i = load<u32>(DISTANCES_USED); i != 0; i--) bits += 5 * frequencyOf(load<u32>(DISTANCES_USED + i * 4));
  return bits;
}

function extraBits(): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 8; i < 28; i++) bits += load<u32>(LITERAL_FREQUENCIES + (257 + i) * 4) * lengthExtra(i);
  for (let i: u32 = 4; i < DISTANCE_COUNT; i++) bits += load<u32>(DISTANCE_FREQUENCIES + i * 4) * distanceExtra(i);
  return bits;
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
