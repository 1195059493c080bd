/**
 * Inflating: one compressed stream after the other, or a connection's messages, each on the shared module.
 *
 * @module
 */
import {
  INFLATE_BAD_BLOCK,
  INFLATE_BAD_CODE,
  INFLATE_BAD_DISTANCE,
  INFLATE_BAD_STORED,
  INFLATE_BETWEEN,
  INFLATE_CURSOR,
  INFLATE_END,
  INFLATE_FINAL,
  INFLATE_IN,
  INFLATE_IN_SIZE,
  INFLATE_NEEDS_ROOM,
  INFLATE_OUT,
  INFLATE_OUT_SIZE,
  INFLATE_STATE,
  INFLATE_STATE_SIZE,
} from "../../assembly/deflate/layout.ts";
import { DataError, typeError } from "../errors.ts";
import { toBytes } from "../protocol/data.ts";
import { amount, checkOptions, integer } from "../protocol/options.ts";
import { defaultModule, isModule, joined, roomFor, type DeflateModule, type Tenant } from "./module.ts";

export interface InflateOptions {
  /** How far back a match may reach: 2^windowBits bytes. 8 to 15. Default: 15, which takes every stream. */
  readonly windowBits?: number;
  /** Bytes that may come out in all, so that a small input cannot fill the memory. Default: 2^53, no limit. */
  readonly maxLength?: number;
  /** The instance to use. Default: the one that the process shares. */
  readonly module?: DeflateModule;
}

const optionChecks = {
  windowBits: integer(8, 15),
  maxLength: amount,
  module: isModule,
};

const EMPTY: Uint8Array = new Uint8Array(0);
const CURSOR = INFLATE_CURSOR / 4;
const END = INFLATE_END / 4;
const BETWEEN = INFLATE_BETWEEN / 4;
const OUT_END = INFLATE_OUT + INFLATE_OUT_SIZE;

/** What every message lacks at its end (RFC 7692 §7.2.2). */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

const wrong: Readonly<Record<number, string>> = {
  [INFLATE_BAD_BLOCK]: "a block of no known type (RFC 1951 §3.2.3)",
  [INFLATE_BAD_STORED]: "a stored block whose two lengths differ (RFC 1951 §3.2.4)",
  [INFLATE_BAD_CODE]: "a Huffman code that is none (RFC 1951 §3.2)",
  [INFLATE_BAD_DISTANCE]: "a match from before the window (RFC 1951 §3.2.3)",
};

/**
 * Inflates one raw DEFLATE stream (RFC 1951), however it is cut. Once another stream has had the module in between it
 * holds 2^windowBits bytes at most, and in the middle of a block its codes too; {@link reset} and {@link close} let go
 * of them.
 *
 * After an error it is broken: every further call throws ERR_STATE.
 */
export class Inflater implements Tenant {
  readonly #module: DeflateModule;
  readonly #windowBits: number;
  readonly #maxLength: number;
  /** Where it puts its window when another's turn comes, and how long that was then. */
  #window = EMPTY;
  #history = 0;
  #state: Uint8Array | undefined;
  /** Bytes that have come out so far. */
  #length = 0;
  #isBroken = false;
  #isFinished = false;
  #unused = EMPTY;

  /** @throws {TypeError | RangeError} ERR_OPTION_* for an option that is unknown or not acceptable. */
  constructor(options: InflateOptions = {}) {
    checkOptions(options, optionChecks);
    this.#windowBits = options.windowBits ?? 15;
    this.#maxLength = options.maxLength ?? 2 ** 53;
    this.#module = options.module ?? defaultModule;
  }

  /** The final block has come to its end. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** What was written behind the final block, in memory of its own. */
  get unused(): Uint8Array {
    return this.#unused;
  }

  /**
   * Takes the next bytes, and answers what came out of them, in memory of its own.
   *
   * @throws {DataError} ERR_INVALID_DATA for what is no DEFLATE, ERR_TOO_LONG for the first byte over `maxLength`.
   * @throws {TypeError} ERR_STATE once it is finished, broken or closed.
   */
  write(bytes: Uint8Array | ArrayBuffer | ArrayBufferView): Uint8Array {
    const input = toBytes(bytes);
    this.#usable();
    if (this.#isFinished) throw typeError("ERR_STATE", "The stream is finished: nothing belongs to it any more.");
    const output = new Output(this.#maxLength - this.#length);
    const read = this.#feed(input, output);
    if (this.#isFinished) {
      this.#unused = new Uint8Array(input.subarray(read));
      this.reset();
    }
    this.#length += output.length;
    return output.take();
  }

  /** @throws {DataError} ERR_INVALID_DATA when the stream has not come to the end of its final block. */
  end(): void {
    this.#usable();
    if (!this.#isFinished) this.#fail("the stream ends before its final block does");
  }

  /**
   * One message of permessage-deflate, whole (RFC 7692 §7.2.2). The window goes on to the next, unless {@link reset} is
   * called between them. `maxLength` is this message's; the option counts for nothing here.
   *
   * @throws {DataError} ERR_INVALID_DATA, also for a message that ends inside of a block; ERR_TOO_LONG.
   * @internal
   */
  message(bytes: Uint8Array, maxLength: number): Uint8Array {
    this.#usable();
    // Not what §7.2.3.6 has, but compressors that were given nothing may say nothing.
    if (bytes.length === 0) return new Uint8Array(0);
    this.#enter();
    const { memory, words } = this.#module;
    const output = new Output(maxLength);
    let at = 0;
    do {
      const isLast = bytes.length - at <= INFLATE_IN_SIZE - TAIL.length;
      const piece = isLast && at === 0 ? bytes : bytes.subarray(at, isLast ? bytes.length : at + INFLATE_IN_SIZE);
      memory.set(piece, INFLATE_IN);
      if (isLast) memory.set(TAIL, INFLATE_IN + piece.length);
      at += this.#inflate(piece.length + (isLast ? TAIL.length : 0), output);
      // A message may end with a final block, and with no empty one behind it (§7.2.3.4 has one there).
    } while (at < bytes.length || (at === bytes.length && !this.#isFinished));
    this.#isFinished = false;
    const isInTail = at > bytes.length && at < bytes.length + TAIL.length;
    if (words[BETWEEN] !== 1 || isInTail) this.#fail("the message ends inside of a block");
    return output.take();
  }

  /** Forgets the window, and whatever the stream was in the middle of: the next bytes begin another. */
  reset(): void {
    if (this.#module.inflating === this) this.#module.inflating = undefined;
    this.#window = EMPTY;
    this.#history = 0;
    this.#state = undefined;
  }

  /** Lets go of all memory. Nothing can be written any more. */
  close(): void {
    this.reset();
    this.#isBroken = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Another stream's turn has come. @internal */
  leave(): void {
    const { memory, words } = this.#module;
    const end = words[END]!;
    const start = Math.max(INFLATE_OUT, end - 2 ** this.#windowBits);
    this.#history = end - start;
    // To take new memory each time costs more than to copy.
    if (this.#history > this.#window.length) this.#window = roomFor(this.#history, 2 ** this.#windowBits);
    this.#window.set(memory.subarray(start, end));
    if (words[BETWEEN] !== 1) this.#state = memory.slice(INFLATE_STATE, INFLATE_STATE + INFLATE_STATE_SIZE);
  }

  #enter(): void {
    const { exports, memory, words } = this.#module;
    if (this.#module.inflating === this) return;
    this.#module.inflating?.leave();
    this.#module.inflating = this;
    const history = this.#history;
    memory.set(history === this.#window.length ? this.#window : this.#window.subarray(0, history), INFLATE_OUT);
    exports.inflateOpen(history, this.#windowBits);
    if (this.#state) {
      memory.set(this.#state, INFLATE_STATE);
      words[END] = INFLATE_OUT + history;
    }
    this.#state = undefined;
  }

  /** Inflates to the end of the bytes or of a final block, and answers how many it has read. */
  #feed(bytes: Uint8Array, output: Output): number {
    this.#enter();
    const { memory } = this.#module;
    for (let at = 0; at < bytes.length; at += INFLATE_IN_SIZE) {
      const piece = bytes.length <= INFLATE_IN_SIZE ? bytes : bytes.subarray(at, at + INFLATE_IN_SIZE);
      memory.set(piece, INFLATE_IN);
      const read = this.#inflate(piece.length, output);
      if (this.#isFinished) return at + read;
    }
    return bytes.length;
  }

  /** The same for what lies at INFLATE_IN. */
  #inflate(length: number, output: Output): number {
    const { exports, memory, words } = this.#module;
    words[CURSOR] = INFLATE_IN;
    for (;;) {
      const from = words[END]!;
      // One byte over the limit is let through to see it.
      const room = Math.min(OUT_END, from + output.most - output.length + 1);
      const status = exports.inflate(INFLATE_IN + length, room);
      if (status > INFLATE_FINAL) this.#fail(wrong[status]!);
      const end = words[END]!;
      if (output.length + end - from > output.most) {
        this.close();
        throw new DataError("ERR_TOO_LONG", `More than ${output.most} bytes come out of this; set maxLength higher.`);
      }
      if (end > from) output.add(memory.slice(from, end));
      if (status === INFLATE_NEEDS_ROOM) exports.inflateSlide();
      else {
        this.#isFinished = status === INFLATE_FINAL;
        return words[CURSOR] - INFLATE_IN;
      }
    }
  }

  #usable(): void {
    if (this.#isBroken) throw typeError("ERR_STATE", "This Inflater was closed, or failed before; make a new one.");
  }

  #fail(what: string): never {
    this.close();
    throw new DataError("ERR_INVALID_DATA", `This cannot be inflated: ${what}. Is it raw DEFLATE, and whole?`);
  }
}

/** What came out: seldom more than one piece. */
class Output {
  /** How many bytes may come. */
  readonly most: number;
  length = 0;
  #pieces: Uint8Array[] | undefined;
  #first: Uint8Array | undefined;

  constructor(most: number) {
    this.most = most;
  }

  add(piece: Uint8Array): void {
    this.length += piece.length;
    if (!this.#first) this.#first = piece;
    else (this.#pieces ??= []).push(piece);
  }

  take(): Uint8Array {
    if (!this.#first) return new Uint8Array(0);
    return this.#pieces ? joined([this.#first, ...this.#pieces]) : this.#first;
  }
}

/**
 * Inflates one raw DEFLATE stream that lies here whole, like an {@link Inflater} over one piece. Bytes behind its final
 * block are left out.
 *
 * @throws {DataError} ERR_INVALID_DATA for what is no DEFLATE or not whole, ERR_TOO_LONG for the first byte over
 * `maxLength`.
 */
export function inflate(bytes: Uint8Array | ArrayBuffer | ArrayBufferView, options?: InflateOptions): Uint8Array {
  const inflater = new Inflater(options);
  try {
    const output = inflater.write(bytes);
    inflater.end();
    return output;
  } finally {
    inflater.close();
  }
}
