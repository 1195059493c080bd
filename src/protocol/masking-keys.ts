/** Fills `bytes` from the platform's cryptographically strong generator. */
type RandomFill = (bytes: Uint8Array) => void;

const POOL_WORDS = 1024;

/**
 * A source of masking keys (RFC 6455 §5.3, §10.3): unpredictable, each used once. The pool spares a call into the
 * generator for each frame.
 */
export function maskingKeys(random: RandomFill): () => number {
  const pool = new Int32Array(POOL_WORDS);
  const bytes = new Uint8Array(pool.buffer);
  let used = POOL_WORDS;
  return () => {
    if (used === POOL_WORDS) {
      random(bytes);
      used = 0;
    }
    return pool[used++]!;
  };
}
