/**
 * Reads the head of an HTTP/1.1 request or response, strictly and within limits (RFC 9112 §2 to §5).
 *
 * @module
 */

import { typeError } from "../errors.ts";
import { HeadError } from "./errors.ts";
import {
  CR,
  OBS_TEXT,
  METHOD,
  TARGET,
  REQUEST_VERSION,
  RESPONSE_VERSION,
  NAME,
  LAST_LINE_FEED,
  LINE_START,
  DONE,
  byteClasses,
  elements,
  isDigit,
  type Element,
} from "./head-grammar.ts";
import { HeaderFields } from "./headers.ts";
import { amount } from "./options.ts";

/** What most often follows a head; a view of what a socket has read costs more than all else of a short chunk on Bun. */
const NOTHING = new Uint8Array(0);

/** What bounds a head: integers from 0 to 2^53. */
export interface HeadLimits {
  /** Bytes of the whole head, the empty line at its end included; default {@link defaultHeadLimits}. */
  readonly maxHeadLength?: number | undefined;
  /** How many header fields. */
  readonly maxHeaders?: number | undefined;
  /** Bytes of a request's target. */
  readonly maxTargetLength?: number | undefined;
}

export const defaultHeadLimits = { maxHeadLength: 16_384, maxHeaders: 100, maxTargetLength: 8192 } as const;

/** A request line and its fields (RFC 9112 §3). */
export interface RequestHead {
  readonly method: string;
  /** Visible ASCII; its form is not checked. */
  readonly target: string;
  readonly version: "1.1";
  readonly headers: HeaderFields;
}

/** A status line and its fields (RFC 9112 §4). */
export interface ResponseHead {
  readonly version: "1.0" | "1.1";
  /** Three digits. */
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderFields;
}

export type HeadOf<Kind extends "request" | "response"> = Kind extends "request" ? RequestHead : ResponseHead;

/**
 * Takes one head in chunks of any size, in time proportional to its bytes, and fails at the byte that breaks the
 * grammar or passes a limit. The outcome does not depend on how the bytes are cut into chunks.
 */
export class HeadReader<Kind extends "request" | "response"> {
  readonly #kind: Kind;
  readonly #maxHeadLength: number;
  readonly #maxHeaders: number;
  readonly #maxTargetLength: number;
  /** obs-text is taken in a request's values, never in a response (CVE-2026-55517). */
  readonly #classes: number;

  #element: number;
  /** How many bytes of the element have passed. */
  #column = 0;
  #version = 0;
  #headerCount = 0;

  /** Bytes of the head that have passed; they are kept only once a chunk has ended inside the head. */
  #length = 0;
  #kept: Uint8Array | undefined;

  #head: HeadOf<Kind> | undefined;
  #error: Error | undefined;

  /** @throws RangeError ERR_OPTION_RANGE when a limit is not an integer from 0 to 2^53 */
  constructor(kind: Kind, limits: HeadLimits = {}) {
    this.#kind = kind;
    this.#maxHeadLength = checkLimit("maxHeadLength", limits.maxHeadLength);
    this.#maxHeaders = checkLimit("maxHeaders", limits.maxHeaders);
    this.#maxTargetLength = checkLimit("maxTargetLength", limits.maxTargetLength);
    this.#classes = kind === "request" ? 0xff : 0xff & ~OBS_TEXT;
    this.#element = kind === "request" ? METHOD : RESPONSE_VERSION;
  }

  /** The head, once {@link push} has returned bytes. Before that: TypeError ERR_STATE. */
  get head(): HeadOf<Kind> {
    if (!this.#head) throw typeError("ERR_STATE", "The head is not complete.");
    return this.#head;
  }

  /**
   * Takes the next chunk, which is neither kept nor written to.
   *
   * @returns undefined while the head goes on; else the bytes behind it, as a view of `chunk` if there are any
   * @throws HeadError ERR_HANDSHAKE_HEAD, and the same one at every later call. For a request its status is 400 (bad
   *   syntax), 405 (a method of more than 32 bytes), 414, 426 (HTTP/1.0), 431 or 505 (any other version)
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#error !== undefined) throw this.#error;
    if (this.#head) throw typeError("ERR_STATE", "The head is already complete.");
    const end = Math.min(chunk.length, this.#maxHeadLength - this.#length);
    try {
      const at = this.#scan(chunk, end);
      if (this.#element === DONE) {
        this.#head = this.#parse(this.#decode(chunk, at));
        return at < chunk.length ? chunk.subarray(at) : NOTHING;
      }
      if (this.#length + end === this.#maxHeadLength) {
        this.#fail(this.#element === TARGET ? 414 : 431, `The head is longer than ${this.#maxHeadLength} bytes.`);
      }
    } catch (error) {
      this.#error = error as Error;
      this.#kept = undefined;
      throw error;
    }
    if (end > 0) this.#keep(chunk, end);
    return undefined;
  }

  /** Walks over the chunk up to the end of the head; returns where it stopped. */
  #scan(chunk: Uint8Array, end: number): number {
    let at = 0;
    while (at < end && this.#element !== DONE) {
      if (this.#element === LINE_START) {
        if (chunk[at] === CR) {
          this.#element = LAST_LINE_FEED;
          at++;
          continue;
        }
        if (++this.#headerCount > this.#maxHeaders) this.#fail(431, `There are over ${this.#maxHeaders} headers.`);
        this.#element = NAME;
      }
      const { classes, end: separator, next, min, max } = elements[this.#element] as Element;
      if (this.#column < min && (this.#element === REQUEST_VERSION || this.#element === RESPONSE_VERSION)) {
        this.#takeVersion(chunk, at++);
        continue;
      }
      const from = at;
      const allowed = classes & this.#classes;
      const most = this.#element === TARGET ? this.#maxTargetLength : max;
      const stop = Math.min(end, at + most - this.#column + 1);
      while (at < stop && (byteClasses[chunk[at] as number] as number) & allowed) at++;
      this.#column += at - from;
      if (this.#column > most) this.#failTooLong(most);
      if (at === end) break;
      if (chunk[at] !== separator || this.#column < min) this.#failAt(chunk, at);
      at++;
      this.#element = next;
      this.#column = 0;
    }
    return at;
  }

  /** One byte of `HTTP/1.1` (RFC 9112 §2.3). */
  #takeVersion(chunk: Uint8Array, at: number): void {
    const byte = chunk[at] as number;
    const column = this.#column++;
    if (column === 5 || column === 7) {
      if (!isDigit(byte)) this.#failAt(chunk, at);
      this.#version = this.#version * 10 + (byte - 0x30);
    } else if (byte !== "HTTP/1.1".charCodeAt(column)) this.#failAt(chunk, at);
    if (column < 7 || this.#version === 11) return;
    // An HTTP/1.0 response is read on, so that the client learns its status: proxies still answer so.
    if (this.#version !== 10) this.#fail(505, "The HTTP version is not 1.1.");
    if (this.#kind === "request") this.#fail(426, "HTTP/1.0 has no WebSockets.");
  }

  /** Keeps what has passed of a head that goes on in the next chunk. */
  #keep(chunk: Uint8Array, end: number): void {
    const length = this.#length + end;
    if (!this.#kept || this.#kept.length < length) {
      const grown = new Uint8Array(Math.min(Math.max(length * 2, 512), this.#maxHeadLength));
      if (this.#kept) grown.set(this.#kept.subarray(0, this.#length));
      this.#kept = grown;
    }
    this.#kept.set(chunk.subarray(0, end), this.#length);
    this.#length = length;
  }

  /** The head as text, one character a byte. */
  #decode(chunk: Uint8Array, end: number): string {
    if (this.#length === 0) return latin1(chunk, end);
    this.#keep(chunk, end);
    const text = latin1(this.#kept as Uint8Array, this.#length);
    this.#kept = undefined;
    return text;
  }

  /** Takes a head apart that {@link #scan} has found well-formed. */
  #parse(text: string): HeadOf<Kind> {
    const startLine = text.slice(0, text.indexOf("\r\n"));
    const headers = HeaderFields.ofHead(text);
    if (this.#kind === "request") {
      const [method, target] = startLine.split(" ") as [string, string];
      return { method, target, version: "1.1", headers } satisfies RequestHead as HeadOf<Kind>;
    }
    const version = this.#version === 10 ? "1.0" : "1.1";
    const status = Number(startLine.slice(9, 12));
    return { version, status, reason: startLine.slice(13), headers } satisfies ResponseHead as HeadOf<Kind>;
  }

  #failAt(chunk: Uint8Array, at: number): never {
    const byte = (chunk[at] as number).toString(16).padStart(2, "0");
    this.#fail(400, `The byte 0x${byte} at offset ${this.#length + at} does not belong into a ${this.#kind}'s head.`);
  }

  #failTooLong(most: number): never {
    if (this.#element === METHOD) this.#fail(405, `The method is longer than ${most} bytes.`);
    if (this.#element === TARGET) this.#fail(414, `The request target is longer than ${most} bytes.`);
    this.#fail(400, `The status has more than ${most} digits.`);
  }

  #fail(status: number, message: string): never {
    throw new HeadError(this.#kind === "request" ? status : 0, message);
  }
}

function checkLimit(name: keyof typeof defaultHeadLimits, value: number = defaultHeadLimits[name]): number {
  amount(value, name);
  return value;
}

function latin1(bytes: Uint8Array, end: number): string {
  let text = "";
  // In pieces, since engines bound how many arguments a call takes.
  for (let at = 0; at < end; at += 4096) {
    const to = Math.min(at + 4096, end);
    const piece = at === 0 && to === bytes.length ? bytes : bytes.subarray(at, to);
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}
