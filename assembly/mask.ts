/** RFC 6455 §5.3. Masks or unmasks in place; answers the phase of the byte behind. */
export function mask(at: usize, length: u32, maskingKey: u32, phase: u32): u32 {
  const end = at + length;
  let key = rotr(maskingKey, phase << 3);
  while (at < end) {
    store<u8>(at, load<u8>(at) ^ <u8>key);
    key = rotr(key, 8);
    at++;
  }
  return (phase + length) & 3;
}
