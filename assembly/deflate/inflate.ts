import { giveBack, take } from "./bit-reader";
import { blockHeader, codeLengthCode, codeLengths, counts, storedLength } from "./block-header";
import { codes, match } from "./inflate-codes";
import {
  BIT_COUNT, BITS, GO_ON, IS_FINAL, LENGTH, PHASE, PHASE_BLOCK, PHASE_CODE_LENGTH_CODE, PHASE_CODE_LENGTHS, PHASE_COUNTS,
  PHASE_MATCH, PHASE_STORED, PHASE_STORED_LENGTH, START, WINDOW,
} from "./inflate-state"; // prettier-ignore
import {
  INFLATE_BETWEEN, INFLATE_CURSOR, INFLATE_END, INFLATE_FINAL, INFLATE_NEEDS_INPUT, INFLATE_NEEDS_ROOM, INFLATE_OUT,
  MAX_WINDOW,
} from "./layout"; // prettier-ignore
import { makeShared } from "./symbols";

/** Begins a stream whose window is the `history` bytes at INFLATE_OUT, between two blocks. */
export function inflateOpen(history: u32, windowBits: u32): void {
  makeShared();
  store<u32>(INFLATE_END, INFLATE_OUT + history);
  store<u32>(INFLATE_BETWEEN, 1);
  store<u32>(PHASE, PHASE_BLOCK);
  store<u64>(BITS, 0);
  store<u32>(BIT_COUNT, 0);
  store<u32>(IS_FINAL, 0);
  store<u32>(WINDOW, (<u32>1) << windowBits);
}

/**
 * Inflates (RFC 1951) what lies from INFLATE_CURSOR up to `inEnd` to INFLATE_END and behind it, not over `outEnd`, and
 * answers why it stopped. INFLATE_NEEDS_INPUT has taken all the input, and an item that is cut lies in the state.
 */
export function inflate(inEnd: u32, outEnd: u32): u32 {
  store<u32>(START, load<u32>(INFLATE_CURSOR));
  let status: u32 = GO_ON;
  while (status == GO_ON) status = step(inEnd, outEnd);
  if (status != INFLATE_NEEDS_INPUT) giveBack();
  store<u32>(INFLATE_BETWEEN, load<u32>(PHASE) == PHASE_BLOCK && load<u32>(BIT_COUNT) == 0 ? 1 : 0);
  return status;
}

/** Moves the window to INFLATE_OUT, so that there is room behind it. */
export function inflateSlide(): void {
  const end = load<u32>(INFLATE_END);
  if (end <= <u32>(INFLATE_OUT + MAX_WINDOW)) return;
  memory.copy(INFLATE_OUT, end - MAX_WINDOW, MAX_WINDOW);
  store<u32>(INFLATE_END, INFLATE_OUT + MAX_WINDOW);
}

function step(inEnd: u32, outEnd: u32): u32 {
  const phase = load<u32>(PHASE);
  if (phase == PHASE_BLOCK) return blockHeader(inEnd);
  if (phase == PHASE_STORED_LENGTH) return storedLength(inEnd);
  if (phase == PHASE_STORED) return stored(inEnd, outEnd);
  if (phase == PHASE_COUNTS) return counts(inEnd);
  if (phase == PHASE_CODE_LENGTH_CODE) return codeLengthCode(inEnd);
  if (phase == PHASE_CODE_LENGTHS) return codeLengths(inEnd);
  if (phase == PHASE_MATCH && !match(outEnd)) return INFLATE_NEEDS_ROOM;
  const status = codes(inEnd, outEnd);
  return status == GO_ON ? endOfBlock() : status;
}

function stored(inEnd: u32, outEnd: u32): u32 {
  const cursor = load<u32>(INFLATE_CURSOR);
  const out = load<u32>(INFLATE_END);
  const length = load<u32>(LENGTH);
  const some = min(length, min(inEnd - cursor, outEnd - out));
  memory.copy(out, cursor, some);
  store<u32>(INFLATE_CURSOR, cursor + some);
  store<u32>(INFLATE_END, out + some);
  store<u32>(LENGTH, length - some);
  if (some == length) return endOfBlock();
  return cursor + some == inEnd ? INFLATE_NEEDS_INPUT : INFLATE_NEEDS_ROOM;
}

/** Behind a final block the next one begins with the next byte: RFC 7692 §7.2.3.4 has messages go on there. */
function endOfBlock(): u32 {
  store<u32>(PHASE, PHASE_BLOCK);
  if (load<u32>(IS_FINAL) == 0) return GO_ON;
  take(load<u32>(BIT_COUNT) & 7);
  return INFLATE_FINAL;
}
