// How fast a build of the codec decodes, here and now.
import { Decoder, encodeFrame } from "hybi/codec";

const maskingKey = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
const callbacks = { piece: () => undefined };
/**
 * The best of so many slices, of so many milliseconds, is taken, and between them there is a pause: an engine compiles
 * a module once more, and better, while it runs.
 */
const SLICES = 12;
const SLICE = 6;
const PAUSE = 40;

function repeated(payload, opcode, count) {
  const frame = encodeFrame({ opcode, maskingKey, payload });
  const bytes = new Uint8Array(count * frame.length);
  for (let i = 0; i < count; i++) bytes.set(frame, i * frame.length);
  return bytes;
}

/** How often `bytes` are decoded in a second. */
function rate(bytes, decoder) {
  const start = performance.now();
  let rounds = 0;
  let now = start;
  for (; now - start < SLICE; rounds++, now = performance.now()) decoder.decode(bytes, callbacks);
  return (1000 * rounds) / (now - start);
}

/** Frames a second of masked texts of 20 bytes, and bytes a second of masked binary messages of 16 KiB. */
export async function measure(codec) {
  const small = repeated(new TextEncoder().encode("twenty bytes of text"), 1, 500);
  const large = repeated(new Uint8Array(16_384).fill(0x5a), 2, 16);
  const decoder = new Decoder({ role: "server", codec });
  let framesPerSecond = 0;
  let bytesPerSecond = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    framesPerSecond = Math.max(framesPerSecond, 500 * rate(small, decoder));
    bytesPerSecond = Math.max(bytesPerSecond, large.length * rate(large, decoder));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  decoder.free();
  return { framesPerSecond, bytesPerSecond };
}
