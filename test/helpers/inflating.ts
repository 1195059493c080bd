import { inflateRawSync, constants, type ZlibOptions } from "node:zlib";
import {
  INFLATE_BETWEEN,
  INFLATE_CURSOR,
  INFLATE_END,
  INFLATE_FINAL,
  INFLATE_IN,
  INFLATE_IN_SIZE,
  INFLATE_NEEDS_INPUT,
  INFLATE_NEEDS_ROOM,
  INFLATE_OUT,
  INFLATE_OUT_SIZE,
  INFLATE_OUT_SLACK,
  INFLATE_SHARED,
  INFLATE_SHARED_SIZE,
  INFLATE_STATE,
  INFLATE_STATE_SIZE,
} from "../../assembly/deflate/layout.ts";
import { DeflateModule, type DeflateBuild } from "../../src/deflate/module.ts";
import { noise } from "./bytes.ts";

export const deflateBuilds: readonly DeflateBuild[] = ["wasm", "javascript"];

/** What becomes of a stream. */
export interface Outcome {
  readonly verdict: "finished" | "cut" | "bad";
  /** What comes out; of a bad stream it is not compared. */
  readonly output: Buffer;
  /** Bytes up to the end of a finished stream. */
  readonly read: number;
}

const NOTHING = Buffer.alloc(0);
const bad: Outcome = { verdict: "bad", output: NOTHING, read: 0 };

/** What zlib makes of it. */
export function byZlib(bytes: Uint8Array): Outcome {
  const verdict = verdictOfZlib(bytes);
  if (verdict === "bad") return bad;
  const options = { finishFlush: constants.Z_SYNC_FLUSH, info: true } as ZlibOptions;
  const { buffer, engine } = inflateRawSync(bytes, options) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  return { verdict, output: buffer, read: verdict === "finished" ? engine.bytesWritten : 0 };
}

function verdictOfZlib(bytes: Uint8Array): Outcome["verdict"] {
  try {
    inflateRawSync(bytes);
    return "finished";
  } catch (error) {
    const { code } = error as { code: unknown };
    if (code === "Z_BUF_ERROR") return "cut";
    if (code === "Z_DATA_ERROR") return "bad";
    throw error;
  }
}

const OUT_END = INFLATE_OUT + INFLATE_OUT_SIZE;

/** What inflating must leave alone, but for the input. */
const guarded = [
  [0, INFLATE_STATE],
  [INFLATE_STATE + INFLATE_STATE_SIZE, INFLATE_SHARED],
  [INFLATE_SHARED + INFLATE_SHARED_SIZE, INFLATE_IN],
  [OUT_END + INFLATE_OUT_SLACK, Infinity],
] as const;

/** The calls of the ABI over one build, with noise wherever nothing may be written. */
export class Bench {
  readonly module: DeflateModule;
  readonly #memory: Buffer;
  readonly #before: Buffer;

  constructor(build: DeflateBuild) {
    this.module = new DeflateModule(build);
    this.#memory = Buffer.from(this.module.exports.memory.buffer);
    // Static data of the compiler lies in front of the state, and is guarded as it is.
    for (const [from, to] of guarded.slice(1))
      this.#memory.set(noise(Math.min(to, this.#memory.length) - from, from), from);
    this.#before = Buffer.from(this.#memory);
  }

  get end(): number {
    return this.module.words[INFLATE_END / 4]!;
  }

  get isBetween(): boolean {
    return this.module.words[INFLATE_BETWEEN / 4] === 1;
  }

  open(history: Uint8Array = NOTHING, windowBits = 15): void {
    this.module.memory.set(history, INFLATE_OUT);
    this.module.exports.inflateOpen(history.length, windowBits);
  }

  /** Puts a piece of input into its place, at its end, so that what is read too far is something else. */
  put(piece: Uint8Array): void {
    const at = INFLATE_IN + INFLATE_IN_SIZE - piece.length;
    this.module.memory.set(piece, at);
    this.module.words[INFLATE_CURSOR / 4] = at;
  }

  /** Inflates what was put, with so much room at a time, and answers why it stopped for good. */
  run(out: Uint8Array[], room = Infinity): number {
    const { exports, memory } = this.module;
    for (;;) {
      if (this.end + Math.min(room, 1) > OUT_END) exports.inflateSlide();
      const from = this.end;
      const outEnd = Math.min(OUT_END, from + room);
      const status = exports.inflate(INFLATE_IN + INFLATE_IN_SIZE, outEnd);
      if (this.end > outEnd) throw new Error(`It wrote ${this.end - outEnd} bytes more than there was room for.`);
      out.push(memory.slice(from, this.end));
      if (status !== INFLATE_NEEDS_ROOM) return status;
      if (this.end < outEnd) throw new Error("It asked for room while there was some.");
    }
  }

  /** Inflates a stream that comes in such pieces. */
  inflate(pieces: readonly Uint8Array[], room?: number): Outcome {
    const out: Uint8Array[] = [];
    let read = 0;
    this.open();
    for (const whole of pieces) {
      for (let at = 0; at < whole.length; at += INFLATE_IN_SIZE) {
        const piece = whole.subarray(at, at + INFLATE_IN_SIZE);
        this.put(piece);
        const status = this.run(out, room);
        const left = INFLATE_IN + INFLATE_IN_SIZE - this.module.words[INFLATE_CURSOR / 4]!;
        this.check(piece);
        read += piece.length - left;
        if (status === INFLATE_FINAL) return { verdict: "finished", output: Buffer.concat(out), read };
        if (status !== INFLATE_NEEDS_INPUT) return bad;
        if (left !== 0) throw new Error(`It asked for input while ${left} bytes were left.`);
      }
    }
    return { verdict: "cut", output: Buffer.concat(out), read: 0 };
  }

  /** Fails when a byte has changed that is not inflating's to write. */
  check(input: Uint8Array): void {
    for (const [from, to] of guarded) {
      const end = Math.min(to, this.#memory.length);
      if (this.#memory.compare(this.#before, from, end, from, end) !== 0)
        throw new Error(`It wrote outside of its place, between ${from} and ${end}.`);
    }
    const at = INFLATE_IN + INFLATE_IN_SIZE;
    if (this.#memory.compare(input, 0, input.length, at - input.length, at) !== 0)
      throw new Error("It wrote into its input.");
  }
}

/** Bits as RFC 1951 §3.1.1 packs them: numbers with the lowest bit first, codes with the highest. */
export class Bits {
  readonly #bits: number[] = [];

  number(value: number, count: number): this {
    for (let i = 0; i < count; i++) this.#bits.push((value >> i) & 1);
    return this;
  }

  /** A code, written as the RFC writes it. */
  code(digits: string): this {
    for (const digit of digits) this.#bits.push(Number(digit));
    return this;
  }

  align(): this {
    while (this.#bits.length % 8 !== 0) this.#bits.push(0);
    return this;
  }

  get bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    this.#bits.forEach((bit, i) => (bytes[i >> 3]! |= bit << (i & 7)));
    return bytes;
  }
}

const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The header of a final dynamic block (§3.2.7) that gives each length by itself, in codes of four and five bits. */
export function dynamicHeader(
  literals: readonly number[],
  distances: readonly number[],
  codeLengthLengths: readonly number[] = [...Array<number>(13).fill(4), ...Array<number>(6).fill(5)],
): Bits {
  const bits = new Bits().number(1, 1).number(2, 2);
  bits
    .number(literals.length - 257, 5)
    .number(distances.length - 1, 5)
    .number(order.length - 4, 4);
  for (const symbol of order) bits.number(codeLengthLengths[symbol]!, 3);
  const codes = canonical(codeLengthLengths);
  for (const length of [...literals, ...distances]) bits.code(codes[length]!);
  return bits;
}

/** §3.2.2: the code of each symbol from the lengths. */
export function canonical(lengths: readonly number[]): string[] {
  const codes = lengths.map(() => "");
  let code = 0;
  for (let length = 1; length <= 15; length++) {
    code *= 2;
    lengths.forEach((each, symbol) => {
      if (each === length) codes[symbol] = (code++).toString(2).padStart(length, "0").slice(-length);
    });
  }
  return codes;
}
