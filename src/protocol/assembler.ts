import type { Budget } from "./budget.ts";

const SMALLEST = 1024;
/**
 * From this size on memory grows by further blocks, not by larger ones: a block of 64 KiB is soon used again, while a
 * larger one costs the system more than all that is done with it.
 */
const BLOCK = 65536;
const EMPTY = new Uint8Array(0);

/** Collects the pieces of a message that did not come whole, in memory that stays in proportion to what has come. */
export class Assembler {
  readonly #budget: Budget;
  /** The blocks before the latest one, filled. */
  #full: Uint8Array[] | undefined;
  #block: Uint8Array = EMPTY;
  #used = 0;
  #length = 0;
  /** Bytes of all blocks, taken from the budget. */
  #held = 0;
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
    const { length } = piece;
    if (this.#length === 0) this.#firstFrame = length + left;
    if (this.#used + length > this.#block.length) {
      // What the first frame announces bounds what is taken, so a message of one frame fits exactly in the end; no later
      // frame may, since many small ones would then each cost a copy of all before them.
      const bound = this.#length + length + left === this.#firstFrame ? length + left : Infinity;
      if (this.#block.length >= BLOCK) return this.#goOnInAnother(piece, bound);
      if (!this.#grow(length, bound)) return false;
    }
    this.#block.set(piece, this.#used);
    this.#used += length;
    this.#length += length;
    return true;
  }

  /** Has a larger block for `needed` bytes more, of at most `bound` to come. Doubling keeps the cost linear. */
  #grow(needed: number, bound: number): boolean {
    const { length } = this.#block;
    const least = this.#used + needed;
    const room = Math.max(least, Math.min(this.#used + bound, Math.max(2 * length, SMALLEST)));
    const more = this.#take(room - length, least - length);
    if (more === 0) return false;
    const grown = new Uint8Array(length + more);
    grown.set(this.#block.subarray(0, this.#used));
    this.#block = grown;
    return true;
  }

  /** Fills the block with `piece`, and puts the rest of it into the next one. */
  #goOnInAnother(piece: Uint8Array, bound: number): boolean {
    const fits = this.#block.length - this.#used;
    const rest = piece.length - fits;
    const room = this.#take(Math.max(rest, Math.min(bound - fits, BLOCK)), rest);
    if (room === 0) return false;
    this.#block.set(piece.subarray(0, fits), this.#used);
    (this.#full ??= []).push(this.#block);
    this.#block = new Uint8Array(room);
    this.#block.set(piece.subarray(fits));
    this.#used = rest;
    this.#length += piece.length;
    return true;
  }

  /** Takes `wanted` bytes from the budget, else `least`; answers how many. */
  #take(wanted: number, least: number): number {
    const taken = [wanted, least].find((bytes) => this.#budget.take(bytes)) ?? 0;
    this.#held += taken;
    return taken;
  }

  /** The whole, in memory of its own and of its own size; the assembler is empty again. */
  take(): Uint8Array {
    const last = this.#block.subarray(0, this.#used);
    let bytes: Uint8Array;
    if (this.#full) {
      bytes = new Uint8Array(this.#length);
      let at = 0;
      for (const block of [...this.#full, last]) {
        bytes.set(block, at);
        at += block.length;
      }
    } else {
      // EMPTY stays here: whoever is handed an array may transfer its buffer away.
      const isExact = this.#used === this.#block.length && this.#used > 0;
      bytes = isExact ? this.#block : last.slice();
    }
    this.drop();
    return bytes;
  }

  /** Forgets what was collected. */
  drop(): void {
    this.#budget.give(this.#held);
    this.#held = 0;
    this.#full = undefined;
    this.#block = EMPTY;
    this.#used = 0;
    this.#length = 0;
  }
}
