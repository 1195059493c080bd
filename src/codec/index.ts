/**
 * `hybi/codec`: the frame codec on its own, for proxies, debuggers and tests.
 *
 * @module
 */
import { sharedCodec, type Codec } from "./codec.ts";

export { closeCodes, isCloseCode } from "./close-codes.ts";
export { Codec } from "./codec.ts";
export type { CodecBuild } from "./builds.ts";
export { Decoder, type DecoderCallbacks, type DecoderOptions, type Piece } from "./decoder.ts";
export {
  decodeFrameHeader,
  encodeFrame,
  encodeFrameHeader,
  type DecodedFrameHeader,
  type FrameHeader,
} from "./frame.ts";
export { Utf8Validator } from "./utf8-validator.ts";
export type { DecoderLimits } from "./slot-decoder.ts";
export type { Violation } from "./violation.ts";
export { ConnectionError, HybiError, errorCodes, type ErrorCode } from "../errors.ts";

/** The instance that everything in the process shares. */
export const defaultCodec: Codec = sharedCodec();

/** The Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2); see {@link Codec.acceptKey}. */
export function acceptKey(key: string, codec: Codec = defaultCodec): string {
  return codec.acceptKey(key);
}

/** A copy of `bytes`, masked or unmasked with a key of four bytes (§5.3), `phase` bytes into the payload. */
export function mask(bytes: Uint8Array, maskingKey: Uint8Array, phase = 0, codec: Codec = defaultCodec): Uint8Array {
  return codec.mask(bytes, maskingKey, phase);
}

/** Whether `bytes` are UTF-8 from end to end (RFC 3629). */
export function validateUtf8(bytes: Uint8Array, codec: Codec = defaultCodec): boolean {
  return codec.validateUtf8(bytes);
}
