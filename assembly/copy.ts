/** Copies `length` bytes from `from` to `to`, which is not within them. */
export function copy(to: usize, from: usize, length: u32): void {
  const end = from + length;
  if (ASC_FEATURE_SIMD) for (; from + 16 <= end; from += 16, to += 16) v128.store(to, v128.load(from, 0, 1), 0, 1);
  for (; from + 4 <= end; from += 4, to += 4) store<u32>(to, load<u32>(from, 0, 1), 0, 1);
  for (; from < end; from++, to++) store<u8>(to, load<u8>(from));
}
