import { describe, expect, it } from "vitest";
import { Codec } from "../../src/codec/codec.ts";
import { SlotDecoder } from "../helpers/slot-decoder.ts";
import { EVENT_ASCII } from "../../assembly/layout.ts";
import { bufferText } from "../../src/hosts/buffer-text.ts";
import { noise } from "../helpers/bytes.ts";
import { concat, frame, type Content } from "../helpers/wire.ts";

/** The strings of the ASCII texts among the messages, as `inside` finds them while the chunk is walked. */
function read(codec: Codec, messages: readonly Content[], inside: () => void = () => undefined): string[] {
  const decoder = new SlotDecoder(codec, { role: "client", maxLength: 1e6, maxFragments: 10, allowedRsv: 0 });
  const strings: string[] = [];
  decoder.decode(concat(messages.map((content) => frame(typeof content === "string" ? 1 : 2, content))), {
    piece(flags, _source, at, length) {
      inside();
      if (flags & EVENT_ASCII) strings.push(codec.ascii.read(at, length));
      return true;
    },
    violation: ({ text }) => expect.fail(text),
  });
  decoder.free();
  return strings;
}

const codec = new Codec();
codec.useText(bufferText);

describe("short ASCII texts of one chunk", () => {
  it.each([1, 2, 12, 13, 64, 127, 128, 129, 500, 1023, 1024, 1025])("of %d bytes are what they are alone", (size) => {
    const texts = Array.from({ length: 40 }, (_, i) => String.fromCharCode(33 + i).repeat(size));
    expect(read(codec, texts)).toEqual(texts);
  });

  it("come by one call for each KiB", () => {
    const counting = new Codec();
    let calls = 0;
    counting.useText((memory, kernels) => {
      const text = bufferText(memory, kernels);
      return { ...text, decodeLatin1: (at, length) => (calls++, text.decodeLatin1!(at, length)) };
    });
    const texts = Array.from({ length: 60 }, (_, i) => `a text of some forty bytes, number ${1000 + i}`);
    expect(read(counting, texts)).toEqual(texts);
    expect(calls).toBe(3);
  });

  it("may have others between them: bytes, texts that are not ASCII, long and empty ones", () => {
    const messages = ["a", noise(50), "b", "é", "c".repeat(3000), "", "d", noise(2000), "e", "日本", "f"];
    expect(read(codec, messages)).toEqual(["a", "b", "c".repeat(3000), "", "d", "e", "f"]);
  });

  it("are right when a chunk is followed by another of the same shape", () => {
    for (const letter of "abc") expect(read(codec, [letter, letter, letter])).toEqual([letter, letter, letter]);
  });

  it("are not confused with those of a chunk that is decoded in between", () => {
    const inner = Array.from({ length: 5 }, (_, i) => `inner ${i}`);
    let depth = 0;
    const outer = Array.from({ length: 5 }, (_, i) => `outer ${i}`);
    const seen = read(codec, outer, () => {
      if (depth > 0) return;
      depth++;
      expect(read(codec, inner)).toEqual(inner);
      depth--;
    });
    expect(seen).toEqual(outer);
  });
});
