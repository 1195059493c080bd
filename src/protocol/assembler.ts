const SMALLEST = 1024;
const EMPTY = new Uint8Array(0);

/** Collects the pieces of a message that did not come whole, in memory that stays in proportion to what has come. */
export class Assembler {
  #bytes: Uint8Array = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds `piece`, of which a copy is taken; `left` bytes of the same frame are announced behind it. */
  append(piece: Uint8Array, left: number): void {
    const needed = this.#length + piece.length;
    if (needed > this.#bytes.length) {
      // Doubling keeps the cost linear; what the frame announces bounds it, so a whole frame fits exactly in the end.
      const doubled = Math.max(2 * this.#bytes.length, SMALLEST);
      const grown = new Uint8Array(Math.max(needed, Math.min(needed + left, doubled)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** The whole, in memory of its own and of its own size; the assembler is empty again. */
  take(): Uint8Array {
    const bytes = this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return bytes;
  }
}
