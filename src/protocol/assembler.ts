import type { Budget } from "./budget.ts";
import { free } from "./free.ts";

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
  /** Bytes that were taken from the budget, and of these the ones that no block was made of yet. */
  #held = 0;
  #unmade = 0;
  /** What the first frame that has bytes comes to: the whole message, unless others follow. */
  #firstFrame = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Adds a copy of `length` bytes that `source` has from `at` on; `left` bytes of the same frame are announced behind
   * them. Answers false, and adds nothing, when the budget has no room for them.
   */
  append(source: Uint8Array, at: number, length: number, left: number): boolean {
    if (this.#length === 0) this.#firstFrame = length + left;
    const needed = this.#length + length;
    if (needed > this.#held && !this.#hold(needed, needed + left)) return false;
    this.#length = needed;
    for (const end = at + length; at < end;) {
      if (this.#used === this.#block.length) this.#makeRoom();
      const part = Math.min(end - at, this.#block.length - this.#used);
      copy(source, at, part, this.#block, this.#used);
      this.#used += part;
      at += part;
    }
    return true;
  }

  /** Takes `needed` bytes in all from the budget, or more, when it has them. */
  #hold(needed: number, announced: number): boolean {
    // What the first frame announces bounds what is taken, so a message of one frame fits exactly in the end; no later
    // frame may, since many small ones would then each cost a copy of all before them.
    const isFirst = announced === this.#firstFrame;
    // Once half of it has come, memory for all of it is still in proportion.
    if (isFirst && 2 * needed >= announced && this.#budget.take(announced - this.#held)) {
      this.#held = announced;
      this.#unmade = 0;
      this.#gather(announced);
      return true;
    }
    const more = needed > BLOCK / 2 ? Math.ceil(needed / BLOCK) * BLOCK : Math.max(2 * needed, SMALLEST);
    const wanted = isFirst ? Math.min(more, announced) : more;
    const taken = [wanted, needed].find((bytes) => this.#budget.take(bytes - this.#held));
    if (taken === undefined) return false;
    this.#unmade += taken - this.#held;
    this.#held = taken;
    return true;
  }

  /** Has one block, of `length` bytes, with all that has come. */
  #gather(length: number): void {
    const whole = new Uint8Array(length);
    let at = 0;
    for (const block of this.#full ?? []) {
      whole.set(block, at);
      at += block.length;
      free(block);
    }
    whole.set(this.#block.subarray(0, this.#used), at);
    free(this.#block);
    this.#full = undefined;
    this.#block = whole;
    this.#used += at;
  }

  /** Has a larger block, or another one. */
  #makeRoom(): void {
    const block = this.#block;
    const isSmall = block.length < BLOCK;
    const length = Math.min(BLOCK, isSmall ? block.length + this.#unmade : this.#unmade);
    this.#block = new Uint8Array(length);
    if (isSmall) {
      this.#unmade -= length - block.length;
      this.#block.set(block);
    } else {
      this.#unmade -= length;
      (this.#full ??= []).push(block);
      this.#used = 0;
    }
  }

  /** The whole, in memory of its own and of its own size; the assembler is empty again. */
  take(): Uint8Array {
    if (this.#full) this.#gather(this.#length);
    // EMPTY stays here: whoever is handed an array may transfer its buffer away.
    const isExact = this.#used === this.#block.length && this.#used > 0;
    const bytes = isExact ? this.#block : this.#block.slice(0, this.#used);
    this.drop();
    return bytes;
  }

  /** Forgets what was collected. */
  drop(): void {
    this.#budget.give(this.#held);
    this.#held = 0;
    this.#unmade = 0;
    this.#full = undefined;
    this.#block = EMPTY;
    this.#used = 0;
    this.#length = 0;
  }
}

/** Up to this many bytes a loop takes less time than the view that `set` needs. */
const FEW = 24;

function copy(source: Uint8Array, at: number, length: number, to: Uint8Array, offset: number): void {
  if (length > FEW) return to.set(source.subarray(at, at + length), offset);
  for (let i = 0; i < length; i++) to[offset + i] = source[at + i]!;
}
