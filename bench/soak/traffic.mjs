/**
 * What goes over the connections of the soak. Each message names its number and where in a pattern that both sides know
 * its content lies, so that the other side can hold all of it against what it ought to be.
 */
import { Buffer } from "node:buffer";

/** A generator of random numbers below `n`, which depend on the seeds alone (mulberry32). */
export function chance(...seeds) {
  let state = 0x9e3779b9;
  for (const seed of seeds) state = Math.imul(state ^ seed, 0x85ebca6b) ^ (state >>> 13);
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

const SIZE = 1 << 19;
const HEAD = 8;
const draw = chance(6455);
const bytes = Buffer.from(Uint8Array.from({ length: SIZE }, () => draw(256)));
// From each of the four lengths of UTF-8.
const alphabet = ["a", "b", " ", "é", "€", "😀"];
const text = Array.from({ length: SIZE }, () => alphabet[draw(alphabet.length)]).join("");

/** The next place from `i` on where the text may be cut: not inside a pair of surrogates. */
const cut = (i) => ((text.charCodeAt(i) & 0xfc00) === 0xdc00 ? i + 1 : i);

/** Mostly small, rarely as long as several reads. */
export function lengthOf(random) {
  const kind = random(100);
  if (kind < 70) return random(256);
  if (kind < 95) return random(4096);
  return kind < 99 ? random(32_768) : random(200_000);
}

/** Message number `seq`, text or binary. */
export function compose(seq, random, length = lengthOf(random)) {
  const place = random(SIZE - length);
  const at = cut(place);
  if (random(2) === 0) return `${seq} ${at} ${text.slice(at, cut(place + length))}`;
  const message = Buffer.allocUnsafe(HEAD + length);
  message.writeUInt32LE(seq, 0);
  message.writeUInt32LE(at, 4);
  bytes.copy(message, HEAD, at, at + length);
  return message;
}

/** What is wrong with a message that ought to be number `seq`; undefined if nothing is. */
export function fault(message, seq) {
  let number;
  let isWhole;
  if (typeof message === "string") {
    const [head, first, second] = /^(\d+) (\d+) /.exec(message) ?? ["", NaN, 0];
    number = Number(first);
    isWhole = message.slice(head.length) === text.slice(Number(second), Number(second) + message.length - head.length);
  } else {
    const buffer = Buffer.from(message.buffer, message.byteOffset, message.length);
    number = buffer.readUInt32LE(0);
    const at = buffer.readUInt32LE(4);
    isWhole = bytes.subarray(at, at + buffer.length - HEAD).equals(buffer.subarray(HEAD));
  }
  if (number !== seq) return `message ${number} came in the place of ${seq}`;
  return isWhole ? undefined : `message ${seq} of ${message.length} units is not what was sent`;
}

/** Sends a message, now and then in fragments. Answers whether to go on. */
export function send(ws, message, random) {
  if (random(8) > 0 || message.length < 4) return ws.send(message);
  // As bytes, text may be cut inside its characters.
  const isText = typeof message === "string";
  const data = isText ? Buffer.from(message) : message;
  const count = 2 + random(3);
  let more = true;
  for (let i = 0; i < count; i++) {
    const part = data.subarray((data.length * i) / count, (data.length * (i + 1)) / count);
    if (i === 0) more = ws.send(part, { type: isText ? "text" : "binary", fin: false });
    else more = ws.send(part, { type: "continuation", fin: i === count - 1 });
  }
  return more;
}

/** Counts by name. */
export class Tally {
  counts = {};

  add(name, by = 1) {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }
}
