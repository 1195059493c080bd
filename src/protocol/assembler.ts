import type { Budget } from "./budget.ts";

const SMALLEST = 1024;
const EMPTY = new Uint8Array(0);

/** Collects the pieces of a message that did not come whole, in memory that stays in proportion to what has come. */
export class Assembler {
  readonly #budget: Budget;
  #bytes: Uint8Array = EMPTY;
  #length = 0;
  /** What the first frame that has bytes comes to: the whole message, unless others follow. */
  #firstFrame = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Adds `piece`, of which a copy is taken; `left` bytes of the same frame are announced behind it. Answers false, and
   * adds nothing, when the budget has no room for it.
   */
  append(piece: Uint8Array, left: number): boolean {
    const needed = this.#length + piece.length;
    if (this.#length === 0) this.#firstFrame = needed + left;
    if (needed > this.#bytes.length) {
      // Doubling keeps the cost linear. What the first frame announces bounds it, so a message of one frame fits exactly
      // in the end; no later frame may, since many small ones would then each cost a copy of all before them.
      const doubled = Math.max(2 * this.#bytes.length, SMALLEST);
      const bound = needed + left === this.#firstFrame ? this.#firstFrame : Infinity;
      const held = this.#bytes.length;
      let room = Math.max(needed, Math.min(bound, doubled));
      if (!this.#budget.take(room - held)) {
        room = needed;
        if (!this.#budget.take(room - held)) return false;
      }
      const grown = new Uint8Array(room);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
    return true;
  }

  /** The whole, in memory of its own and of its own size; the assembler is empty again. */
  take(): Uint8Array {
    // EMPTY stays here: whoever is handed an array may transfer its buffer away.
    const isExact = this.#length === this.#bytes.length && this.#length > 0;
    const bytes = isExact ? this.#bytes : this.#bytes.slice(0, this.#length);
    this.drop();
    return bytes;
  }

  /** Forgets what was collected. */
  drop(): void {
    this.#budget.give(this.#bytes.length);
    this.#bytes = EMPTY;
    this.#length = 0;
  }
}
