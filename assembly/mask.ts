/**
 * Masks or unmasks `length` bytes at `at`, in place (RFC 6455 §5.3: octet i is combined with octet i mod 4 of the key).
 *
 * `maskingKey` is the key's four bytes as they lie on the wire, loaded as a little-endian word. `phase` is the payload
 * offset of the first byte modulo 4; the answer is the phase of the byte behind the last, so that a payload can be
 * worked through in pieces of any length.
 */
export function mask(at: usize, length: u32, maskingKey: u32, phase: u32): u32 {
  // Turned so that the byte at `at` meets the low byte of the key.
  const key = rotr(maskingKey, phase << 3);
  if (ASC_FEATURE_SIMD) maskBlocks(at, length, key);
  else maskWords(at, length, key);
  return (phase + length) & 3;
}

/**
 * Every length is covered by operations of one width, of which the outer ones may overlap their neighbours: they are
 * read before anything is written and written last, so the bytes they share are combined once. This spares short
 * payloads a loop over bytes.
 */
// @ts-ignore: decorator
@inline
function maskBlocks(at: usize, length: u32, key: u32): void {
  const end = at + length;
  if (length >= 16) {
    const last = end - 16;
    const head = v128.xor(v128.load(at, 0, 1), i32x4.splat(key));
    const tail = v128.xor(v128.load(last, 0, 1), i32x4.splat(rotr(key, length << 3)));
    // On aligned addresses, two at a time: 64 KiB take a quarter less time, and four at a time gain nothing more. The
    // first of them lies -at modulo 4 into the payload.
    const keys = i32x4.splat(rotl(key, <u32>at << 3));
    let block = (at + 16) & ~15;
    while (block + 16 < last) {
      v128.store(block, v128.xor(v128.load(block), keys));
      v128.store(block, v128.xor(v128.load(block, 16), keys), 16);
      block += 32;
    }
    if (block < last) v128.store(block, v128.xor(v128.load(block), keys));
    v128.store(at, head, 0, 1);
    v128.store(last, tail, 0, 1);
  } else if (length >= 8) {
    const last = end - 8;
    const head = load<u64>(at, 0, 1) ^ twice(key);
    const tail = load<u64>(last, 0, 1) ^ twice(rotr(key, length << 3));
    store<u64>(at, head, 0, 1);
    store<u64>(last, tail, 0, 1);
  } else if (length >= 4) {
    const last = end - 4;
    const head = load<u32>(at, 0, 1) ^ key;
    const tail = load<u32>(last, 0, 1) ^ rotr(key, length << 3);
    store<u32>(at, head, 0, 1);
    store<u32>(last, tail, 0, 1);
  } else {
    maskBytes(at, end, key);
  }
}

// @ts-ignore: decorator
@inline
function twice(key: u32): u64 {
  return ((<u64>key) << 32) | key;
}

/** Aligned words between single bytes: plain JavaScript has no unaligned access to a word. */
// @ts-ignore: decorator
@inline
function maskWords(at: usize, length: u32, key: u32): void {
  const end = at + length;
  const aligned = min((at + 3) & ~3, end);
  maskBytes(at, aligned, key);
  key = rotr(key, <u32>(aligned - at) << 3);
  at = aligned;
  const words = at + ((end - at) & ~3);
  while (at + 12 < words) {
    store<u32>(at, load<u32>(at) ^ key);
    store<u32>(at, load<u32>(at, 4) ^ key, 4);
    store<u32>(at, load<u32>(at, 8) ^ key, 8);
    store<u32>(at, load<u32>(at, 12) ^ key, 12);
    at += 16;
  }
  while (at < words) {
    store<u32>(at, load<u32>(at) ^ key);
    at += 4;
  }
  maskBytes(at, end, key);
}

/** At most three bytes, so the key needs no turning back. */
// @ts-ignore: decorator
@inline
function maskBytes(at: usize, end: usize, key: u32): void {
  while (at < end) {
    store<u8>(at, load<u8>(at) ^ key);
    key >>= 8;
    at++;
  }
}
