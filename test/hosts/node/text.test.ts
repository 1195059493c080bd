import { describe, it, vi } from "vitest";
import { standardText, type TextCodec, type TextCodecFactory } from "../../../src/codec/text.ts";
import type { CodecExports } from "../../../src/codec/builds.ts";
import { bufferText } from "../../../src/hosts/buffer-text.ts";
import { text as denoText } from "../../../src/hosts/deno.ts";
import { checkTexts } from "../text-cases.ts";

/** The way that `make` takes without the methods that are not documented. */
function documentedText(make: TextCodecFactory, memory: Uint8Array, kernels: CodecExports): TextCodec {
  const hidden = vi.spyOn(Buffer, "from").mockImplementationOnce((buffer: unknown) => {
    const shown = Buffer.from(buffer as ArrayBuffer);
    for (const name of ["latin1Slice", "ucs2Slice", "utf8Slice", "utf8Write"])
      Object.defineProperty(shown, name, { value: undefined });
    return Object.assign(shown, {
      // `toString` and `write` find the shortcuts on the prototype.
      toString: (encoding: BufferEncoding, from: number, to: number) =>
        Buffer.from(buffer as ArrayBuffer).toString(encoding, from, to),
      write: (string: string, at: number) => Buffer.from(buffer as ArrayBuffer).write(string, at),
    });
  });
  const codec = make(memory, kernels);
  hidden.mockRestore();
  return codec;
}

const ways: [name: string, make: TextCodecFactory][] = [
  ["the standard's way", standardText],
  ["Node's shortcuts", bufferText],
  ["Node's documented way", (memory, kernels) => documentedText(bufferText, memory, kernels)],
  ["the way on Deno", denoText],
  ["the documented way on Deno", (memory, kernels) => documentedText(denoText, memory, kernels)],
];

describe("strings are read and written", () => {
  it.each(ways)("by %s", (_, make) => checkTexts(make));
});
