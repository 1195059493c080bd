import { describe, expect, it } from "vitest";
import { OUTBOX, WINDOW } from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";
import { equal, noise } from "../helpers/bytes.ts";

describe.each(builds)("base64Encode, $name", ({ exports: { base64Encode }, memory }) => {
  // RFC 4648 §10
  it.each([
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ])("writes %j as %j", (text, expected) => {
    memory.set(Buffer.from(text), WINDOW);
    const length = base64Encode(WINDOW, text.length, OUTBOX);
    expect(Buffer.from(memory.subarray(OUTBOX, OUTBOX + length)).toString("latin1")).toBe(expected);
  });

  it("writes what Buffer writes for every length and alignment, and nothing else", () => {
    const margin = 8;
    for (let length = 0; length <= 300; length++) {
      for (let offset = 0; offset <= 16; offset++) {
        const bytes = noise(length, length * 17 + offset);
        const characters = Buffer.from(bytes).toString("base64");
        const expected = Buffer.alloc(margin + characters.length + margin, 0xee);
        expected.write(characters, margin, "latin1");

        const out = OUTBOX + (16 - offset);
        memory.set(bytes, WINDOW + offset);
        memory.fill(0xee, out - margin, out + characters.length + margin);
        const written = base64Encode(WINDOW + offset, length, out);
        const around = memory.subarray(out - margin, out + characters.length + margin);
        if (written !== characters.length || !equal(around, expected)) {
          expect.fail(`length ${length}, offset ${offset}: ${written} characters`);
        }
        if (!equal(memory.subarray(WINDOW + offset, WINDOW + offset + length), bytes)) {
          expect.fail(`length ${length}, offset ${offset}: wrote to its input`);
        }
      }
    }
  });
});
