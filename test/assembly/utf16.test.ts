import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UNITS, UNITS_SIZE, UNITS_SLACK, WINDOW, WINDOW_SIZE } from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";
import { concat, equal } from "../helpers/bytes.ts";
import { validTexts } from "../helpers/utf8.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** For the tests that go over all there is: a busy machine may take its time. */
const patient = { timeout: 60_000 };

/** Both sides of each border between lengths in UTF-8, in UTF-16, and between units of one byte and of two. */
const characters = ["\0", "a", "\x7f", "\x80", "é", "ÿ", "Ā", "\u07ff", "\u0800", "你", "\ud7ff", "\ue000", "\ufeff", "\uffff"]
  .concat(["\u{10000}", "\u{103ff}", "\u{10400}", "😀", "\u{3ffff}", "\u{40000}", "\u{10ffff}"]); // prettier-ignore

describe.each(builds)("utf8ToUtf16, $name", ({ name, exports: { utf8ToUtf16 }, memory }) => {
  /** What it makes of a text, at `at`, with bytes around it that show when they are heeded. */
  const decoded = (bytes: Uint8Array, at = WINDOW + 37, around = 0xff): string => {
    memory.fill(around, at - 32, at + bytes.length + 32);
    memory.set(bytes, at);
    const units = utf8ToUtf16(at, bytes.length, UNITS);
    return units < 0
      ? Buffer.from(memory.buffer as ArrayBuffer, UNITS, -units).toString("latin1")
      : Buffer.from(memory.buffer as ArrayBuffer, UNITS, 2 * units).toString("utf16le");
  };

  it("has every code point right", patient, () => {
    let wrong = 0;
    for (let from = 0; from < 0x110000; from += 1024) {
      if (from >= 0xd800 && from < 0xe000) continue;
      const text = String.fromCodePoint(...Array.from({ length: 1024 }, (_, i) => from + i));
      if (decoded(bytesOf(text)) !== text) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("has each pair of characters right at every place of a block", patient, () => {
    for (const one of characters) {
      for (const other of characters) {
        for (let place = 0; place <= 33; place++) {
          const text = "x".repeat(place) + one + other + "y".repeat(33 - place);
          if (decoded(bytesOf(text)) !== text) expect.fail(`${JSON.stringify(one + other)} at ${place}`);
          if (decoded(bytesOf(text.slice(place))) !== text.slice(place)) expect.fail(JSON.stringify(one + other));
        }
      }
    }
  });

  it("takes texts of every length at every alignment, whatever lies around, and leaves them as they are", patient, () => {
    for (const character of ["a", "é", "ж", "你", "😀", "aé你😀 "]) {
      for (let count = 0; count <= 70; count++) {
        const text = character.repeat(count);
        const bytes = bytesOf(text);
        for (let at = WINDOW + 32; at < WINDOW + 49; at++) {
          for (const around of [0, 0x41, 0x80, 0xc3, 0xf0, 0xff]) {
            if (decoded(bytes, at, around) !== text) expect.fail(`${count} of ${character} at ${at}, in ${around}`);
          }
          if (!equal(memory.subarray(at, at + bytes.length), bytes)) expect.fail("wrote to its input");
        }
      }
    }
  });

  it("takes one byte for each unit exactly when that is enough, with SIMD", () => {
    for (let place = 0; place <= 40; place++) {
      for (const [character, isNarrow] of [["é", true], ["ÿ", true], ["Ā", false], ["你", false], ["😀", false]] as const) {
        const bytes = bytesOf("a".repeat(place) + character + "é".repeat(40 - place)); // prettier-ignore
        memory.set(bytes, WINDOW);
        const units = utf8ToUtf16(WINDOW, bytes.length, UNITS);
        expect(units).toBe((place + character.length + 40 - place) * (isNarrow && name === "simd" ? -1 : 1));
      }
    }
    expect(utf8ToUtf16(WINDOW, 0, UNITS)).toBe(0);
  });

  it("fills a window, and writes nowhere but to the units", () => {
    const before = memory.slice(0, UNITS);
    const behind = UNITS + UNITS_SIZE + UNITS_SLACK;
    memory.fill(0xee, behind, behind + 64);
    for (const character of ["a", "é", "ж", "你", "😀"]) {
      const text = character.repeat(WINDOW_SIZE / Buffer.byteLength(character));
      const bytes = bytesOf(text);
      memory.set(bytes, WINDOW);
      const units = utf8ToUtf16(WINDOW, bytes.length, UNITS);
      expect(Math.abs(units)).toBe(text.length);
      const buffer = Buffer.from(memory.buffer as ArrayBuffer, UNITS);
      expect(units < 0 ? buffer.toString("latin1", 0, -units) : buffer.toString("utf16le", 0, 2 * units)).toBe(text);
      expect(equal(memory.subarray(0, WINDOW), before.subarray(0, WINDOW))).toBe(true);
      expect(equal(memory.subarray(WINDOW + WINDOW_SIZE, UNITS), before.subarray(WINDOW + WINDOW_SIZE))).toBe(true);
      expect(memory.subarray(behind, behind + 64).every((byte) => byte === 0xee)).toBe(true);
    }
  });

  it("agrees with the text it was made of, whatever that is", () => {
    const part = fc.oneof(
      fc.constantFrom(...validTexts, ...characters),
      fc.string({ unit: "binary" }),
      fc.nat({ max: 60 }).map((length) => "ASCII ".repeat(10).slice(0, length)),
      fc.array(fc.constantFrom("é", "日", "😀", "a"), { maxLength: 60 }).map((all) => all.join("")),
    );
    const property = fc.property(fc.array(part, { maxLength: 8 }), fc.nat({ max: 16 }), (parts, offset) => {
      const bytes = bytesOf(parts.join(""));
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
      expect(decoded(bytes, WINDOW + 32 + offset)).toBe(text);
      expect(decoded(concat(bytes, bytesOf("é")))).toBe(text + "é");
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
