import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OUTBOX, SCRATCH, SCRATCH_SIZE, SLOTS, STATIC_END, WINDOW } from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";
import { equal, noise } from "../helpers/bytes.ts";

/** RFC 6455 §4.2.2, step 5.4. */
function expectedFor(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

describe.each(builds)("accept, $name", ({ exports: { accept }, memory }) => {
  const accepted = (key: string, at = WINDOW, out = OUTBOX): string => {
    memory.set(Buffer.from(key, "latin1"), at);
    accept(at, out);
    return Buffer.from(memory.subarray(out, out + 28)).toString("latin1");
  };

  it("answers the example of RFC 6455 §1.3", () => {
    expect(accepted("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("answers as node:crypto does for any key, wherever it lies", () => {
    const anyNonce = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const anyOffset = fc.nat({ max: 16 });
    const check = (nonce: Uint8Array, from: number, to: number): void => {
      const key = Buffer.from(nonce).toString("base64");
      expect(accepted(key, WINDOW + from, OUTBOX + to)).toBe(expectedFor(key));
    };
    fc.assert(fc.property(anyNonce, anyOffset, anyOffset, check), { numRuns: 1000 });
  });

  it("writes to its work space and to `out` alone", () => {
    const key = "AQIDBAUGBwgJCgsMDQ4PEC==";
    memory.set(noise(SLOTS - STATIC_END), STATIC_END);
    memory.set(Buffer.from(key), WINDOW + 3);
    const expected = memory.slice(0, SLOTS);
    expected.set(Buffer.from(expectedFor(key)), OUTBOX + 5);
    accept(WINDOW + 3, OUTBOX + 5);
    expected.set(memory.subarray(SCRATCH, SCRATCH + SCRATCH_SIZE), SCRATCH);
    expect(equal(memory.subarray(0, SLOTS), expected)).toBe(true);
  });
});
