import type { Codec } from "./codec.ts";

/** Texts up to this many bytes are read together with what follows, up to so many bytes. */
const SHORT = 128;
const RUN = 1024;

/**
 * The strings of ASCII texts that lie in the codec's memory. A call of the runtime costs more than a short string does,
 * so one call makes a string of all that lies behind such a text, and the next ones are parts of it. A text that is kept
 * may so keep up to a KiB.
 */
export class AsciiRun {
  readonly #codec: Codec;
  #string = "";
  #from = 0;
  #to = 0;
  #end = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** The memory has other bytes now; those that may be read end at `end`. */
  begin(end: number): void {
    this.#to = 0;
    this.#end = end;
  }

  /** The string of `length` bytes at `at`, all of them below 0x80. */
  read(at: number, length: number): string {
    const end = at + length;
    if (at >= this.#from && end <= this.#to) return this.#string.substring(at - this.#from, end - this.#from);
    const { text } = this.#codec;
    if (length > SHORT || end >= this.#end || !text.decodeLatin1) return text.decodeAscii(at, length);
    this.#from = at;
    this.#to = Math.min(this.#end, at + RUN);
    this.#string = text.decodeLatin1(at, this.#to - at);
    return this.#string.substring(0, length);
  }
}
