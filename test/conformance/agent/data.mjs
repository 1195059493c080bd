/**
 * What the parties send each other, and how they tell of it. It runs on every runtime, and in the test as well.
 *
 * @module
 */

/** `length` bytes that look random and are the same everywhere (Numerical Recipes' linear congruential generator). */
export function noise(length, seed = 1) {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const alphabet = "aé€😀z";
const words = "the quick brown fox jumps over a lazy dog while größer wird was 日本語 ist, or 42 more of them".split(
  " ",
);

/** At least `length` units of words, the same for a seed, as compressors like them. */
function prose(length, seed = 1) {
  let text = "";
  for (let turn = seed; text.length < length; turn++)
    for (const byte of noise(64, turn)) text += `${words[byte % words.length]} `;
  return text.slice(0, length);
}

/** A message as a script writes it: a string stands for itself, the others for a message of that many units. */
export function messageOf(content) {
  if (typeof content === "string") return content;
  const { text } = content;
  if (text !== undefined) return alphabet.repeat(text / alphabet.length) + "x".repeat(text % alphabet.length);
  if ("parts" in content) return joined(content.parts.map(messageOf));
  if ("prose" in content) return prose(content.prose, content.seed);
  if ("ascii" in content) return "x".repeat(content.ascii);
  return noise(content.bytes, content.seed);
}

/** A message from its fragments. */
export function joined(parts) {
  if (typeof parts[0] === "string") return parts.join("");
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A message in a log: short ones whole, bytes as one character each; long ones as their length and a hash (FNV-1a). */
export function shown(message) {
  const isText = typeof message === "string";
  if (message.length <= 200) return isText ? message : String.fromCharCode(...message);
  let hash = 0x811c9dc5;
  for (let i = 0; i < message.length; i++)
    hash = Math.imul(hash ^ (isText ? message.charCodeAt(i) : message[i]), 0x01000193);
  return `${message.length} units, ${(hash >>> 0).toString(16)}`;
}

let pattern = new Uint8Array(0);

function patternOf(size) {
  if (pattern.length !== size) pattern = noise(size, size);
  return pattern;
}

/** One of many messages of `size` bytes, which has its number at both ends; in `memory`, if there is some of that size. */
export function block(i, size, memory) {
  const bytes = memory ?? patternOf(size).slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(0, i);
  view.setUint32(size - 4, i);
  return bytes;
}

/** Whether `bytes` are the block of that number; of a large one every 61st byte is looked at. */
export function isBlock(bytes, i, size) {
  if (!(bytes instanceof Uint8Array) || bytes.length !== size) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== i || view.getUint32(size - 4) !== i) return false;
  const right = patternOf(size);
  for (let at = 4; at < size - 4; at += 61) if (bytes[at] !== right[at]) return false;
  return true;
}
