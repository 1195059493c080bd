/**
 * The beginning of a response's content, for an error message: identity or chunked (RFC 9112 §6, §7.1), bounded.
 *
 * @module
 */
import type { HeaderFields } from "./headers.ts";

/** Most bytes of a refusal's content that are kept. */
const MAX_BODY_LENGTH = 65536;

const LF = 0x0a;

export class BodyReader {
  readonly #bytes: number[] = [];
  readonly #isChunked: boolean;
  /** Bytes of the content, or of the current chunk, still to come. */
  #left: number;
  /** The chunk-size line read so far; undefined inside a chunk. */
  #line: string | undefined;

  constructor(headers: HeaderFields, status = 200) {
    this.#isChunked = /(?:^|,)\s*chunked\s*$/i.test(headers.get("transfer-encoding") ?? "");
    const length = headers.get("content-length") ?? "";
    this.#left = /^\d{1,15}$/.test(length) ? Number(length) : Infinity;
    if (this.#isChunked) this.#line = "";
    // RFC 9112 §6.3: these have no content, whatever their fields say.
    if (status === 204 || status === 304) this.#left = 0;
  }

  /** Takes what came; answers whether it has all that it will keep. */
  push(chunk: Uint8Array): boolean {
    for (const byte of chunk) {
      if (this.#isDone) break;
      if (this.#line !== undefined) this.#sizeByte(byte);
      else this.#contentByte(byte);
    }
    return this.#isDone;
  }

  /** What was kept. */
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  get #isDone(): boolean {
    return this.#bytes.length >= MAX_BODY_LENGTH || this.#left === 0;
  }

  #contentByte(byte: number): void {
    this.#bytes.push(byte);
    if (--this.#left === 0 && this.#isChunked) {
      this.#line = "";
      this.#left = Infinity;
    }
  }

  #sizeByte(byte: number): void {
    if (byte !== LF) {
      this.#line = `${this.#line ?? ""}${String.fromCharCode(byte)}`;
      // No size needs so many digits: what follows is no chunk, and is left alone.
      if (this.#line.length > 256) this.#left = 0;
      return;
    }
    const line = (this.#line ?? "").trim();
    this.#line = "";
    if (line === "") return; // the line break behind a chunk
    const size = parseInt(line, 16);
    this.#left = size > 0 ? size : 0;
    if (size > 0) this.#line = undefined;
  }
}
