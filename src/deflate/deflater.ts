/**
 * The compressing side of DEFLATE (RFC 1951): streams for everybody, messages for permessage-deflate (RFC 7692).
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
import { checkOptions, integer, unchecked } from "../protocol/options.ts";
import { defaultModule, type DeflateModule, type Tenant } from "./module.ts";

/** The most that `deflate` takes at once. */
const MAX_INPUT = 65536;
/** The four bytes at the end of a sync flush that a message goes without (RFC 7692 §7.2.1). */
const TAIL = 4;

const NOTHING: Uint8Array = new Uint8Array(0);

export interface DeflaterOptions {
  /** 0 (stored as it is), 1 (fast) to 9 (small). Default: 6. */
  readonly level?: number;
  /** How far back a match may reach, 8 to 15: 2^windowBits bytes, which the receiver must keep. Default: 15. */
  readonly windowBits?: number;
  /** The instance to use. Default: the one that the process shares. */
  readonly module?: DeflateModule;
}

const checks = { level: integer(0, 9), windowBits: integer(8, 15), module: unchecked };

/** Compresses one stream. It keeps at most 2^windowBits bytes, and what was written since the last flush, up to 64 KiB. */
export class Deflater implements Tenant {
  readonly #module: DeflateModule;
  readonly #level: number;
  readonly #windowBits: number;
  /** While the stream is not in the module: its window, then what waits to be compressed. */
  #saved: Uint8Array = NOTHING;
  #savedLength = 0;
  /** How many bytes behind the window wait to be compressed. */
  #waiting = 0;
  /** Bits of the output that do not fill a byte, while the stream is not in the module. */
  #bits = 0;
  #bitCount = 0;
  #isFinished = false;

  /**
   * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_OPTION_RANGE
   */
  constructor(options: DeflaterOptions = {}) {
    checkOptions(options, checks);
    this.#module = options.module ?? defaultModule;
    this.#level = options.level ?? 6;
    this.#windowBits = options.windowBits ?? 15;
  }

  /**
   * Takes the next bytes, and answers what of the compressed stream is ready: often nothing, since small pieces wait for
   * what follows.
   *
   * @throws {TypeError} ERR_STATE after {@link finish}
   */
  write(bytes: Uint8Array): Uint8Array {
    return joined(this.#write(bytes, FLUSH_NONE));
  }

  /**
   * Compresses all that was written, and ends it at a byte (a sync flush: 00 00 ff ff), so that the receiver sees it.
   *
   * @throws {TypeError} ERR_STATE after {@link finish}
   */
  flush(): Uint8Array {
    return joined(this.#write(NOTHING, FLUSH_SYNC));
  }

  /**
   * Ends the stream; nothing more can be written.
   *
   * @throws {TypeError} ERR_STATE when it was called before
   */
  finish(): Uint8Array {
    const output = joined(this.#write(NOTHING, FLUSH_FINISH));
    this.#isFinished = true;
    this.close();
    return output;
  }

  /**
   * A message as RFC 7692 §7.2.1 has it, or `undefined` when it would not be shorter than `bytes`: then it is as if it had
   * never been given. Nothing may wait from `write`.
   *
   * @internal
   */
  message(bytes: Uint8Array): Uint8Array | undefined {
    this.#enter();
    const { words, exports } = this.#module;
    // In the module it can be taken back as long as the window does not slide.
    if (!this.#hasRoom(bytes.length)) exports.deflateSlide();
    const end = words[DEFLATE_END / 4]!;
    const window = this.#hasRoom(bytes.length) ? undefined : this.#window();
    const pieces = this.#write(bytes, FLUSH_SYNC);
    const length = lengthOf(pieces) - TAIL;
    if (length < bytes.length) return joined(pieces, length);
    if (!window) words[DEFLATE_END / 4] = end;
    else {
      this.#module.deflating = undefined;
      this.#saved = window;
      this.#savedLength = window.length;
    }
    return undefined;
  }

  /**
   * The next piece of a message that is sent in fragments, flushed; the last one goes without its last four bytes.
   *
   * @internal
   */
  fragment(bytes: Uint8Array, isLast: boolean): Uint8Array {
    const pieces = this.#write(bytes, FLUSH_SYNC);
    return joined(pieces, lengthOf(pieces) - (isLast ? TAIL : 0));
  }

  /** Forgets the window, between messages: for "no context takeover" (RFC 7692 §7.1.1). @internal */
  reset(): void {
    this.close();
  }

  /** Frees what the stream holds. @internal */
  close(): void {
    if (this.#module.deflating === this) this.#module.deflating = undefined;
    this.#saved = NOTHING;
    this.#savedLength = 0;
    this.#waiting = 0;
    this.#bits = 0;
    this.#bitCount = 0;
  }

  /** Another stream's turn has come. @internal */
  leave(): void {
    const { memory, words } = this.#module;
    const start = this.#windowStart();
    const end = words[DEFLATE_END / 4]! + this.#waiting;
    const length = end - start;
    if (this.#saved.length < length) this.#saved = new Uint8Array(Math.max(length, this.#capacity(length)));
    this.#saved.set(memory.subarray(start, end));
    this.#savedLength = length;
    this.#bits = words[DEFLATE_BITS / 4]!;
    this.#bitCount = words[DEFLATE_BIT_COUNT / 4]!;
  }

  /** How much to keep memory for, so that a window that grows does not take new memory each time. */
  #capacity(length: number): number {
    return Math.min(2 ** Math.ceil(Math.log2(length)), 2 ** this.#windowBits);
  }

  #enter(): void {
    const module = this.#module;
    if (module.deflating === this) return;
    module.deflating?.leave();
    module.deflating = this;
    module.memory.set(this.#saved.subarray(0, this.#savedLength), DEFLATE_IN);
    module.exports.deflateOpen(this.#savedLength - this.#waiting, this.#windowBits, this.#level);
    module.words[DEFLATE_BITS / 4] = this.#bits;
    module.words[DEFLATE_BIT_COUNT / 4] = this.#bitCount;
  }

  #windowStart(): number {
    return Math.max(DEFLATE_IN, this.#module.words[DEFLATE_END / 4]! - 2 ** this.#windowBits);
  }

  #window(): Uint8Array {
    return this.#module.memory.slice(this.#windowStart(), this.#module.words[DEFLATE_END / 4]);
  }

  #hasRoom(length: number): boolean {
    return this.#module.words[DEFLATE_END / 4]! + length <= DEFLATE_IN + DEFLATE_IN_SIZE;
  }

  #write(bytes: Uint8Array, flush: number): Uint8Array[] {
    if (this.#isFinished) throw typeError("ERR_STATE", "The stream is finished: begin another one.");
    this.#enter();
    const { memory, words } = this.#module;
    const pieces: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      // What may be gathered over many calls has room for a whole block, so that it is cut into no small ones.
      const need = flush === FLUSH_NONE ? MAX_INPUT : Math.min(bytes.length - at, MAX_INPUT);
      if (this.#waiting === 0 && !this.#hasRoom(need)) this.#module.exports.deflateSlide();
      const end = words[DEFLATE_END / 4]! + this.#waiting;
      const room = Math.min(MAX_INPUT - this.#waiting, DEFLATE_IN + DEFLATE_IN_SIZE - end);
      const next = Math.min(bytes.length, at + room);
      memory.set(bytes.subarray(at, next), end);
      this.#waiting += next - at;
      at = next;
      if (at === bytes.length) break;
      this.#deflate(FLUSH_NONE, pieces);
    }
    if (flush !== FLUSH_NONE) this.#deflate(flush, pieces);
    return pieces;
  }

  #deflate(flush: number, pieces: Uint8Array[]): void {
    const { memory, exports } = this.#module;
    const size = exports.deflate(this.#waiting, flush);
    this.#waiting = 0;
    if (size > 0) pieces.push(memory.slice(DEFLATE_OUT, DEFLATE_OUT + size));
  }
}

/** Compresses `bytes` into a stream of its own, `finish` included. */
export function deflate(bytes: Uint8Array, options?: DeflaterOptions): Uint8Array {
  const deflater = new Deflater(options);
  const head = deflater.write(bytes);
  return joined([head, deflater.finish()]);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
}

/** The first `length` bytes of all the pieces, in memory of their own. */
function joined(pieces: readonly Uint8Array[], length = lengthOf(pieces)): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.subarray(0, length - at), at);
    at += Math.min(piece.length, length - at);
  }
  return bytes;
}
