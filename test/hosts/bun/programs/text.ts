/** Strings by way of Bun's `Buffer`, whose shortcuts are not documented, held to the standard's way. */
import assert from "node:assert/strict";
import { standardText } from "../../../../src/codec/text.ts";
import { host } from "../../../../src/hosts/bun.ts";
import { run } from "./cases.ts";

const AT = 7;
const memory = new Uint8Array(65536);
const codec = host.text!(memory);
const standard = standardText(new Uint8Array(65536));

const texts = [
  "",
  "a",
  "Hello, world",
  "Grüße, 世界 😀",
  "\ufeffwith a mark in front",
  "lone \ud800 surrogate",
  "\udc00\ud800",
  "x".repeat(5000),
  "é".repeat(5000),
  "世界😀".repeat(2000),
];

await run({
  "they are written and read as the standard does": () => {
    for (const text of texts) {
      const bytes = standard.encodeBytes(text);
      memory.fill(0xee);
      assert.equal(codec.encode(text, AT), bytes.length);
      assert.deepEqual(new Uint8Array(memory.subarray(AT, AT + bytes.length)), bytes);
      assert.deepEqual([memory[AT - 1], memory[AT + bytes.length]], [0xee, 0xee]);
      const back = standard.decodeBytes(bytes, false);
      assert.equal(codec.decodeUtf8(AT, bytes.length), back);
      assert.equal(codec.decodeBytes(bytes, false), back);
      assert.deepEqual(new Uint8Array(codec.encodeBytes(text)), bytes);
      if (bytes.some((byte) => byte >= 0x80)) continue;
      assert.equal(codec.decodeAscii(AT, bytes.length), text);
      assert.equal(codec.decodeBytes(bytes, true), text);
    }
    return Promise.resolve();
  },

  "they are shortcuts indeed": () => {
    for (const name of ["latin1Slice", "utf8Slice", "utf8Write"])
      assert.equal(typeof (Buffer.prototype as unknown as Record<string, unknown>)[name], "function");
    return Promise.resolve();
  },
});
