/** Writes `length` bytes at `at` to `out` in base64, padded (RFC 4648 §4); answers how many characters that took. */
export function base64Encode(at: usize, length: u32, out: usize): u32 {
  const start = out;
  const end = at + length;
  while (at < end) {
    const left = <u32>(end - at);
    let group: u32 = (<u32>load<u8>(at)) << 16;
    if (left > 1) group |= (<u32>load<u8>(at, 1)) << 8;
    if (left > 2) group |= load<u8>(at, 2);
    let text = characters(group);
    // One byte fills two characters, two bytes fill three; = pads them.
    if (left == 1) text = (text & 0xffff) | 0x3d3d0000;
    if (left == 2) text = (text & 0xffffff) | 0x3d000000;
    store<u32>(out, text, 0, 1);
    at += 3;
    out += 4;
  }
  return <u32>(out - start);
}

/**
 * The characters for 24 bits, the first one in the lowest byte. There are no branches, since those on the bits of a digest
 * are mispredicted: they took 150 ns of an accept key.
 */
function characters(group: u32): u32 {
  const sextets = (group >> 18) | ((group >> 4) & 0x3f00) | ((group << 10) & 0x3f0000) | ((group << 24) & 0x3f000000);
  // RFC 4648 §4, table 1: the characters go on from A, but for a step in front of each of a, 0, + and /.
  return (
    sextets +
    0x41414141 +
    from(sextets, 26) * (0x61 - 0x41 - 26) -
    from(sextets, 52) * (0x61 + 26 - 0x30) -
    from(sextets, 62) * (0x30 + 10 - 0x2b) +
    from(sextets, 63) * (0x2f - 0x2b - 1)
  );
}

/** In each byte, 1 where the sextet is `least` or above, else 0. */
// @ts-ignore: decorator
@inline
function from(sextets: u32, least: u32): u32 {
  return ((sextets + (0x80 - least) * 0x01010101) >> 7) & 0x01010101;
}
