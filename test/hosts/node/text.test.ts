import { describe, expect, it, vi } from "vitest";
import { standardText, type TextCodec } from "../../../src/codec/text.ts";
import { bufferText } from "../../../src/hosts/buffer-text.ts";
import { text as denoText } from "../../../src/hosts/deno.ts";

const AT = 7;

/** Node's way without the methods that are not documented. */
function documentedText(memory: Uint8Array): TextCodec {
  const hidden = vi.spyOn(Buffer, "from").mockImplementationOnce((buffer: unknown) => {
    const shown = Buffer.from(buffer as ArrayBuffer);
    for (const name of ["latin1Slice", "utf8Slice", "utf8Write"])
      Object.defineProperty(shown, name, { value: undefined });
    return Object.assign(shown, {
      // `toString` and `write` find the shortcuts on the prototype.
      toString: (encoding: BufferEncoding, from: number, to: number) =>
        Buffer.from(buffer as ArrayBuffer).toString(encoding, from, to),
      write: (string: string, at: number) => Buffer.from(buffer as ArrayBuffer).write(string, at),
    });
  });
  const codec = bufferText(memory);
  hidden.mockRestore();
  return codec;
}

const ways: [name: string, make: (memory: Uint8Array) => TextCodec][] = [
  ["the standard's way", standardText],
  ["Node's shortcuts", bufferText],
  ["Node's documented way", documentedText],
  ["the way on Deno", denoText],
];
const texts = [
  "",
  "a",
  "Hello, world",
  "Grüße, 世界 😀",
  "\ufeffwith a mark in front",
  "lone \ud800 surrogate",
  "x".repeat(5000),
];

describe.each(ways)("strings by %s", (_, make) => {
  const memory = new Uint8Array(65536);
  const codec = make(memory);
  const standard = new TextEncoder();

  it.each(texts)("%j", (text) => {
    const bytes = standard.encode(text);
    memory.fill(0xee);
    expect(codec.encode(text, AT)).toBe(bytes.length);
    expect(Buffer.compare(memory.subarray(AT, AT + bytes.length), bytes)).toBe(0);
    expect([memory[AT - 1], memory[AT + bytes.length]]).toEqual([0xee, 0xee]);
    const back = text.replace("\ud800", "\ufffd");
    expect(codec.decodeUtf8(AT, bytes.length)).toBe(back);
    expect(codec.decodeBytes(bytes, false)).toBe(back);
    expect(Buffer.compare(codec.encodeBytes(text), bytes)).toBe(0);
  });

  it("ASCII by its own way", () => {
    memory.set(standard.encode("plain"), AT);
    expect(codec.decodeAscii(AT, 5)).toBe("plain");
    expect(codec.decodeBytes(standard.encode("plain"), true)).toBe("plain");
  });
});
