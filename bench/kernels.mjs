// What the codec's kernels cost, in nanoseconds a call, beside what does the same natively: in this process, in
// alternation. Masking beside bufferutil, validation beside `buffer.isUtf8`, the accept key beside node:crypto.
//
//   npm run bench:kernels -- [--rounds 9] [--only mask]… [--json build/bench.json]
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import bufferutil from "bufferutil";
import { Codec, Decoder, encodeFrame } from "hybi/codec";
import { payloads } from "./payloads.mjs";
import { versions } from "./processes.mjs";
import { keep } from "./report.mjs";
import { median, ratio } from "./stats.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    only: { type: "string", multiple: true, default: ["mask", "validate", "accept", "frames"] },
    json: { type: "string", default: "build/bench.json" },
  },
});
const rounds = Number(values.rounds);
/** Milliseconds of a contender in a round. */
const SHARE = 20;

const codec = new Codec();
const { exports, window } = codec;
const at = window.byteOffset;

/** Nanoseconds a call, where so many calls fill a share. */
function nanoseconds(work, calls) {
  const from = performance.now();
  for (let i = 0; i < calls; i++) work();
  return ((performance.now() - from) * 1e6) / calls;
}

/** Has the contenders take turns, once more than is counted, so that all are warm. */
function alternate(contenders) {
  const calls = {};
  for (const [name, work] of Object.entries(contenders)) {
    nanoseconds(work, 1000);
    calls[name] = Math.max(1, Math.ceil((SHARE * 1e6) / nanoseconds(work, 1000)));
  }
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let i = 0; i <= rounds; i++)
    for (const [name, work] of Object.entries(contenders)) {
      const each = nanoseconds(work, calls[name]);
      if (i > 0) results[name].push(each);
    }
  return results;
}

let kept;

/** `held` is the most that hybi's time may be of the other's. */
function measure(what, contenders, held) {
  const results = alternate(contenders);
  const [own, other] = Object.keys(contenders);
  const figures = Object.entries(results).map(([name, each]) => `${name} ${median(each).toFixed(1)}`);
  let line = `${what.padEnd(28)} ${figures.join(", ")} ns`;
  if (other) {
    const { median: middle, least, most } = ratio(results[own], results[other]);
    const verdict = held === undefined ? "" : middle <= held ? "reached" : "MISSED";
    line += `; ${middle.toFixed(2)} × (${least.toFixed(2)} to ${most.toFixed(2)}) the time, held to ${held?.toFixed(2)}: ${verdict}`;
  }
  console.log(line);
  kept.push({ what, held, results });
}

const sizes = [16, 125, 1024, 16_384, 65_536];
const parts = {
  mask() {
    const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
    const word = key.readInt32LE();
    for (const size of sizes) {
      const other = Buffer.alloc(size, 7);
      const contenders = {
        hybi: () => exports.mask(at, size, word, 0),
        bufferutil: () => bufferutil.unmask(other, key),
      };
      measure(`mask ${size} B`, contenders, size < 1024 ? 1 : 1 / 1.5);
    }
  },
  validate() {
    const texts = {
      ASCII: (size) => Buffer.alloc(size, "The quick brown fox. "),
      mixed: (size) => payloads.languages(size, 0),
    };
    for (const [name, make] of Object.entries(texts))
      for (const size of sizes) {
        const text = make(size);
        window.set(text);
        const contenders = { hybi: () => exports.validate(0, at, size), isUtf8: () => isUtf8(text) };
        measure(`validate ${name}, ${size} B`, contenders, name === "ASCII" ? 1 / 0.9 : 1 / 0.7);
      }
  },
  accept() {
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    const contenders = {
      hybi: () => codec.acceptKey(key),
      "node:crypto": () => createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64"),
    };
    measure("accept key", contenders, 0.5);
  },
  frames() {
    const payload = Buffer.alloc(64, "a short text. ");
    const maskingKey = Uint8Array.of(1, 2, 3, 4);
    const frame = encodeFrame({ opcode: 1, payload, maskingKey }, codec);
    const chunk = Buffer.concat(Array.from({ length: 16 }, () => frame));
    const slot = exports.openSlot(1, 0, 2 ** 26, 65_536);
    measure("header of a short text", { hybi: () => exports.encodeHeader(at, 0x81, 64, 0, 0) });
    measure("encodeFrame, 64 B", { hybi: () => encodeFrame({ opcode: 1, payload }, codec) });
    // Masked once more at each call: what matters is its length.
    window.set(chunk);
    const decoder = new Decoder({ role: "server", codec });
    const sink = { piece: () => undefined };
    measure("decode 16 × 64 B, kernel", {
      hybi() {
        window.set(chunk);
        exports.decode(slot, at, at + chunk.length);
      },
    });
    measure("decode 16 × 64 B, Decoder", { hybi: () => decoder.decode(chunk, sink) });
    exports.closeSlot(slot);
    decoder.free();
  },
};

console.log(`Node ${process.versions.node}, the codec's ${codec.build} build, ${rounds} rounds`);
for (const part of values.only) {
  if (!parts[part]) throw new Error(`The parts are ${Object.keys(parts).join(", ")}, not ${part}.`);
  kept = [];
  parts[part]();
  const record = { case: `kernels-${part}`, kind: "kernels", runtime: "node", version: versions.node, kernels: kept };
  keep(values.json, [record]);
}
