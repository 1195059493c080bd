import { SCRATCH } from "./layout";

const BLOCK_SIZE: u32 = 64;
const ROUNDS: u32 = 80;
const DIGEST_SIZE: u32 = 20;

// How SCRATCH is divided: the digest so far as native words, the words W(t) of the block at work, the padded end.
const DIGEST: usize = SCRATCH;
const SCHEDULE = DIGEST + DIGEST_SIZE;
const PADDED = SCHEDULE + ROUNDS * 4;

/** How much of SCRATCH is taken here. A caller that keeps something of its own there does so behind it. */
export const SHA1_SCRATCH_SIZE: u32 = DIGEST_SIZE + ROUNDS * 4 + 2 * BLOCK_SIZE;

/**
 * Writes the 20 bytes of the SHA-1 digest of `length` bytes at `at` to `out` (RFC 3174).
 *
 * It serves the opening handshake, over 60 bytes each time, so it is written to be small rather than fast.
 */
export function sha1(at: usize, length: u32, out: usize): void {
  // §6.1
  store<u32>(DIGEST, 0x67452301, 0);
  store<u32>(DIGEST, 0xefcdab89, 4);
  store<u32>(DIGEST, 0x98badcfe, 8);
  store<u32>(DIGEST, 0x10325476, 12);
  store<u32>(DIGEST, 0xc3d2e1f0, 16);

  const rest = length % BLOCK_SIZE;
  const whole = at + length - rest;
  for (let block = at; block < whole; block += BLOCK_SIZE) compress(block);

  // §4: a one bit, zeros, and the length in bits as eight bytes, up to a multiple of the block size.
  const padded = rest < BLOCK_SIZE - 8 ? BLOCK_SIZE : 2 * BLOCK_SIZE;
  for (let i: u32 = 0; i < padded; i++) store<u8>(PADDED + i, i < rest ? load<u8>(whole + i) : 0);
  store<u8>(PADDED + rest, 0x80);
  store<u32>(PADDED + padded - 8, bswap(length >> 29));
  store<u32>(PADDED + padded - 4, bswap(length << 3));
  for (let block: u32 = 0; block < padded; block += BLOCK_SIZE) compress(PADDED + block);

  for (let i: u32 = 0; i < DIGEST_SIZE; i += 4) store<u32>(out + i, bswap(load<u32>(DIGEST + i)), 0, 1);
}

/** §6.1, steps a to e: works one block of 64 bytes into the digest. */
function compress(block: usize): void {
  for (let t: u32 = 0; t < 16; t++) store<u32>(SCHEDULE + t * 4, bswap(load<u32>(block + t * 4, 0, 1)));
  for (let t: u32 = 16; t < ROUNDS; t++) {
    const w = SCHEDULE + t * 4;
    store<u32>(w, rotl(load<u32>(w - 12) ^ load<u32>(w - 32) ^ load<u32>(w - 56) ^ load<u32>(w - 64), 1));
  }
  let a = load<u32>(DIGEST, 0);
  let b = load<u32>(DIGEST, 4);
  let c = load<u32>(DIGEST, 8);
  let d = load<u32>(DIGEST, 12);
  let e = load<u32>(DIGEST, 16);
  for (let t: u32 = 0; t < ROUNDS; t++) {
    // §5: f(t; B, C, D) + K(t)
    let f: u32;
    if (t < 20) f = ((b & c) | (~b & d)) + 0x5a827999;
    else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
    else if (t < 60) f = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else f = (b ^ c ^ d) + 0xca62c1d6;
    const temp = rotl(a, 5) + f + e + load<u32>(SCHEDULE + t * 4);
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = temp;
  }
  store<u32>(DIGEST, load<u32>(DIGEST, 0) + a, 0);
  store<u32>(DIGEST, load<u32>(DIGEST, 4) + b, 4);
  store<u32>(DIGEST, load<u32>(DIGEST, 8) + c, 8);
  store<u32>(DIGEST, load<u32>(DIGEST, 12) + d, 12);
  store<u32>(DIGEST, load<u32>(DIGEST, 16) + e, 16);
}
