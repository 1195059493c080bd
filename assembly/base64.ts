const PAD: u32 = 0x3d; // =

/** Writes `length` bytes at `at` to `out` in base64, padded (RFC 4648 §4); answers how many characters that took. */
export function base64Encode(at: usize, length: u32, out: usize): u32 {
  const start = out;
  const end = at + length;
  while (at < end) {
    const left = <u32>(end - at);
    let group: u32 = (<u32>load<u8>(at)) << 16;
    if (left > 1) group |= (<u32>load<u8>(at, 1)) << 8;
    if (left > 2) group |= load<u8>(at, 2);
    // One byte fills two characters, two bytes fill three.
    for (let i: u32 = 0; i < 4; i++) store<u8>(out + i, i > left ? PAD : character((group >> (18 - 6 * i)) & 63));
    at += 3;
    out += 4;
  }
  return <u32>(out - start);
}

/** RFC 4648 §4, table 1. */
function character(sextet: u32): u32 {
  if (sextet < 26) return 0x41 + sextet; // A to Z
  if (sextet < 52) return 0x61 - 26 + sextet; // a to z
  if (sextet < 62) return 0x30 - 52 + sextet; // 0 to 9
  return sextet == 62 ? 0x2b : 0x2f; // + and /
}
