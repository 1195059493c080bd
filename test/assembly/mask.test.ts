import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WINDOW, WINDOW_SIZE } from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";
import { equal, hex, noise, splitAt } from "../helpers/bytes.ts";

const key = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
const word = (four: Uint8Array): number => Buffer.from(four).readInt32LE();

/** RFC 6455 §5.3, to the letter. */
function masked(bytes: Uint8Array, maskingKey: Uint8Array, phase: number): Uint8Array {
  return bytes.map((octet, i) => octet ^ (maskingKey[(i + phase) % 4] ?? 0));
}

describe.each(builds)("mask, $name", ({ exports: { mask }, memory }) => {
  it("gives the masked Hello of RFC 6455 §5.7", () => {
    memory.set(Buffer.from("Hello"), WINDOW);
    expect(mask(WINDOW, 5, word(key), 0)).toBe(1);
    expect(hex(memory.subarray(WINDOW, WINDOW + 5))).toBe("7f9f4d5158");
  });

  it("does as the model does for every length, phase and alignment, and touches nothing around it", () => {
    const margin = 32;
    const wrong: string[] = [];
    for (let length = 0; length <= 300; length++) {
      const before = noise(margin + 16 + length + margin, length);
      for (let offset = 0; offset <= 16; offset++) {
        const at = WINDOW + margin + offset;
        const payload = before.subarray(margin + offset, margin + offset + length);
        for (let phase = 0; phase < 4; phase++) {
          memory.set(before, WINDOW);
          const next = mask(at, length, word(key), phase);
          const after = before.slice();
          after.set(masked(payload, key, phase), margin + offset);
          if (next !== (phase + length) % 4 || !equal(memory.subarray(WINDOW, WINDOW + after.length), after)) {
            wrong.push(`length ${length}, offset ${offset}, phase ${phase}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("fills the window", () => {
    const payload = noise(WINDOW_SIZE);
    memory.set(payload, WINDOW);
    expect(mask(WINDOW, WINDOW_SIZE, word(key), 3)).toBe(3);
    expect(equal(memory.subarray(WINDOW, WINDOW + WINDOW_SIZE), masked(payload, key, 3))).toBe(true);
  });

  it("takes a payload in pieces, and any key", () => {
    const anyKey = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const anyPlaces = fc.array(fc.nat({ max: 200 }), { maxLength: 5 });
    const check = (payload: Uint8Array, maskingKey: Uint8Array, places: number[]): void => {
      memory.set(payload, WINDOW + 1);
      let at = WINDOW + 1;
      let phase = 0;
      const within = places.map((place) => Math.min(place, payload.length));
      for (const piece of splitAt(payload, within)) {
        phase = mask(at, piece.length, word(maskingKey), phase);
        at += piece.length;
      }
      expect(hex(memory.subarray(WINDOW + 1, at))).toBe(hex(masked(payload, maskingKey, 0)));
      expect(phase).toBe(payload.length % 4);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), anyKey, anyPlaces, check));
  });
});
