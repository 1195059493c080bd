/**
 * Deflating: one compressed stream after the other, or a connection's messages, each on the shared module.
 *
 * @module
 */
import {
  DEFLATE_BIT_COUNT,
  DEFLATE_BITS,
  DEFLATE_END,
  DEFLATE_IN,
  DEFLATE_IN_SIZE,
  DEFLATE_OUT,
  FLUSH_FINISH,
  FLUSH_NONE,
  FLUSH_SYNC,
} from "../../assembly/deflate/layout.ts";
import { typeError } from "../errors.ts";
import { toBytes } from "../protocol/data.ts";
import { checkOptions, integer } from "../protocol/options.ts";
import { defaultModule, isModule, joined, lengthOf, roomFor, type DeflateModule, type Tenant } from "./module.ts";

export interface DeflateOptions {
  /** 0 (nothing is compressed), 1 (fast) to 9 (small). Default: 6. */
  readonly level?: number;
  /** How far back a match may reach: 2^windowBits bytes, which the receiver must keep. 8 to 15. Default: 15. */
  readonly windowBits?: number;
  /**
   * How much of the window is kept while another stream has the module, 2^takeoverBits bytes: a little costs a little. 8
   * to 15. Default: `windowBits`.
   */
  readonly takeoverBits?: number;
  /** The instance to use. Default: the one that the process shares. */
  readonly module?: DeflateModule;
}

const optionChecks = {
  level: integer(0, 9),
  windowBits: integer(8, 15),
  takeoverBits: integer(8, 15),
  module: isModule,
};

const EMPTY: Uint8Array = new Uint8Array(0);
const END = DEFLATE_END / 4;
const BITS = DEFLATE_BITS / 4;
const BIT_COUNT = DEFLATE_BIT_COUNT / 4;
const IN_END = DEFLATE_IN + DEFLATE_IN_SIZE;

/** The most that the module takes at once. */
const MAX_INPUT = 65536;

/** How long the end of a sync flush is that every message goes without (RFC 7692 §7.2.1). */
const TAIL_LENGTH = 4;

/**
 * Deflates into one raw DEFLATE stream (RFC 1951). It holds its window, and what it has not compressed yet (less than
 * 64 KiB), only once another stream has the module; {@link close} lets go of them.
 */
export class Deflater implements Tenant {
  readonly #module: DeflateModule;
  readonly #level: number;
  /** How far back a match may reach: 2^windowBits bytes. */
  readonly windowBits: number;
  /** Bytes of the window to keep. */
  readonly #most: number;
  /** What it left with, when another's turn came: the window, then what is not compressed yet. */
  #saved = EMPTY;
  #savedLength = 0;
  #bits = 0;
  #bitCount = 0;
  /** How many bytes behind the window are not compressed yet. */
  #waiting = 0;
  #isOver = false;

  /** @throws {TypeError | RangeError} ERR_OPTION_* for an option that is unknown or not acceptable. */
  constructor(options: DeflateOptions = {}) {
    checkOptions(options, optionChecks);
    this.#level = options.level ?? 6;
    this.windowBits = options.windowBits ?? 15;
    this.#most = 2 ** Math.min(this.windowBits, options.takeoverBits ?? this.windowBits);
    this.#module = options.module ?? defaultModule;
  }

  /**
   * Takes the next bytes, and answers what is compressed by now, in memory of its own: mostly nothing, because what is
   * short waits for more.
   *
   * @throws {TypeError} ERR_STATE once it is finished or closed.
   */
  write(bytes: Uint8Array | ArrayBuffer | ArrayBufferView): Uint8Array {
    return joined(this.#feed(toBytes(bytes), FLUSH_NONE));
  }

  /**
   * Compresses all that was written, up to a whole byte, so that the receiver has all of it (it ends in 00 00 ff ff).
   *
   * @throws {TypeError} ERR_STATE once it is finished or closed.
   */
  flush(): Uint8Array {
    return joined(this.#feed(EMPTY, FLUSH_SYNC));
  }

  /**
   * Ends the stream. Nothing can be written any more.
   *
   * @throws {TypeError} ERR_STATE once it is finished or closed.
   */
  finish(): Uint8Array {
    const output = joined(this.#feed(EMPTY, FLUSH_FINISH));
    this.close();
    return output;
  }

  /**
   * One message of permessage-deflate, whole (RFC 7692 §7.2.1), or `undefined` when it would not become shorter: then it
   * is as if it had never been given. It begins where the last one, or a flush, ended.
   *
   * @internal
   */
  message(bytes: Uint8Array): Uint8Array | undefined {
    this.#enter();
    const { exports, words } = this.#module;
    // As long as the window does not slide, the message can be taken back where it lies.
    if (words[END]! + bytes.length > IN_END) exports.deflateSlide();
    const end = words[END]!;
    const window = end + bytes.length > IN_END ? this.#module.memory.slice(this.#windowStart(), end) : undefined;
    const pieces = this.#feed(bytes, FLUSH_SYNC, TAIL_LENGTH);
    if (lengthOf(pieces) < bytes.length) return joined(pieces);
    if (window) {
      this.reset();
      this.#saved = window;
      this.#savedLength = window.length;
    } else words[END] = end;
    return undefined;
  }

  /**
   * The next piece of a message that is sent in fragments, flushed. Nothing of it can be taken back.
   *
   * @internal
   */
  fragment(bytes: Uint8Array, isLast: boolean): Uint8Array {
    return joined(this.#feed(bytes, FLUSH_SYNC, isLast ? TAIL_LENGTH : 0));
  }

  /** Forgets the window, and whatever was written and not flushed: the next bytes begin another stream. */
  reset(): void {
    if (this.#module.deflating === this) this.#module.deflating = undefined;
    this.#saved = EMPTY;
    this.#savedLength = 0;
    this.#bits = 0;
    this.#bitCount = 0;
    this.#waiting = 0;
  }

  /** Lets go of all memory. Nothing can be written any more. */
  close(): void {
    this.reset();
    this.#isOver = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Another stream's turn has come. @internal */
  leave(): void {
    const { memory, words } = this.#module;
    const start = this.#windowStart();
    const end = words[END]! + this.#waiting;
    const length = end - start;
    if (this.#saved.length < length) this.#saved = roomFor(length, this.#most);
    this.#saved.set(memory.subarray(start, end));
    this.#savedLength = length;
    this.#bits = words[BITS]!;
    this.#bitCount = words[BIT_COUNT]!;
  }

  #enter(): void {
    if (this.#isOver) throw typeError("ERR_STATE", "This Deflater was finished or closed; make a new one.");
    const { exports, memory, words } = this.#module;
    if (this.#module.deflating === this) return;
    this.#module.deflating?.leave();
    this.#module.deflating = this;
    memory.set(this.#saved.subarray(0, this.#savedLength), DEFLATE_IN);
    exports.deflateOpen(this.#savedLength - this.#waiting, this.windowBits, this.#level);
    words[BITS] = this.#bits;
    words[BIT_COUNT] = this.#bitCount;
  }

  #windowStart(): number {
    return Math.max(DEFLATE_IN, this.#module.words[END]! - this.#most);
  }

  /** Takes all the bytes, and answers the pieces of output; the last is without `without` bytes at its end. */
  #feed(bytes: Uint8Array, flush: number, without = 0): Uint8Array[] {
    this.#enter();
    const { exports, memory, words } = this.#module;
    const pieces: Uint8Array[] = [];
    for (let at = 0; ;) {
      // Where pieces are gathered, there must be room for a whole block, lest they be cut into short ones.
      const need = flush === FLUSH_NONE ? MAX_INPUT : Math.min(bytes.length - at, MAX_INPUT);
      if (this.#waiting === 0 && words[END]! + need > IN_END) exports.deflateSlide();
      const end = words[END]! + this.#waiting;
      const next = Math.min(bytes.length, at + MAX_INPUT - this.#waiting, at + IN_END - end);
      memory.set(at === 0 && next === bytes.length ? bytes : bytes.subarray(at, next), end);
      this.#waiting += next - at;
      at = next;
      if (at === bytes.length) break;
      this.#deflate(FLUSH_NONE, 0, pieces);
    }
    if (flush !== FLUSH_NONE) this.#deflate(flush, without, pieces);
    return pieces;
  }

  #deflate(flush: number, without: number, pieces: Uint8Array[]): void {
    const { exports, memory } = this.#module;
    const size = exports.deflate(this.#waiting, flush);
    this.#waiting = 0;
    pieces.push(memory.slice(DEFLATE_OUT, DEFLATE_OUT + size - without));
  }
}

/** Deflates all of `bytes` into one raw DEFLATE stream, like a {@link Deflater} that is given nothing else. */
export function deflate(bytes: Uint8Array | ArrayBuffer | ArrayBufferView, options?: DeflateOptions): Uint8Array {
  const deflater = new Deflater(options);
  const head = deflater.write(bytes);
  return joined([head, deflater.finish()]);
}
