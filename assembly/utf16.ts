/** The first unit of a surrogate pair: D800, less what is above the ten bits of the second in U+10000. */
const HIGH_SURROGATE = 0xd7c0;
const LOW_SURROGATE = 0xdc00;

/**
 * Writes `length` bytes of valid UTF-8 at `at` as UTF-16 (little-endian) to `to`, which is even: a host makes a string of
 * it by copying, where it would decode UTF-8 byte by byte.
 *
 * Answers how many units that took. The SIMD build writes one byte for each, and answers less than 0, when all of them are
 * below 100 (hex). It reads up to seven bytes in front of `at` and nine behind the text, and writes up to sixteen behind the
 * units, all of which must be memory.
 */
export function utf8ToUtf16(at: usize, length: u32, to: usize): i32 {
  if (length == 0) return 0;
  return ASC_FEATURE_SIMD ? blocks(at, length, to) : characters(at, at + length, to);
}

function characters(at: usize, end: usize, to: usize): i32 {
  const from = to;
  while (at < end) {
    let unit: u32 = load<u8>(at);
    if (unit < 0x80) {
      at += 1;
    } else if (unit < 0xe0) {
      unit = ((unit & 0x1f) << 6) | low6(at, 1);
      at += 2;
    } else if (unit < 0xf0) {
      unit = ((unit & 0x0f) << 12) | (low6(at, 1) << 6) | low6(at, 2);
      at += 3;
    } else {
      store<u16>(to, HIGH_SURROGATE + ((unit & 0x07) << 8) + (low6(at, 1) << 2) + (low6(at, 2) >> 4));
      to += 2;
      unit = LOW_SURROGATE | ((low6(at, 2) & 0x0f) << 6) | low6(at, 3);
      at += 4;
    }
    store<u16>(to, unit);
    to += 2;
  }
  return <i32>((to - from) >> 1);
}

// @ts-ignore: decorator
@inline
function low6(at: usize, offset: usize): u32 {
  return <u32>load<u8>(at + offset) & 0x3f;
}

/**
 * By eight bytes at a time: at each of them is worked out which unit a character would have that began there, and those
 * where one does begin are moved together. So it costs the same whatever the text is mixed of.
 */
// @ts-ignore: decorator
@inline
function blocks(at: usize, length: u32, to: usize): i32 {
  const from = to;
  const end = at + length;
  // The odd bytes come first, so that none are left over at the end. What the block has in front of the text becomes
  // zeros, and is not stored.
  const missing = -length & 7;
  let stored: u32 = (0xff << missing) & 0xff;
  at -= missing;
  let bytes = v128.and(v128.load8x8_u(at, 0, 1), i16x8.gt_s(i16x8(1, 2, 3, 4, 5, 6, 7, 8), i16x8.splat(<i16>missing)));
  let previous = i64x2.splat(0);
  let most = previous;
  const orders = unitOrders();
  while (true) {
    most = i16x8.max_s(most, bytes);
    let units = bytes;
    if (v128.any_true(v128.and(bytes, i16x8.splat(0x80)))) {
      const third = v128.and(v128.load8x8_u(at, 2, 1), i16x8.splat(0x3f));
      // What the second byte carries, and above it the first.
      const two = v128.or(i16x8.shl(bytes, 6), v128.and(v128.load8x8_u(at, 1, 1), i16x8.splat(0x3f)));
      const three = v128.or(i16x8.shl(two, 6), third);
      units = v128.bitselect(three, v128.and(two, i16x8.splat(0x7ff)), i16x8.gt_s(bytes, i16x8.splat(0xdf)));
      units = v128.bitselect(units, bytes, i16x8.gt_s(bytes, i16x8.splat(0x7f)));
      let begun = i16x8.ne(v128.and(bytes, i16x8.splat(0xc0)), i16x8.splat(0x80));
      // Of four bytes the first stands for the high surrogate, and the second for the low one.
      const before = i8x16.shuffle(previous, bytes, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
      if (v128.any_true(i16x8.gt_s(i16x8.max_s(before, bytes), i16x8.splat(0xef)))) {
        const seconds = i16x8.gt_s(before, i16x8.splat(0xef));
        const high = v128.or(v128.and(i16x8.shl(two, 2), i16x8.splat(0x7ff)), i16x8.shr_u(third, 4));
        const low = v128.or(v128.and(three, i16x8.splat(0x3ff)), i16x8.splat(<i16>LOW_SURROGATE));
        units = v128.bitselect(
          i16x8.add(high, i16x8.splat(<i16>HIGH_SURROGATE)),
          units,
          i16x8.gt_s(bytes, i16x8.splat(0xef)),
        );
        units = v128.bitselect(low, units, seconds);
        begun = v128.or(begun, seconds);
      }
      stored &= i16x8.bitmask(begun);
    }
    if (stored == 0xff) {
      v128.store(to, units, 0, 2);
      to += 16;
    } else {
      const low = stored & 15;
      const high = stored >> 4;
      const order = v128.load64_lane(orders + (high << 3), v128.load64_zero(orders + (low << 3)), 1);
      const together = i8x16.swizzle(units, v128.or(order, i64x2(0, 0x0808080808080808)));
      v128.store64_lane(to, together, 0, 0, 2);
      to += popcnt(low) << 1;
      v128.store64_lane(to, together, 1, 0, 2);
      to += popcnt(high) << 1;
    }
    at += 8;
    if (at == end) break;
    previous = bytes;
    bytes = v128.load8x8_u(at, 0, 1);
    stored = 0xff;
  }
  const units = <i32>((to - from) >> 1);
  // C4 is the least first byte of a unit over FF.
  if (v128.any_true(i16x8.gt_s(most, i16x8.splat(0xc3)))) return units;
  for (at = from; at < to; at += 16) {
    const eight = v128.load(at, 0, 2);
    v128.store64_lane(from + ((at - from) >> 1), i8x16.narrow_i16x8_u(eight, eight), 0, 0, 1);
  }
  return -units;
}

/** For each choice of four units: where the bytes of the chosen ones are. In a function, so that only the SIMD build has it. */
// @ts-ignore: decorator
@inline
function unitOrders(): usize {
  // prettier-ignore
  return memory.data<u64>([
    0x0000000000000000, 0x0000000000000100, 0x0000000000000302, 0x0000000003020100,
    0x0000000000000504, 0x0000000005040100, 0x0000000005040302, 0x0000050403020100,
    0x0000000000000706, 0x0000000007060100, 0x0000000007060302, 0x0000070603020100,
    0x0000000007060504, 0x0000070605040100, 0x0000070605040302, 0x0706050403020100,
  ], 8);
}
