/**
 * Strings by way of `Buffer`, for the runtimes where it beats TextDecoder and TextEncoder: Node, and Bun.
 *
 * @module
 */
import { UNITS, WINDOW_SIZE } from "../../assembly/layout.ts";
import type { CodecExports } from "../codec/builds.ts";
import type { TextCodec } from "../codec/text.ts";

/** What `toString` and `write` come down to, without their argument handling. */
interface Shortcuts {
  latin1Slice(from: number, to: number): string;
  ucs2Slice(from: number, to: number): string;
  utf8Slice(from: number, to: number): string;
  utf8Write(string: string, at: number, most: number): number;
}

/**
 * The shortcuts are not documented, so they are taken only where they are: calling `toString` and `write` instead costs
 * an echo of short messages 7 % of its time on Node.
 *
 * Up to `most` bytes, the codec makes UTF-16 of UTF-8 before the runtime makes a string: Node takes three to eight times
 * as long for the two in one.
 */
export const bufferText = (memory: Uint8Array, { utf8ToUtf16 }: CodecExports, most = WINDOW_SIZE): TextCodec => {
  const buffer = Buffer.from(memory.buffer as ArrayBuffer);
  const names = ["latin1Slice", "ucs2Slice", "utf8Slice", "utf8Write"] as const;
  const hasShortcuts = names.every((name) => typeof (buffer as Partial<Shortcuts>)[name] === "function");
  const rest = {
    decodeBytes: (bytes: Uint8Array, ascii: boolean) =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(ascii ? "latin1" : "utf8"),
    encodeBytes: (string: string) => new TextEncoder().encode(string),
  };
  if (!hasShortcuts) {
    return {
      ...rest,
      decodeAscii: (at, length) => buffer.toString("latin1", at, at + length),
      decodeUtf8: (at, length) => buffer.toString("utf8", at, at + length),
      encode: (string, at) => buffer.write(string, at, "utf8"),
    };
  }
  const shortcuts = buffer as Buffer & Shortcuts;
  const decodeLatin1 = (at: number, length: number): string => shortcuts.latin1Slice(at, at + length);
  return {
    ...rest,
    decodeAscii: decodeLatin1,
    decodeLatin1,
    decodeUtf8(at, length) {
      if (length > most) return shortcuts.utf8Slice(at, at + length);
      const units = utf8ToUtf16(at, length, UNITS);
      return units < 0 ? shortcuts.latin1Slice(UNITS, UNITS - units) : shortcuts.ucs2Slice(UNITS, UNITS + 2 * units);
    },
    encode: (string, at) => shortcuts.utf8Write(string, at, string.length * 3),
  };
};
