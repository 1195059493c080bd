/**
 * Repeats at `out` the `length` bytes from `distance` bytes before it on; the two may overlap, and then what was just
 * written is read again (§3.2.3). It may write up to 8 bytes too many.
 */
// @ts-ignore: decorator
@inline
export function copyMatch(out: usize, distance: u32, length: u32): void {
  const end = out + length;
  let from = out - distance;
  if (distance < 8) {
    if (distance == 1) {
      const bytes = (<u64>load<u8>(from)) * 0x0101010101010101;
      do {
        store<u64>(out, bytes, 0, 1);
        out += 8;
      } while (out < end);
      return;
    }
    // Once eight bytes are there, the pattern is found again at the first multiple of the distance from eight on.
    for (let i: usize = 0; i < 8; i++) store<u8>(out + i, load<u8>(from + i));
    out += 8;
    from = out - distance * ((7 + distance) / distance);
  }
  while (out < end) {
    store<u64>(out, load<u64>(from, 0, 1), 0, 1);
    out += 8;
    from += 8;
  }
}
