/**
 * How strings are made from, and written to, linear memory. The standard's TextDecoder and TextEncoder work everywhere;
 * a host may hand in what is faster on its runtime ({@link Codec.useText}).
 *
 * @module
 */
import type { CodecExports } from "./builds.ts";

export interface TextCodec {
  /** The string of `length` bytes at `at`, all of them below 0x80. */
  decodeAscii(at: number, length: number): string;
  /** The string with a UTF-16 unit for each byte, where the runtime makes it as fast as {@link decodeAscii}. */
  decodeLatin1?(at: number, length: number): string;
  /** The string of `length` bytes of valid UTF-8 at `at`, a window's at most. */
  decodeUtf8(at: number, length: number): string;
  /** The string of valid UTF-8 that lies outside linear memory; `ascii` when all bytes are below 0x80. */
  decodeBytes(bytes: Uint8Array, ascii: boolean): string;
  /**
   * Writes `text` as UTF-8 at `at` and answers the bytes written; a lone surrogate becomes U+FFFD. The caller has seen
   * to it that three bytes for each UTF-16 unit have room.
   */
  encode(text: string, at: number): number;
  /** The UTF-8 of `text`, in memory of its own. */
  encodeBytes(text: string): Uint8Array;
}

declare const TextDecoder: new (
  label: string,
  options: { ignoreBOM: boolean; fatal?: boolean },
) => { decode(bytes: Uint8Array): string };
declare const TextEncoder: new () => {
  encode(text: string): Uint8Array;
  encodeInto(text: string, bytes: Uint8Array): { written: number };
};

export type TextCodecFactory = (memory: Uint8Array, kernels: CodecExports) => TextCodec;

/** A U+FEFF at the start is part of the message (the Encoding Standard's decoders would drop it by default). */
export const standardText = (memory: Uint8Array): TextCodec => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const encoder = new TextEncoder();
  const decodeUtf8 = (at: number, length: number): string => decoder.decode(memory.subarray(at, at + length));
  return {
    decodeAscii: decodeUtf8,
    decodeUtf8,
    decodeBytes: (bytes) => decoder.decode(bytes),
    encode: (text, at) => encoder.encodeInto(text, memory.subarray(at)).written,
    encodeBytes: (text) => encoder.encode(text),
  };
};
