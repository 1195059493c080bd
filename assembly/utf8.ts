import { UTF8_ACCEPT, UTF8_NON_ASCII, UTF8_REJECT, UTF8_STATE } from "./layout";

// The automaton inside a character: how many continuation bytes are to come and, above these two bits, a bit for each
// quarter of 80 to BF that the next one may lie in. A first byte can narrow the range of the second (RFC 3629 §4).
const MORE: u32 = 3;
const ANY_QUARTER: u32 = 0b1111 << 2;
const AFTER_E0: u32 = (0b1100 << 2) | 2; // A0 to BF: the others would be overlong forms
const AFTER_ED: u32 = (0b0011 << 2) | 2; // 80 to 9F: the others would be surrogates
const AFTER_F0: u32 = (0b1110 << 2) | 3; // 90 to BF: the others would be overlong forms
const AFTER_F4: u32 = (0b0001 << 2) | 3; // 80 to 8F: the others would be above U+10FFFF

/**
 * Validates the next `length` bytes of a text, at `at`, as UTF-8 (RFC 3629; RFC 6455 §8.1), and answers the new state.
 *
 * `state` is 0 before the first byte. The text is whole while the low byte of the state is UTF8_ACCEPT; it becomes
 * UTF8_REJECT, for good, in the call that has the first byte at which no valid text goes on. The SIMD build also reads,
 * and leaves out of account, up to sixteen bytes in front of `at`, which therefore must be 16 or more.
 */
export function validate(state: u32, at: usize, length: u32): u32 {
  const end = at + length;
  const seen = state & UTF8_NON_ASCII;
  let automaton = state & UTF8_STATE;
  // The rest of the character that the bytes before have begun.
  while (automaton != UTF8_ACCEPT) {
    if (at == end || automaton == UTF8_REJECT) return seen | automaton;
    automaton = inside(automaton, load<u8>(at));
    at++;
  }
  // Most texts are ASCII to the end, and should not pay for the setting up of the block algorithm.
  at = skipAscii(at, end);
  if (at == end) return seen;
  return seen | (ASC_FEATURE_SIMD ? blocks(at, end) : characters(at, end));
}

/** Moves on over ASCII in strides: to `end`, or to a place from which it would be too short or a byte over 7F is near. */
// @ts-ignore: decorator
@inline
function skipAscii(at: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (at + 64 <= end) {
      const half = v128.or(v128.load(at, 0, 1), v128.load(at, 16, 1));
      const other = v128.or(v128.load(at, 32, 1), v128.load(at, 48, 1));
      if (i8x16.bitmask(v128.or(half, other)) != 0) return at;
      at += 64;
    }
    while (at + 16 < end) {
      if (i8x16.bitmask(v128.load(at, 0, 1)) != 0) return at;
      at += 16;
    }
    // The last sixteen bytes, less those in front of `at`.
    return i8x16.bitmask(v128.load(end - 16, 0, 1)) >> (16 - <i32>(end - at)) == 0 ? end : at;
  }
  if (at + 16 > end) return at;
  // To an aligned address, because plain JavaScript has no unaligned access to a word.
  while ((at & 3) != 0) {
    if (load<u8>(at) > 0x7f) return at;
    at++;
  }
  while (at + 16 <= end) {
    const words = load<u32>(at, 0) | load<u32>(at, 4) | load<u32>(at, 8) | load<u32>(at, 12);
    if ((words & 0x80808080) != 0) return at;
    at += 16;
  }
  return at;
}

/** The state behind the first byte of a character. */
// @ts-ignore: decorator
@inline
function first(byte: u32): u32 {
  if (byte < 0x80) return UTF8_ACCEPT;
  if (byte < 0xc2) return UTF8_REJECT;
  if (byte < 0xe0) return ANY_QUARTER | 1;
  if (byte < 0xf0) return byte == 0xe0 ? AFTER_E0 : byte == 0xed ? AFTER_ED : ANY_QUARTER | 2;
  if (byte < 0xf5) return byte == 0xf0 ? AFTER_F0 : byte == 0xf4 ? AFTER_F4 : ANY_QUARTER | 3;
  return UTF8_REJECT;
}

/** The state behind another byte of a character. */
// @ts-ignore: decorator
@inline
function inside(state: u32, byte: u32): u32 {
  if ((byte & 0xc0) != 0x80 || ((state >> (2 + ((byte >> 4) & 3))) & 1) == 0) return UTF8_REJECT;
  const more = (state & MORE) - 1;
  return more == 0 ? UTF8_ACCEPT : ANY_QUARTER | more;
}

/** The state behind the characters from `at` on, worked out byte by byte. */
function characters(at: usize, end: usize): u32 {
  let seen: u32 = 0;
  while (at < end) {
    const byte: u32 = load<u8>(at);
    at++;
    if (byte < 0x80) {
      if ((at & 3) == 0) while (at + 4 <= end && (load<u32>(at) & 0x80808080) == 0) at += 4;
      continue;
    }
    seen = UTF8_NON_ASCII;
    let state = first(byte);
    while (state != UTF8_ACCEPT) {
      if (at == end || state == UTF8_REJECT) return seen | state;
      state = inside(state, load<u8>(at));
      at++;
    }
  }
  return seen;
}

// What two bytes in a row can have wrong, after Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per
// Byte" (2020), §6. A pair is wrong in a way when the bit of it is in all three tables below.
const TOO_SHORT: i8 = 0x01; // a first byte, then no continuation
const TOO_LONG: i8 = 0x02; // ASCII, then a continuation
const OVERLONG_3: i8 = 0x04; // E0, then below A0
const TOO_LARGE: i8 = 0x08; // F4 or above, then from 90 on
const SURROGATE: i8 = 0x10; // ED, then from A0 on
const OVERLONG_2: i8 = 0x20; // C0 or C1
const F5_AND_80: i8 = 0x40; // F5 or above, then below 90
const OVERLONG_4: i8 = 0x40; // F0, then below 90; the low half of the first byte keeps it apart from F5_AND_80
const CONTINUED: i8 = -0x80; // two continuations: right where a third or fourth byte is due, and only there
// In every entry for the low half of a first byte, and in those from 5 on.
const ANY: i8 = TOO_SHORT | TOO_LONG | CONTINUED;
const FROM_5: i8 = ANY | TOO_LARGE | F5_AND_80;

/** As `characters`, by sixteen bytes at a time, for a text with a byte over 0x7F. */
// @ts-ignore: decorator
@inline
function blocks(at: usize, end: usize): u32 {
  // The odd bytes come first, so that none are left over at the end. What the block has in front of the text becomes
  // zeros: that is ASCII, thus a boundary between characters.
  const odd = ((end - at - 1) & 15) + 1;
  const lanes = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  at += odd;
  let block = v128.and(v128.load(at - 16, 0, 1), i8x16.ge_u(lanes, i8x16.splat(<i8>(16 - odd))));
  let previous = i64x2.splat(0);
  let openedBefore = i8x16.splat(TOO_LONG);
  let wrong = previous;
  while (true) {
    const high = v128.and(i16x8.shr_u(block, 4), i8x16.splat(0x0f));
    const opened = v128.and(
      i8x16.swizzle(firstHigh(), high),
      i8x16.swizzle(firstLow(), v128.and(block, i8x16.splat(0x0f))),
    );
    const pairs = v128.and(
      i8x16.shuffle(openedBefore, opened, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30),
      i8x16.swizzle(secondHigh(), high),
    );
    // The top bit where a third byte is due, two behind E0 or above (60 = E0 - 80), or a fourth, three behind F0.
    const back2 = i8x16.shuffle(previous, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    const back3 = i8x16.shuffle(previous, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
    const due = v128.or(i8x16.sub_sat_u(back2, i8x16.splat(0x60)), i8x16.sub_sat_u(back3, i8x16.splat(0x70)));
    wrong = v128.or(wrong, v128.xor(pairs, v128.and(due, i8x16.splat(-0x80))));
    // Behind ASCII, what is skipped leaves `previous` and `openedBefore` as good as if it had been worked through.
    if (i8x16.bitmask(block) == 0) at = skipAscii(at, end);
    if (at == end) break;
    previous = block;
    openedBefore = opened;
    block = v128.load(at, 0, 1);
    at += 16;
  }
  if (v128.any_true(wrong)) return UTF8_NON_ASCII | UTF8_REJECT;
  // A character that is cut at the end began in the last three bytes. A text of fewer, not all ASCII and not wrong, has
  // a first byte among them, so this does not search in front of it.
  while (end - at < 3) {
    at--;
    if (load<u8>(at) >= 0xc0) return UTF8_NON_ASCII | characters(at, end);
  }
  return UTF8_NON_ASCII;
}

/** By the high half of the first byte of a pair. */
// @ts-ignore: decorator
@inline
function firstHigh(): v128 {
  // prettier-ignore
  return i8x16(
    TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
    CONTINUED, CONTINUED, CONTINUED, CONTINUED,
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | OVERLONG_4 | TOO_LARGE | F5_AND_80,
  );
}

/** By the low half of the first byte. */
// @ts-ignore: decorator
@inline
function firstLow(): v128 {
  // prettier-ignore
  return i8x16(
    ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
    ANY | OVERLONG_2,
    ANY,
    ANY,
    ANY | TOO_LARGE,
    FROM_5, FROM_5, FROM_5, FROM_5, FROM_5, FROM_5, FROM_5, FROM_5,
    FROM_5 | SURROGATE,
    FROM_5, FROM_5,
  );
}

/** By the high half of the second byte. */
// @ts-ignore: decorator
@inline
function secondHigh(): v128 {
  // prettier-ignore
  return i8x16(
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    TOO_LONG | CONTINUED | OVERLONG_2 | OVERLONG_3 | OVERLONG_4 | F5_AND_80,
    TOO_LONG | CONTINUED | OVERLONG_2 | OVERLONG_3 | TOO_LARGE,
    TOO_LONG | CONTINUED | OVERLONG_2 | SURROGATE | TOO_LARGE,
    TOO_LONG | CONTINUED | OVERLONG_2 | SURROGATE | TOO_LARGE,
    TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
  );
}
