// Frames as the loads send them, made before anything is measured.
import { Buffer } from "node:buffer";
import { chance } from "../corpus.mjs";
import { isText, payloads } from "../payloads.mjs";

const KEY = 4;
/** Bytes of frames that a load keeps at the least, so that a write is not cut by them. */
const LEAST = 4096;

/** The frame's head (RFC 6455 §5.2), with a masking key or without. */
function head(first, length, key) {
  const mark = key ? 0x80 : 0;
  if (length < 126) return Buffer.from([first, mark | length, ...(key ?? [])]);
  const extended = Buffer.alloc(length < 65_536 ? 2 : 8);
  if (extended.length === 2) extended.writeUInt16BE(length);
  else extended.writeBigUInt64BE(BigInt(length));
  return Buffer.from([first, mark | (extended.length === 2 ? 126 : 127), ...extended, ...(key ?? [])]);
}

function frame(first, payload, key) {
  return Buffer.concat([
    head(first, payload.length, key),
    key ? payload.map((byte, i) => byte ^ key[i & (KEY - 1)]) : payload,
  ]);
}

/** One message in `fragments` frames. */
function message(opcode, payload, key, fragments) {
  const each = Math.ceil(payload.length / fragments);
  return Buffer.concat(
    Array.from({ length: fragments }, (_, i) => {
      const first = (i === 0 ? opcode : 0) | (i === fragments - 1 ? 0x80 : 0);
      return frame(first, payload.subarray(i * each, (i + 1) * each), key?.());
    }),
  );
}

/**
 * Messages of one length, to be sent over and over.
 *
 * @returns their bytes; the length of one in them; that of one as it comes back; the first byte of one that comes back.
 */
export function frames({ payload = "ascii", size, inFlight = 1, fragments = 1, comesBack = "whole", isMasked = true }) {
  const random = chance(size);
  const opcode = isText(payload) ? 1 : 2;
  const key = isMasked ? () => random.bytes(KEY) : undefined;
  const one = (from) => message(opcode, payloads[payload](size, from), key, fragments);
  const { length } = one(0);
  const count = Math.max(inFlight, Math.ceil(LEAST / length));
  const bytes = Buffer.concat(Array.from({ length: count }, (_, i) => one(i)));
  const echoed = comesBack === "as it is" ? length : head(0, size).length + size;
  const first = comesBack === "as it is" ? bytes[0] : opcode | 0x80;
  return { bytes, length, echoed, first };
}
