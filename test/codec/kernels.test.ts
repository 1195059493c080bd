import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SCRATCH, SCRATCH_SIZE, WINDOW_SIZE } from "../../assembly/layout.ts";
import {
  Utf8Validator,
  acceptKey,
  decodeFrameHeader,
  defaultCodec,
  mask,
  validateUtf8,
} from "../../src/codec/index.ts";
import { keyWord } from "../../src/codec/codec.ts";
import { noise, splitAt } from "../helpers/bytes.ts";
import { eachBuild } from "../helpers/codecs.ts";
import { same } from "../helpers/decoding.ts";
import { judge, malformed, validTexts, type Verdict } from "../helpers/utf8.ts";
import { bytesOf, concat, masked } from "../helpers/wire.ts";

const answers: Record<Verdict, string> = { whole: "valid", cut: "incomplete", bad: "invalid" };

/** RFC 6455 §4.2.2, step 5.4, by Node. */
const accepted = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

const texts = validTexts.map(bytesOf);
const samples: Uint8Array[] = [
  ...texts,
  ...malformed.flatMap(([, bad]) => [Uint8Array.from(bad), concat([texts[2]!, Uint8Array.from(bad), texts[10]!])]),
];

describe.each(eachBuild)("the kernels, by the host's calls ($build)", ({ codec }) => {
  describe("mask (§5.3)", () => {
    it("is the XOR of each byte with the key's, at every phase and length", () => {
      for (const key of [
        [0x37, 0xfa, 0x21, 0x3d],
        [0, 0, 0, 0x80],
        [255, 255, 255, 255],
      ]) {
        // prettier-ignore
        for (let length = 0; length < 80; length++) {
          const bytes = noise(length, length + 1);
          for (let phase = 0; phase < 6; phase++) {
            const out = codec.mask(bytes, Uint8Array.from(key), phase);
            same(out, masked(bytes, key, phase), `${length} bytes, phase ${phase}`);
          }
        }
      }
    });

    it("starts with the key's first byte unless told", () => {
      expect(codec.mask(Uint8Array.of(1, 2, 3), Uint8Array.of(16, 32, 48, 64))).toEqual(Uint8Array.of(17, 34, 51));
      expect(mask(Uint8Array.of(1, 2, 3), Uint8Array.of(16, 32, 48, 64), 2, codec)).toEqual(Uint8Array.of(49, 66, 19));
    });

    it("goes on over the border of the window, and leaves its input alone", () => {
      const key = [1, 2, 4, 8];
      for (const length of [WINDOW_SIZE - 1, WINDOW_SIZE, WINDOW_SIZE + 1, 3 * WINDOW_SIZE + 5]) {
        const bytes = noise(length);
        const before = bytes.slice();
        for (const phase of [0, 3]) {
          const out = codec.mask(bytes, Uint8Array.from(key), phase);
          same(out, masked(bytes, key, phase), `${length} bytes`);
          expect(out.buffer).not.toBe(codec.memory.buffer);
          same(codec.mask(out, Uint8Array.from(key), phase), before, "twice");
        }
        same(bytes, before, "the input");
      }
    });

    it("takes the key as it lies on the wire", () => {
      expect(keyWord(Uint8Array.of(0x11, 0x22, 0x33, 0x44))).toBe(0x44332211);
      expect(keyWord(Uint8Array.of(0, 0, 0, 0x80)) >>> 0).toBe(0x80000000);
    });
  });

  describe("validateUtf8 and Utf8Validator (§8.1)", () => {
    it("knows text that is whole from text that is not", () => {
      for (const bytes of samples) expect(codec.validateUtf8(bytes)).toBe(judge(bytes).verdict === "whole");
      const cut = texts.map((bytes) => bytes.subarray(0, bytes.length - 1));
      for (const bytes of cut) expect(validateUtf8(bytes, codec)).toBe(judge(bytes).verdict === "whole");
    });

    it("tells the same wherever the text is split", () => {
      for (const bytes of samples) {
        for (let at = 0; at <= bytes.length; at++) {
          const validator = new Utf8Validator(codec);
          const told = [validator.push(bytes.subarray(0, at)), validator.push(bytes.subarray(at))];
          same(told, [answers[judge(bytes.subarray(0, at)).verdict], answers[judge(bytes).verdict]], `split at ${at}`);
        }
      }
    });

    it("tells at every byte whether the text may end there, and stays at invalid", () => {
      for (const bytes of samples) {
        const validator = new Utf8Validator(codec);
        expect(validator.push(new Uint8Array(0))).toBe("valid");
        for (let at = 1; at <= bytes.length; at++)
          expect(validator.push(bytes.subarray(at - 1, at))).toBe(answers[judge(bytes.subarray(0, at)).verdict]);
        const atEnd = judge(bytes).verdict;
        // ASCII mends nothing.
        expect(validator.push(bytesOf("a"))).toBe(atEnd === "whole" ? "valid" : "invalid");
      }
    });

    it("goes on over the border of the window", () => {
      const unit = bytesOf("aé你😀"); // ten bytes, so that every character meets the border somewhere
      for (const offset of unit.keys()) {
        const bytes = concat(Array.from({ length: WINDOW_SIZE / 10 + 10 }, () => unit)).subarray(offset);
        const [start, end] = [(10 - offset) % 10, bytes.length];
        expect(codec.validateUtf8(bytes.subarray(start, end))).toBe(true);
        expect(codec.validateUtf8(bytes)).toBe(judge(bytes).verdict === "whole");
        bytes[WINDOW_SIZE + 3] = 0xff;
        expect(codec.validateUtf8(bytes.subarray(start, end))).toBe(false);
      }
    });

    it("agrees with the model on text and noise, cut at random", () => {
      const text = fc.array(fc.constantFrom("a", "é", "你", "😀"), { maxLength: 40 });
      const content = fc.tuple(text, fc.uint8Array({ maxLength: 3 }), text);
      const property = fc.property(content, fc.array(fc.nat(300), { maxLength: 6 }), ([head, bad, tail], cuts) => {
        const bytes = concat([bytesOf(head.join("")), bad, bytesOf(tail.join(""))]);
        const validator = new Utf8Validator(codec);
        let seen = 0;
        for (const piece of splitAt(
          bytes,
          cuts.filter((cut) => cut <= bytes.length),
        )) {
          // prettier-ignore
          seen += piece.length;
          expect(validator.push(piece)).toBe(answers[judge(bytes.subarray(0, seen)).verdict]);
        }
        expect(codec.validateUtf8(bytes)).toBe(judge(bytes).verdict === "whole");
      });
      fc.assert(property, { numRuns: 300 });
    });
  });

  it.each([0, 3, 5])("a masking key of %d bytes is refused", (length) => {
    const refused = expect.objectContaining({ name: "TypeError", code: "ERR_OPTION_TYPE" });
    expect(() => codec.mask(Uint8Array.of(1), new Uint8Array(length))).toThrow(refused);
  });

  describe("acceptKey (§4.2.2)", () => {
    it.each(["", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ==="])("refuses the key %j", (key) => {
      const refused = expect.objectContaining({ name: "TypeError", code: "ERR_OPTION_TYPE" });
      expect(() => codec.acceptKey(key)).toThrow(refused);
    });

    it("answers the RFC's example", () => {
      expect(codec.acceptKey("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    });

    it("is what Node's SHA-1 and base64 make of any key", () => {
      for (let i = 0; i < 300; i++) {
        const key = Buffer.from(noise(16, i * 104_729)).toString("base64");
        expect(acceptKey(key, codec)).toBe(accepted(key));
      }
    });

    it("writes to its work space alone", () => {
      const expected = codec.memory.slice();
      codec.acceptKey("AQIDBAUGBwgJCgsMDQ4PEC==");
      expected.set(codec.memory.subarray(SCRATCH, SCRATCH + SCRATCH_SIZE), SCRATCH);
      expect(Buffer.compare(codec.memory, expected)).toBe(0);
    });
  });

  it("base64 is Node's, up to 16 KiB", () => {
    for (const length of [...Array(70).keys(), 1000, 16_383, 16_384]) {
      const bytes = noise(length, length + 3);
      expect(codec.base64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
    }
  });

  it("no call disturbs another: each answers alike in any order", () => {
    const bytes = bytesOf("Zwölf Boxkämpfer 😀".repeat(9));
    const key = Uint8Array.of(5, 6, 7, 8);
    const calls: (() => unknown)[] = [
      () => codec.acceptKey("AAAAAAAAAAAAAAAAAAAAAA=="),
      () =>
        decodeFrameHeader(Uint8Array.of(0x82, 0xfe, 0x12, 0x34, 1, 2, 3, 4, ...Array<number>(6).fill(255)), 0, codec),
      () => codec.base64(bytes),
      () => codec.mask(bytes, key, 1),
      () => codec.validateUtf8(bytes),
      () => new Utf8Validator(codec).push(bytes.subarray(0, 3)),
    ];
    const alone = calls.map((call) => call());
    const property = fc.property(fc.array(fc.nat(calls.length - 1), { maxLength: 10 }), (order) => {
      expect(order.map((i) => calls[i]!())).toEqual(order.map((i) => alone[i]));
    });
    fc.assert(property, { numRuns: 50 });
  });
});

describe("without a codec of one's own", () => {
  it("the functions use the one that the process shares", () => {
    const bytes = bytesOf("Grüße");
    const key = Uint8Array.of(1, 2, 3, 4);
    expect(mask(bytes, key)).toEqual(masked(bytes, [...key]));
    expect(mask(bytes, key, 3)).toEqual(defaultCodec.mask(bytes, key, 3));
    expect(validateUtf8(bytes)).toBe(true);
    expect(validateUtf8(bytes.subarray(0, 3))).toBe(false);
    expect(new Utf8Validator().push(bytes.subarray(0, 3))).toBe("incomplete");
    expect(acceptKey("AAAAAAAAAAAAAAAAAAAAAA==")).toBe(accepted("AAAAAAAAAAAAAAAAAAAAAA=="));
  });
});
