/**
 * The three builds of the codec and how one is chosen: the SIMD module, else the scalar one, else plain JavaScript.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import { instantiate } from "../wasm.ts";
import { OUTBOX } from "../../assembly/layout.ts";
import instantiateJavaScript from "../../build/codec/javascript.js";
import scalar from "../../build/codec/scalar.js";
import simd from "../../build/codec/simd.js";

/** Which build of the codec is in use. All three come from the same source and give the same answers. */
export type CodecBuild = "simd" | "scalar" | "javascript";

/** The ABI, `assembly/index.ts`: offsets and lengths in bytes, booleans as 0 and 1. */
export interface CodecExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly base64Encode: (at: number, length: number, out: number) => number;
  readonly closeSlot: (slot: number) => void;
  readonly copy: (to: number, from: number, length: number) => void;
  readonly countedNext: (slot: number) => number;
  readonly decode: (slot: number, at: number, end: number) => number;
  readonly encodeHeader: (
    at: number,
    firstByte: number,
    payloadLength: number,
    masked: number,
    maskingKey: number,
  ) => number;
  readonly headerLength: (at: number) => number;
  readonly mask: (at: number, length: number, maskingKey: number, phase: number) => number;
  readonly openSlot: (expectMasked: number, allowedRsv: number, maxLength: number, maxFragments: number) => number;
  readonly payloadLength: (at: number) => number;
  readonly sha1: (at: number, length: number, out: number) => void;
  readonly slotsTaken: () => number;
  readonly utf8ToUtf16: (at: number, length: number, to: number) => number;
  readonly validate: (state: number, at: number, length: number) => number;
}

/** What this package makes its codecs of: who has the same made them by the same ABI, layout and rules. */
export const source: string = simd;

const builds: Record<CodecBuild, () => CodecExports> = {
  simd: () => instantiate(simd) as CodecExports,
  scalar: () => instantiate(scalar) as CodecExports,
  javascript: () => instantiateJavaScript() as unknown as CodecExports,
};

/**
 * Some engines accept SIMD and compute it wrongly (Safari on iOS 16.4), so a build is believed only once it masked and
 * validated 64 bytes as plain code does.
 */
function computesRightly({ memory, mask, validate }: CodecExports): boolean {
  const bytes = new Uint8Array(memory.buffer, OUTBOX, 64);
  const key = [0x37, 0xfa, 0x21, 0x3d];
  const characters = [0xc3, 0xa9, 0xe6, 0x97, 0xa5, 0xf0, 0x9f, 0x98, 0x80, 0x61]; // two, three, four and one byte
  const vector = Array.from({ length: 64 }, (_, i) => characters[i % characters.length]!);
  bytes.set(vector);
  if ((validate(0, OUTBOX, 60) & 0xff) !== 0) return false;
  bytes[33] = 0xff;
  if ((validate(0, OUTBOX, 60) & 0xff) !== 0xff) return false;
  bytes.set(vector);
  mask(OUTBOX, 64, 0x3d21fa37, 0);
  const right = bytes.every((byte, i) => byte === (vector[i]! ^ key[i % 4]!));
  bytes.fill(0);
  return right;
}

/**
 * Makes an instance of the build asked for, or of the fastest one that works here.
 *
 * @throws {ConnectionError} ERR_CODEC when it does not work on this engine.
 */
export function instantiateBuild(wanted?: CodecBuild): { build: CodecBuild; exports: CodecExports } {
  const candidates: CodecBuild[] = wanted ? [wanted] : ["simd", "scalar", "javascript"];
  let cause: unknown;
  for (const build of candidates) {
    try {
      const exports = builds[build]();
      if (computesRightly(exports)) return { build, exports };
    } catch (error) {
      cause = error; // no WebAssembly, no SIMD, a policy against it, or no address space
    }
  }
  throw new ConnectionError("ERR_CODEC", `The codec does not run here as ${candidates.join(", ")}.`, { cause });
}
