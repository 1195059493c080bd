import { describe, expect, it } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { standardText } from "../../src/codec/text.ts";
import { violationOf } from "../../src/codec/violation.ts";
import { Codec } from "../../src/codec/codec.ts";

const numbers = Object.entries(layout).filter(([name]) => name.startsWith("VIOLATION_"));

describe("the table of violations", () => {
  it.each(numbers)("%s has a Close code and a sentence that fits a Close frame's reason", (_, number) => {
    const { closeCode, text } = violationOf(number);
    expect([1002, 1007, 1008, 1009]).toContain(closeCode);
    // RFC 6455 §5.5: 125 bytes, less the code's two
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
    expect(text).not.toBe("");
  });

  it("has a sentence of its own for each", () => {
    expect(numbers.length).toBeGreaterThan(0);
    expect(new Set(numbers.map(([, number]) => violationOf(number).text)).size).toBe(numbers.length);
  });
});

describe("strings and memory", () => {
  const codec = new Codec("javascript");
  const at = layout.OUTBOX;
  const put = (bytes: Uint8Array): number => {
    codec.memory.set(bytes, at);
    return bytes.length;
  };

  it("a byte order mark is part of the message", () => {
    const text = "\ufeffwith a mark";
    const bytes = new Uint8Array(Buffer.from(text));
    expect(codec.text.decodeUtf8(at, put(bytes))).toBe(text);
    expect(codec.text.decodeBytes(bytes, false)).toBe(text);
    expect(codec.text.encodeBytes(text)).toEqual(bytes);
  });

  it.each(["", "ASCII", "Grüße", "你好", "😀😀", "\u0000\u007f\u0080\uffff\u{10ffff}"])("%j there and back", (text) => {
    const length = codec.text.encode(text, at);
    expect(Buffer.from(codec.memory.subarray(at, at + length)).toString()).toBe(text);
    expect(codec.text.decodeUtf8(at, length)).toBe(text);
    expect(codec.text.decodeBytes(codec.text.encodeBytes(text), false)).toBe(text);
    if (length === text.length) expect(codec.text.decodeAscii(at, length)).toBe(text);
  });

  it("a host may hand in another way, which is made once for each memory", () => {
    const own = new Codec("javascript");
    const memories: Uint8Array[] = [];
    const factory = (memory: Uint8Array) => {
      memories.push(memory);
      return { ...standardText(memory), decodeUtf8: () => "from the host" };
    };
    own.useText(factory);
    own.useText(factory);
    expect(memories).toHaveLength(1);
    expect(memories[0]).toBe(own.memory);
    expect(own.text.decodeUtf8(at, 1)).toBe("from the host");
    own.useText(standardText);
    expect(own.text.decodeUtf8(at, 0)).toBe("");
  });
});
