// RFC 6455 §5.4 (fragmentation), §5.5 (control frames), §6.2 (receiving data), §8.1 (UTF-8): one connection's decoder.
// Its state lies in a slot, so a chunk may end at any byte.
import {
  CONTROL,
  FIN,
  OPCODE,
  RSV,
  hasTopBit,
  headerLength,
  isExtended,
  isMasked,
  isMinimal,
  maskingKey,
  payloadLength,
} from "./frame";
import {
  CURSOR,
  EVENTS,
  EVENT_ASCII,
  EVENT_CAPACITY,
  EVENT_FAIL,
  EVENT_FIRST,
  EVENT_LAST,
  EVENT_WORDS,
  MAX_EMPTY_RUN,
  SLOT_ALLOWED_RSV,
  SLOT_EMPTY_RUN,
  SLOT_EXPECT_MASKED,
  SLOT_FIRST_BYTE,
  SLOT_FRAGMENTS,
  SLOT_FRAME_STARTED,
  SLOT_HEADER,
  SLOT_HEADER_LENGTH,
  SLOT_MASKING_KEY,
  SLOT_MAX_FRAGMENTS,
  SLOT_MAX_LENGTH,
  SLOT_MESSAGE,
  SLOT_MESSAGE_LENGTH,
  SLOT_REMAINING,
  SLOT_STATE,
  SLOT_UTF8,
  STATE_FAILED,
  STATE_HEADER,
  STATE_PAYLOAD,
  UTF8_ACCEPT,
  UTF8_NON_ASCII,
  UTF8_REJECT,
  UTF8_STATE,
  VIOLATION_CONTROL_FRAGMENTED,
  VIOLATION_CONTROL_TOO_LONG,
  VIOLATION_EMPTY_FRAGMENTS,
  VIOLATION_LENGTH_NOT_MINIMAL,
  VIOLATION_LENGTH_TOP_BIT,
  VIOLATION_MASKED,
  VIOLATION_MESSAGE_UNFINISHED,
  VIOLATION_NOTHING_TO_CONTINUE,
  VIOLATION_OPCODE,
  VIOLATION_RESERVED_BITS,
  VIOLATION_TOO_LONG,
  VIOLATION_TOO_MANY_FRAGMENTS,
  VIOLATION_UNMASKED,
  VIOLATION_UTF8,
} from "./layout";
import { mask } from "./mask";
import { slotAddress } from "./slots";
import { validate } from "./utf8";

const TEXT: u32 = 1;
const BINARY: u32 = 2;
const PONG: u32 = 10;

const EVENT_SIZE = EVENT_WORDS * 4;
const EVENTS_END: usize = EVENTS + EVENT_CAPACITY * EVENT_SIZE;

/** Where the next event goes. */
let event: usize = EVENTS;

/**
 * Decodes the bytes in [at, end), unmasking them in place, and answers how many events were written to the table.
 * CURSOR tells where it stopped: before `end` only when the table was full. After a violation nothing is parsed any more.
 */
export function decode(slot: u32, at: usize, end: usize): u32 {
  const s = slotAddress(slot);
  event = EVENTS;
  while (event < EVENTS_END) {
    if (load<u8>(s, SLOT_STATE) == STATE_HEADER) {
      if (at == end) break;
      at = readHeader(s, at, end);
    }
    const state: u32 = load<u8>(s, SLOT_STATE);
    if (state == STATE_PAYLOAD) {
      // A frame without payload is complete as soon as its header is; any other needs at least one byte more.
      if (at == end && load<f64>(s, SLOT_REMAINING) > 0) break;
      at = readPayload(s, at, end);
    } else if (state == STATE_FAILED) {
      at = end;
      break;
    }
  }
  store<u32>(CURSOR, at);
  return <u32>(event - EVENTS) / EVENT_SIZE;
}

/**
 * How many bytes come next that `decode` only counts: payload that is neither masked nor to be validated. For these, and
 * these alone, [at, end) may lie anywhere. -1 where a header comes next that may be followed by such.
 */
export function countedNext(slot: u32): f64 {
  const s = slotAddress(slot);
  const state: u32 = load<u8>(s, SLOT_STATE);
  if (load<u8>(s, SLOT_EXPECT_MASKED) || state == STATE_FAILED) return 0;
  if (state == STATE_HEADER) return -1;
  const isText = !(load<u8>(s, SLOT_FIRST_BYTE) & CONTROL) && load<u8>(s, SLOT_MESSAGE) == TEXT;
  return isText ? 0 : load<f64>(s, SLOT_REMAINING);
}

/** Reads a header, in place if all of it is here, else through the slot; answers where it stopped. */
function readHeader(s: usize, at: usize, end: usize): usize {
  let gathered: u32 = load<u8>(s, SLOT_HEADER_LENGTH);
  if (gathered == 0 && end - at >= 2) {
    const length = headerLength(at);
    if (end - at >= length) {
      beginFrame(s, at, length);
      return at + length;
    }
  }
  const header = s + SLOT_HEADER;
  while (at < end) {
    store<u8>(header + gathered, load<u8>(at));
    at++;
    gathered++;
    if (gathered < 2) continue;
    const length = headerLength(header);
    if (gathered == length) {
      store<u8>(s, 0, SLOT_HEADER_LENGTH);
      beginFrame(s, header, length);
      return at;
    }
    if (gathered == 2) {
      const violation = checkStart(s, header);
      if (violation) {
        fail(s, violation);
        return at;
      }
    }
  }
  store<u8>(s, gathered, SLOT_HEADER_LENGTH);
  return at;
}

/** What the first two bytes of a header can break. */
function checkStart(s: usize, header: usize): u32 {
  const first: u32 = load<u8>(header);
  const opcode = first & OPCODE;
  const rsv = first & RSV;
  // §5.2: an extension's bit stands on the first frame of a message only (RFC 7692 §6).
  const allowed: u32 = opcode == TEXT || opcode == BINARY ? load<u8>(s, SLOT_ALLOWED_RSV) : 0;
  if (rsv & ~allowed) return VIOLATION_RESERVED_BITS;
  if (opcode > PONG || (opcode > BINARY && opcode < CONTROL)) return VIOLATION_OPCODE;
  // §5.1
  const expectMasked = load<u8>(s, SLOT_EXPECT_MASKED) != 0;
  if (isMasked(header) != expectMasked) return expectMasked ? VIOLATION_UNMASKED : VIOLATION_MASKED;
  if (opcode & CONTROL) {
    // §5.5
    if (!(first & FIN)) return VIOLATION_CONTROL_FRAGMENTED;
    return isExtended(header) ? VIOLATION_CONTROL_TOO_LONG : 0;
  }
  // §5.4
  const open = load<u8>(s, SLOT_MESSAGE) != 0;
  if (opcode == 0) return open ? 0 : VIOLATION_NOTHING_TO_CONTINUE;
  return open ? VIOLATION_MESSAGE_UNFINISHED : 0;
}

/** An extension may have made a message longer that it could not make shorter; what it decodes to is the host's to check. */
function maxLength(s: usize, first: u32): f64 {
  const most = load<f64>(s, SLOT_MAX_LENGTH);
  return first & RSV ? most + most / 1024 + 64 : most;
}

/** What the length of a data frame can break; counts the frame into its message. */
function checkLength(s: usize, header: usize, length: f64): u32 {
  if (hasTopBit(header)) return VIOLATION_LENGTH_TOP_BIT;
  if (!isMinimal(header, length)) return VIOLATION_LENGTH_NOT_MINIMAL;
  const messageLength = load<f64>(s, SLOT_MESSAGE_LENGTH) + length;
  const opcode = load<u8>(header) & OPCODE;
  const first: u32 = opcode ? load<u8>(header) : load<u8>(s, SLOT_MESSAGE);
  if (messageLength > maxLength(s, first)) return VIOLATION_TOO_LONG;
  store<f64>(s, messageLength, SLOT_MESSAGE_LENGTH);
  const fragments = load<u32>(s, SLOT_FRAGMENTS) + 1;
  if (fragments > load<u32>(s, SLOT_MAX_FRAGMENTS)) return VIOLATION_TOO_MANY_FRAGMENTS;
  store<u32>(s, fragments, SLOT_FRAGMENTS);
  const emptyRun: u32 = length > 0 || load<u8>(header) & FIN ? 0 : load<u8>(s, SLOT_EMPTY_RUN) + 1;
  if (emptyRun > <u32>MAX_EMPTY_RUN) return VIOLATION_EMPTY_FRAGMENTS;
  store<u8>(s, emptyRun, SLOT_EMPTY_RUN);
  return 0;
}

function beginFrame(s: usize, header: usize, length: u32): void {
  const first: u32 = load<u8>(header);
  const payload = payloadLength(header);
  let violation = checkStart(s, header);
  if (!violation && !(first & CONTROL)) {
    violation = checkLength(s, header, payload);
    if (first & OPCODE) store<u8>(s, first & (RSV | OPCODE), SLOT_MESSAGE);
  }
  if (violation) {
    fail(s, violation);
    return;
  }
  store<u8>(s, first, SLOT_FIRST_BYTE);
  store<u8>(s, 0, SLOT_FRAME_STARTED);
  store<f64>(s, payload, SLOT_REMAINING);
  if (load<u8>(s, SLOT_EXPECT_MASKED)) store<u32>(s, maskingKey(header, length), SLOT_MASKING_KEY);
  store<u8>(s, STATE_PAYLOAD, SLOT_STATE);
}

/** Takes what [at, end) has of the current frame's payload; answers where it stopped. */
function readPayload(s: usize, at: usize, end: usize): usize {
  const remaining = load<f64>(s, SLOT_REMAINING);
  const here = <u32>(end - at);
  const take = remaining < <f64>here ? <u32>remaining : here;
  const left = remaining - <f64>take;
  if (load<u8>(s, SLOT_EXPECT_MASKED)) {
    const key = load<u32>(s, SLOT_MASKING_KEY);
    const phase = mask(at, take, key, 0);
    if (left > 0) store<u32>(s, rotr(key, phase << 3), SLOT_MASKING_KEY);
  }

  const first: u32 = load<u8>(s, SLOT_FIRST_BYTE);
  const isControl = (first & CONTROL) != 0;
  const isLast = left == 0 && (first & FIN) != 0;
  const kind: u32 = isControl ? first & OPCODE : load<u8>(s, SLOT_MESSAGE);
  let flags: u32 = kind;
  if (first & OPCODE && !load<u8>(s, SLOT_FRAME_STARTED)) flags |= EVENT_FIRST;
  if (isLast) flags |= EVENT_LAST;

  // With an RSV bit set the payload is not text yet: an extension decodes it, and the host validates what comes out.
  if (kind == TEXT) {
    const utf8 = validate(load<u16>(s, SLOT_UTF8), at, take);
    const automaton = utf8 & UTF8_STATE;
    if (automaton == UTF8_REJECT || (isLast && automaton != UTF8_ACCEPT)) {
      fail(s, VIOLATION_UTF8);
      return end;
    }
    store<u16>(s, utf8, SLOT_UTF8);
    if (isLast && !(utf8 & UTF8_NON_ASCII)) flags |= EVENT_ASCII;
  }

  if (take > 0 || flags & (EVENT_FIRST | EVENT_LAST)) emit(flags, at, take, left);
  if (left > 0) {
    store<f64>(s, left, SLOT_REMAINING);
    store<u8>(s, 1, SLOT_FRAME_STARTED);
    return at + take;
  }
  store<u8>(s, STATE_HEADER, SLOT_STATE);
  if (isLast && !isControl) endMessage(s);
  return at + take;
}

function endMessage(s: usize): void {
  store<u8>(s, 0, SLOT_MESSAGE);
  store<f64>(s, 0, SLOT_MESSAGE_LENGTH);
  store<u32>(s, 0, SLOT_FRAGMENTS);
  store<u16>(s, UTF8_ACCEPT, SLOT_UTF8);
  store<u8>(s, 0, SLOT_EMPTY_RUN);
}

function emit(flags: u32, at: usize, length: u32, left: f64): void {
  store<u32>(event, flags);
  store<u32>(event, at, 4);
  store<u32>(event, length, 8);
  store<u32>(event, left < 4294967295 ? <u32>left : <u32>0xffffffff, 12);
  event += EVENT_SIZE;
}

function fail(s: usize, violation: u32): void {
  store<u8>(s, STATE_FAILED, SLOT_STATE);
  emit(EVENT_FAIL, violation, 0, 0);
}
