import { align, put } from "./bit-writer";
import { openBlock, writeBlock, writeStored } from "./block";
import {
  DEFLATE_BITS,
  DEFLATE_BIT_COUNT,
  DEFLATE_END,
  DEFLATE_IN,
  DEFLATE_OUT,
  FLUSH_FINISH,
  FLUSH_SYNC,
} from "./layout";
import { clearTables, enterAll, enterHeads, GAP } from "./match-finder";
import { parse } from "./parsers";
import { BIAS, INDEXED, LEVEL, OUT, REACH, UNUSED } from "./stream";

/** Positions must not come near 2^32: past this one the tables are cleared, and they begin anew. */
const LAST_POSITION: u32 = 0xf0000000;

/**
 * Begins a stream whose window is the `history` bytes at DEFLATE_IN, up to 32768, with distances up to 2^windowBits
 * (8 to 15). `level` is 0 (nothing but stored blocks) to 9 (the smallest).
 */
export function deflateOpen(history: u32, windowBits: u32, level: u32): void {
  store<u32>(DEFLATE_BIT_COUNT, 0);
  store<u32>(DEFLATE_BITS, 0);
  store<u32>(DEFLATE_END, DEFLATE_IN + history);
  store<u32>(REACH, 1 << windowBits);
  store<u32>(LEVEL, level);
  place();
}

/** Gives the bytes from DEFLATE_IN to DEFLATE_END positions of their own. */
function place(): void {
  if (load<u32>(UNUSED) > LAST_POSITION) {
    clearTables();
    store<u32>(UNUSED, 0);
  }
  const first = load<u32>(UNUSED) + GAP;
  const end = load<u32>(DEFLATE_END);
  store<u32>(BIAS, first - DEFLATE_IN);
  store<u32>(UNUSED, first + end - DEFLATE_IN);
  store<u32>(INDEXED, DEFLATE_IN);
}

/** Enters in the tables what lies before `at` and is not there yet, if it has three bytes behind it before `end`. */
function index(at: usize, end: usize): void {
  const from: usize = min(load<u32>(INDEXED), <u32>at);
  const to = min(end - 3, at);
  if (from >= to) return;
  const level = load<u32>(LEVEL);
  if (level == 1) enterHeads(from, to);
  // Of a whole history each second place does, and takes half the time: the parser looks backward too.
  else if (level != 0) enterAll(from, to, to - from > 3 ? 2 : 1);
  store<u32>(INDEXED, <u32>to);
}

/**
 * Compresses the `length` bytes at DEFLATE_END, up to 65536, into whole blocks, and does FLUSH_*. Answers how many bytes
 * lie at DEFLATE_OUT then; bits that do not fill one are kept for the next call. The host may take an input back, after
 * FLUSH_SYNC and before `deflateSlide`, by setting DEFLATE_END to what it was.
 */
export function deflate(length: u32, flush: u32): u32 {
  let at: usize = load<u32>(DEFLATE_END);
  const end = at + length;
  const isFinal: u32 = flush == FLUSH_FINISH ? 1 : 0;
  store<u32>(OUT, DEFLATE_OUT);
  store<u32>(DEFLATE_END, <u32>end);
  store<u32>(UNUSED, max(load<u32>(UNUSED), <u32>end + load<u32>(BIAS)));
  if (load<u32>(LEVEL) == 0) {
    if (length != 0 || isFinal) writeStored(at, end, isFinal);
  } else {
    index(at, end);
    while (at < end) {
      const from = at;
      openBlock();
      at = parse(at, end);
      writeBlock(from, at, at == end ? isFinal : 0);
    }
    store<u32>(INDEXED, max(load<u32>(INDEXED), <u32>end - 3));
    // An empty block of fixed codes.
    if (length == 0 && isFinal) put(0b011, 10);
  }
  if (flush == FLUSH_SYNC) writeStored(end, end, 0);
  if (isFinal) align();
  return load<u32>(OUT) - DEFLATE_OUT;
}

/** Makes room for input: moves the window, the last 2^windowBits bytes, down to DEFLATE_IN. */
export function deflateSlide(): void {
  const end = load<u32>(DEFLATE_END);
  const keep = min(end - DEFLATE_IN, load<u32>(REACH));
  const by = end - keep - DEFLATE_IN;
  memory.copy(DEFLATE_IN, end - keep, keep);
  store<u32>(DEFLATE_END, end - by);
  store<u32>(INDEXED, load<u32>(INDEXED) - by);
  store<u32>(BIAS, load<u32>(BIAS) + by);
  if (load<u32>(UNUSED) > LAST_POSITION) place();
}
