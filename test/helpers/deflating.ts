import { constants, createDeflateRaw, inflateRawSync } from "node:zlib";
import { DeflateModule } from "../../src/deflate/module.ts";
import { concat } from "./bytes.ts";

/** Each build of the DEFLATE module, in an instance of its own. */
export const deflateModules = [new DeflateModule("wasm"), new DeflateModule("javascript")];

export const allLevels = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** What zlib makes of a whole stream. */
export function inflated(stream: Uint8Array): Uint8Array {
  return inflateRawSync(stream);
}

/** What zlib makes of a stream that has been flushed and goes on. */
export function inflatedSoFar(stream: Uint8Array): Uint8Array {
  return inflateRawSync(stream, { finishFlush: constants.Z_SYNC_FLUSH });
}

/** What zlib makes of messages of RFC 7692 that share a window. */
export function inflatedMessages(messages: readonly Uint8Array[]): Uint8Array {
  return inflatedSoFar(concat(...messages.flatMap((message) => [message, [0, 0, 0xff, 0xff]])));
}

/** How long zlib's messages are altogether, with context takeover. */
export async function zlibLength(messages: readonly Uint8Array[], level: number): Promise<number> {
  const stream = createDeflateRaw({ level });
  let length = 0;
  stream.on("data", (chunk: Uint8Array) => (length += chunk.length));
  for (const message of messages) {
    stream.write(message);
    await new Promise<void>((done) => {
      stream.flush(constants.Z_SYNC_FLUSH, done);
    });
    length -= 4;
  }
  stream.close();
  return length;
}

/** The greatest distance of the matches in a stream, or in one that ends with a flush (RFC 1951 §3.2). */
export function greatestDistance(stream: Uint8Array): number {
  let at = 0;
  let greatest = 0;
  const bits = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++, at++) value |= ((stream[at >> 3]! >> (at & 7)) & 1) << i;
    return value;
  };
  for (let isFinal = 0; isFinal === 0 && at < stream.length * 8;) {
    isFinal = bits(1);
    const type = bits(2);
    if (type === 0) {
      at = (at + 7) & ~7;
      const length = bits(16);
      at += 16 + length * 8;
      continue;
    }
    const [literals, distances] = type === 1 ? fixedCodes() : describedCodes(bits);
    for (let symbol; (symbol = literals(bits)) !== 256;) {
      if (symbol < 256) continue;
      if (symbol >= 265 && symbol < 285) bits((symbol - 261) >> 2);
      const of = distances(bits);
      const extra = of < 4 ? 0 : (of >> 1) - 1;
      greatest = Math.max(greatest, 1 + (of < 4 ? of : ((2 + (of & 1)) << extra) + bits(extra)));
    }
  }
  return greatest;
}

type Read = (count: number) => number;
type Code = (bits: Read) => number;

/** §3.2.2 */
function code(lengths: readonly number[]): Code {
  const symbols = new Map<string, number>();
  let next = 0;
  for (let length = 1; length <= 15; length++, next <<= 1) {
    lengths.forEach((own, symbol) => {
      if (own === length) symbols.set((next++).toString(2).padStart(length, "0"), symbol);
    });
  }
  return (bits) => {
    let read = "";
    while (!symbols.has(read)) {
      if (read.length > 15) throw new Error("a code that stands for nothing");
      read += String(bits(1));
    }
    return symbols.get(read)!;
  };
}

const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

/** §3.2.6 */
function fixedCodes(): [Code, Code] {
  return [code([...times(144, 8), ...times(112, 9), ...times(24, 7), ...times(8, 8)]), code(times(32, 5))];
}

/** §3.2.7 */
function describedCodes(bits: Read): [Code, Code] {
  const [literals, distances, count] = [257 + bits(5), 1 + bits(5), 4 + bits(4)];
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  const own = times(19, 0);
  for (let i = 0; i < count; i++) own[order[i]!] = bits(3);
  const precode = code(own);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = precode(bits);
    if (symbol < 16) lengths.push(symbol);
    else if (symbol === 16) lengths.push(...times(3 + bits(2), lengths.at(-1)!));
    else lengths.push(...times(symbol === 17 ? 3 + bits(3) : 11 + bits(7), 0));
  }
  return [code(lengths.slice(0, literals)), code(lengths.slice(literals))];
}
