/**
 * One instance of the DEFLATE module: its linear memory, its calls, and whose turn it is.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import { must, type Check } from "../protocol/options.ts";
import { instantiate } from "../wasm.ts";
import instantiateJavaScript from "../../build/deflate/javascript.js";
import wasm from "../../build/deflate/wasm.js";

/** Which build of the module is in use. Both come from the same source and give the same answers. */
export type DeflateBuild = "wasm" | "javascript";

/** The ABI, `assembly/deflate/index.ts`: offsets and lengths in bytes. */
interface DeflateExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly deflate: (length: number, flush: number) => number;
  readonly deflateOpen: (history: number, windowBits: number, level: number) => void;
  readonly deflateSlide: () => void;
  readonly inflate: (inEnd: number, outEnd: number) => number;
  readonly inflateOpen: (history: number, windowBits: number) => void;
  readonly inflateSlide: () => void;
}

const builds: Record<DeflateBuild, () => DeflateExports> = {
  wasm: () => instantiate(wasm) as DeflateExports,
  javascript: () => instantiateJavaScript() as unknown as DeflateExports,
};

function firstThatWorks(candidates: readonly DeflateBuild[]): { build: DeflateBuild; exports: DeflateExports } {
  let cause: unknown;
  for (const build of candidates) {
    try {
      return { build, exports: builds[build]() };
    } catch (error) {
      cause = error; // no WebAssembly, a policy against it, or no address space
    }
  }
  throw new ConnectionError("ERR_CODEC", `DEFLATE does not run here as ${candidates.join(", ")}.`, { cause });
}

/** Something that left its stream in the module's memory, and takes it away when another's turn comes. */
export interface Tenant {
  leave(): void;
}

export class DeflateModule {
  readonly build: DeflateBuild;
  /** @internal */
  readonly exports: DeflateExports;
  /** The whole linear memory. @internal */
  readonly memory: Uint8Array;
  /** The same memory, by 32-bit words. @internal */
  readonly words: Uint32Array;
  /** Whose stream lies in the module now. @internal */
  inflating: Tenant | undefined;
  /** @internal */
  deflating: Tenant | undefined;

  /** @throws {ConnectionError} ERR_CODEC when the build does not work on this engine. */
  constructor(build?: DeflateBuild) {
    const made = firstThatWorks(build ? [build] : ["wasm", "javascript"]);
    this.build = made.build;
    this.exports = made.exports;
    this.memory = new Uint8Array(made.exports.memory.buffer);
    this.words = new Uint32Array(made.exports.memory.buffer);
  }
}

/** For the options that take one. */
export const isModule: Check = must("a DeflateModule", (value) => value instanceof DeflateModule);

/** Pieces one behind the other; a single one is the whole. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const whole = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((length, piece) => length + piece.length, 0);
}

/** Memory for `length` bytes and some more, so that a window that grows up to `most` takes no new memory at each turn. */
export function roomFor(length: number, most: number): Uint8Array {
  return new Uint8Array(Math.max(length, Math.min(2 ** Math.ceil(Math.log2(length)), most)));
}

/** The instance that all streams share that have no other. It is made when this file is evaluated: workerd compiles nothing later. */
export const defaultModule = new DeflateModule();
