/**
 * What every way between strings and memory has to do, on whatever runtime it is tried.
 *
 * @module
 */
import assert from "node:assert/strict";
import { WINDOW, WINDOW_SIZE } from "../../assembly/layout.ts";
import { Codec } from "../../src/codec/codec.ts";
import type { TextCodec, TextCodecFactory } from "../../src/codec/text.ts";

/** Where in the memory the bytes go: in front of them and behind them nothing may change. */
const AT = WINDOW + 7;

const texts = [
  "",
  "a",
  "Hello, world",
  "Grüße, 世界 😀",
  "\ufeffwith a mark in front",
  "lone \ud800 surrogate",
  "\udc00\ud800",
  "x".repeat(5000),
  "é".repeat(30),
  "é".repeat(5000),
  "Ā".repeat(5000),
  "世界😀".repeat(2000),
];

/** Writes and reads each of the texts by the way that `make` makes, as the standard does. */
export function checkTexts(make: TextCodecFactory): void {
  const { memory, exports } = new Codec("javascript");
  const codec = make(memory, exports);
  for (const text of texts) checkText(codec, memory, text);
}

function checkText(codec: TextCodec, memory: Uint8Array, text: string): void {
  const bytes = new TextEncoder().encode(text);
  memory.fill(0xee, WINDOW, WINDOW + WINDOW_SIZE);
  assert.equal(codec.encode(text, AT), bytes.length);
  assert.deepEqual(new Uint8Array(memory.subarray(AT, AT + bytes.length)), bytes);
  assert.deepEqual([memory[AT - 1], memory[AT + bytes.length]], [0xee, 0xee]);
  const back = text.replace(/[\ud800-\udfff]/gu, "\ufffd");
  assert.equal(codec.decodeUtf8(AT, bytes.length), back);
  assert.equal(codec.decodeBytes(bytes, false), back);
  assert.deepEqual(new Uint8Array(codec.encodeBytes(text)), bytes);
  if (bytes.some((byte) => byte >= 0x80)) return;
  assert.equal(codec.decodeAscii(AT, bytes.length), text);
  assert.equal(codec.decodeBytes(bytes, true), text);
}
