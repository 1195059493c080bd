import type { Utf8 } from "../driver/settings.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { fatal: true });

/** What the codec does with text, by the standard's coders. */
export const text: Utf8 = {
  text: { encodeBytes: (string) => encoder.encode(string), decodeBytes: (bytes) => decoder.decode(bytes) },
  validateUtf8(bytes) {
    try {
      strict.decode(bytes);
      return true;
    } catch {
      return false;
    }
  },
};
