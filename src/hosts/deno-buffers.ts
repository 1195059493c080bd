/**
 * Memory that Deno's sockets share to read into and to write from. Whoever reads or writes with it owns it until that is
 * over.
 *
 * @module
 */

/** A little more than four messages of 16 KiB with their frames, so that they come in one read. */
export const LARGE = 131_072;
/** Large buffers that may wait for something to come. */
const MOST_WAITING = 128;
const MOST_SPARE = 32;

const spare: Uint8Array[] = [];
let reading = 0;

/** Whether another large buffer may be used for a read that may wait for long. */
export function mayWait(): boolean {
  return reading < MOST_WAITING;
}

export function borrowToRead(): Uint8Array {
  reading++;
  return borrow();
}

export function giveBackRead(buffer: Uint8Array): void {
  reading--;
  giveBack(buffer);
}

export function borrow(): Uint8Array {
  return spare.pop() ?? new Uint8Array(LARGE);
}

export function giveBack(buffer: Uint8Array): void {
  if (spare.length < MOST_SPARE) spare.push(buffer);
}

/** Writes up to this size are staged beside each other, in so much; a larger one has a buffer of its own. */
export const SHORT_WRITE = 4096;
const STAGE_SIZE = 16_384;
/** Writes that may have a large buffer at a time; others get memory of their size, so that slow peers pin little. */
const MOST_STAGED = 64;

let staged = 0;

/** What is written, copied out of linear memory. As a rule the system takes it at once, and the place serves again. */
export class Stage {
  readonly #bytes: Uint8Array;
  #used = 0;
  #writes = 0;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static #short = new Stage(new Uint8Array(STAGE_SIZE));

  /** One that has room for `length` bytes; undefined when that is to be had elsewhere. */
  static of(length: number): Stage | undefined {
    if (length <= SHORT_WRITE) {
      const short = Stage.#short;
      if (short.#used + length <= STAGE_SIZE) return short;
      // Writes that are still under way keep the old one.
      return (Stage.#short = new Stage(new Uint8Array(STAGE_SIZE)));
    }
    if (length > LARGE || staged >= MOST_STAGED) return undefined;
    staged++;
    return new Stage(borrow());
  }

  /** The bytes of `memory` from `from` to `to`, here until {@link free}. */
  copy(memory: Uint8Array, from: number, to: number): Uint8Array {
    const at = this.#used;
    this.#writes++;
    this.#used += to - from;
    this.#bytes.set(memory.subarray(from, to), at);
    return this.#bytes.subarray(at, this.#used);
  }

  /** One of the writes is over. */
  free(): void {
    if (--this.#writes > 0) return;
    this.#used = 0;
    if (this.#bytes.length !== LARGE) return;
    staged--;
    giveBack(this.#bytes);
  }
}
