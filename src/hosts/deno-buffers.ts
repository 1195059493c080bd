/**
 * Memory that Deno's sockets share to read into and to write from. Whoever reads or writes with it owns it until that is
 * over.
 *
 * @module
 */
import { borrow, giveBack } from "./spare-memory.ts";

/** A little more than four messages of 16 KiB with their frames, so that they come in one read. */
export const LARGE = 131_072;
/** Large buffers that may wait for something to come. */
const MOST_WAITING = 128;

let reading = 0;

/** Whether another large buffer may be used for a read that may wait for long. */
export function mayWait(): boolean {
  return reading < MOST_WAITING;
}

export function borrowToRead(): Uint8Array {
  reading++;
  return borrow(LARGE);
}

export function giveBackRead(buffer: Uint8Array): void {
  reading--;
  giveBack(buffer);
}

/** Writes up to this size are staged beside each other, in so much; a larger one has a buffer of its own. */
export const SHORT_WRITE = 4096;
const STAGE_SIZE = 16_384;

/** What is written, copied out of linear memory. As a rule the system takes it at once, and the place serves again. */
export class Stage {
  readonly #bytes: Uint8Array;
  #used = 0;
  #writes = 0;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Where the next short write goes. */
  static #short = new Stage(borrow(STAGE_SIZE));

  /** One that has room for `length` bytes; undefined when that is to be had elsewhere. */
  static of(length: number): Stage | undefined {
    if (length > LARGE) return undefined;
    // A slow peer pins no more than twice what it has not taken.
    if (length > SHORT_WRITE) return new Stage(borrow(length));
    // Writes that are still under way keep the old one.
    if (Stage.#short.#used + length > STAGE_SIZE) Stage.#short = new Stage(borrow(STAGE_SIZE));
    return Stage.#short;
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
    if (this !== Stage.#short) giveBack(this.#bytes);
  }
}
