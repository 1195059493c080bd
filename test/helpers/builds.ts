import type { CodecBuild, CodecExports } from "../../src/codec/builds.ts";
import instantiateJavaScript from "../../build/codec/javascript.js";
import scalar from "../../build/codec/scalar.js";
import simd from "../../build/codec/simd.js";

// No library of types that this project uses declares it.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: unknown };
};

export interface Build {
  readonly name: CodecBuild;
  readonly exports: CodecExports;
  /** The whole linear memory. */
  readonly memory: Uint8Array;
}

function fromModule(name: CodecBuild, hex: string): Build {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(hex, "hex")));
  return withMemory(name, exports as CodecExports);
}

function withMemory(name: CodecBuild, exports: CodecExports): Build {
  return { name, exports, memory: new Uint8Array(exports.memory.buffer) };
}

/** Each build of the codec, in an instance of its own. Instances are made here, so that no test depends on the host. */
export const builds: readonly Build[] = [
  fromModule("simd", simd),
  fromModule("scalar", scalar),
  withMemory("javascript", instantiateJavaScript() as unknown as CodecExports),
];
