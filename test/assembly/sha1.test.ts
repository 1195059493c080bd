import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { OUTBOX, SCRATCH, SCRATCH_SIZE, SLOTS, STATIC_END, WINDOW } from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";
import { equal, hex, noise } from "../helpers/bytes.ts";

describe.each(builds)("sha1, $name", ({ exports: { sha1 }, memory }) => {
  const digest = (bytes: Uint8Array): string => {
    memory.set(bytes, WINDOW);
    sha1(WINDOW, bytes.length, OUTBOX);
    return hex(memory.subarray(OUTBOX, OUTBOX + 20));
  };

  // RFC 3174 §7.3
  it.each([
    ["abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"],
    ["0123456701234567012345670123456701234567012345670123456701234567", 10, "dea356a2cddd90c7a7ecedc5ebb563934f460452"],
  ])("gives the digest of RFC 3174 for %j, %i times", (text, times, expected) => {
    expect(digest(Buffer.from(text.repeat(times)))).toBe(expected);
  });

  it("gives the digest of node:crypto for every length up to 300, and for the longest input", () => {
    for (const length of [...Array(301).keys(), 1000, 65535, 65536]) {
      const bytes = noise(length, length);
      expect(digest(bytes), `length ${length}`).toBe(createHash("sha1").update(bytes).digest("hex"));
    }
  });

  it("is not misled by what it keeps of another message", () => {
    for (const length of [60, 60, 61, 60, 124, 60, 4, 60]) {
      const bytes = noise(length, length);
      expect(digest(bytes), `length ${length}`).toBe(createHash("sha1").update(bytes).digest("hex"));
    }
  });

  it("writes to its half of the work space and to `out` alone, at every alignment", () => {
    for (let offset = 0; offset < 8; offset++) {
      for (const length of [0, 1, 55, 56, 60, 63, 64, 65, 119, 120, 128]) {
        const at = WINDOW + offset;
        const out = OUTBOX + 7 - offset;
        const bytes = noise(length, offset);
        memory.set(noise(SLOTS - STATIC_END, length), STATIC_END);
        memory.set(bytes, at);
        const expected = memory.slice(0, SLOTS);
        expected.set(createHash("sha1").update(bytes).digest(), out);
        sha1(at, length, out);
        expected.set(memory.subarray(SCRATCH, SCRATCH + SCRATCH_SIZE / 2), SCRATCH);
        expect(equal(memory.subarray(0, SLOTS), expected), `length ${length}, offset ${offset}`).toBe(true);
      }
    }
  });
});
