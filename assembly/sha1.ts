import { SCRATCH } from "./layout";

const BLOCK_SIZE: u32 = 64;
const ROUNDS: u32 = 80;
const DIGEST_SIZE: u32 = 20;

// How the first half of SCRATCH is divided: the digest so far as native words, the words W(t) of the block at work, and
// those of the last block that was padding alone.
const DIGEST: usize = SCRATCH;
const WORDS = DIGEST + DIGEST_SIZE;
const PADDING = WORDS + ROUNDS * 4;

/**
 * Writes the 20 bytes of the SHA-1 digest of `length` bytes at `at` to `out` (RFC 3174). Up to four bytes behind the
 * message are read, and left out of account.
 */
export function sha1(at: usize, length: u32, out: usize): void {
  // §6.1
  store<u32>(DIGEST, 0x67452301, 0);
  store<u32>(DIGEST, 0xefcdab89, 4);
  store<u32>(DIGEST, 0x98badcfe, 8);
  store<u32>(DIGEST, 0x10325476, 12);
  store<u32>(DIGEST, 0xc3d2e1f0, 16);

  // §4: the message is padded by a one bit, zeros, and its length in bits as two words, up to the end of a block.
  const end = (length + 1 + 8 + BLOCK_SIZE - 1) & -BLOCK_SIZE;
  for (let from: u32 = 0; from < end; from += BLOCK_SIZE) {
    const words = from <= length ? WORDS : PADDING;
    // A block that is padding alone depends on the length alone: that of the accept key is made once.
    if (words == WORDS || load<u32>(PADDING, BLOCK_SIZE - 4) != length << 3) {
      for (let i: u32 = 0; i < BLOCK_SIZE; i += 4) {
        store<u32>(words + i, word(at + from + i, length - from - i));
      }
      if (from + BLOCK_SIZE == end) {
        store<u32>(words, length >> 29, BLOCK_SIZE - 8);
        store<u32>(words, length << 3, BLOCK_SIZE - 4);
      }
      extend(words);
    }
    compress(words);
  }

  for (let i: u32 = 0; i < DIGEST_SIZE; i += 4) store<u32>(out + i, bswap(load<u32>(DIGEST + i)), 0, 1);
}

/** The word at `at`, of which `left` bytes are of the message: less than four where it ends, and less than none behind. */
// @ts-ignore: decorator
@inline
function word(at: usize, left: i32): u32 {
  if (left < 0) return 0;
  const word = bswap(load<u32>(at, 0, 1));
  if (left > 3) return word;
  const bits = left * 8;
  return (word & ~(<u32>-1 >> bits)) | (0x80000000 >> bits);
}

/** §6.1, step b: W(16) to W(79). */
function extend(words: usize): void {
  let w = words;
  do {
    store<u32>(w, rotl(load<u32>(w, 0) ^ load<u32>(w, 8) ^ load<u32>(w, 32) ^ load<u32>(w, 52), 1), 64);
    w += 4;
  } while (w < words + (ROUNDS - 16) * 4);
}

/** §6.1, steps c to e: works the block whose eighty words lie at `words` into the digest. */
function compress(words: usize): void {
  let a = load<u32>(DIGEST, 0);
  let b = load<u32>(DIGEST, 4);
  let c = load<u32>(DIGEST, 8);
  let d = load<u32>(DIGEST, 12);
  let e = load<u32>(DIGEST, 16);
  let w = words;
  // f(t; B, C, D) and K(t) (§5) change every twenty rounds. A sum takes last what is known last, and the loops test at
  // their ends, each for a twentieth of the time.
  do {
    const temp = rotl(a, 5) + ((d ^ (b & (c ^ d))) + (e + load<u32>(w) + 0x5a827999));
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = temp;
    w += 4;
  } while (w < words + 20 * 4);
  do {
    const temp = rotl(a, 5) + ((b ^ c ^ d) + (e + load<u32>(w) + 0x6ed9eba1));
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = temp;
    w += 4;
  } while (w < words + 40 * 4);
  do {
    const temp = rotl(a, 5) + (((b & c) + (d & (b ^ c))) + (e + load<u32>(w) + 0x8f1bbcdc));
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = temp;
    w += 4;
  } while (w < words + 60 * 4);
  do {
    const temp = rotl(a, 5) + ((b ^ c ^ d) + (e + load<u32>(w) + 0xca62c1d6));
    e = d;
    d = c;
    c = rotl(b, 30);
    b = a;
    a = temp;
    w += 4;
  } while (w < words + ROUNDS * 4);
  store<u32>(DIGEST, load<u32>(DIGEST, 0) + a, 0);
  store<u32>(DIGEST, load<u32>(DIGEST, 4) + b, 4);
  store<u32>(DIGEST, load<u32>(DIGEST, 8) + c, 8);
  store<u32>(DIGEST, load<u32>(DIGEST, 12) + d, 12);
  store<u32>(DIGEST, load<u32>(DIGEST, 16) + e, 16);
}
