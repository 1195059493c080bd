/**
 * Single frames, for whoever writes a proxy, a debugger or a test: no connection, no rules beyond the frame's own form.
 *
 * @module
 */
import { SCRATCH } from "../../assembly/layout.ts";
import { rangeError } from "../errors.ts";
import { sharedCodec, keyWord, type Codec } from "./codec.ts";

/** The fields of a frame in front of its payload (RFC 6455 §5.2). */
export interface FrameHeader {
  /** The last fragment of a message. Default: true. */
  readonly fin?: boolean;
  /** The three reserved bits in their place: RSV1 0x40, RSV2 0x20, RSV3 0x10. Default: 0. */
  readonly rsv?: number;
  /** 0 to 15 (§11.8). */
  readonly opcode: number;
  /** Four bytes; absent when the frame is not masked. */
  readonly maskingKey?: Uint8Array | undefined;
}

/** A header as it was read. */
export interface DecodedFrameHeader extends Required<Omit<FrameHeader, "maskingKey">> {
  readonly maskingKey: Uint8Array | undefined;
  /** Bytes of the payload; exact below 2^53. */
  readonly payloadLength: number;
  /** Bytes of the header itself, 2 to 14: the payload starts there. */
  readonly headerLength: number;
}

const MAX_HEADER = 14;

/**
 * Reads the header that starts at `offset`; undefined when `bytes` end inside it. It reports what is there, and judges
 * nothing: a {@link Decoder} does.
 */
export function decodeFrameHeader(
  bytes: Uint8Array,
  offset = 0,
  codec: Codec = sharedCodec(),
): DecodedFrameHeader | undefined {
  const header = bytes.subarray(offset, offset + MAX_HEADER);
  if (header.length < 2) return undefined;
  codec.memory.set(header, SCRATCH);
  const headerLength = codec.exports.headerLength(SCRATCH);
  if (header.length < headerLength) return undefined;
  const masked = (header[1]! & 0x80) !== 0;
  return {
    fin: (header[0]! & 0x80) !== 0,
    rsv: header[0]! & 0x70,
    opcode: header[0]! & 0x0f,
    maskingKey: masked ? new Uint8Array(header.subarray(headerLength - 4, headerLength)) : undefined,
    payloadLength: codec.exports.payloadLength(SCRATCH),
    headerLength,
  };
}

/**
 * Writes a header.
 *
 * @throws {RangeError} ERR_OPTION_RANGE for an opcode, a reserved bit or a length that has no place in one.
 * @throws {TypeError} ERR_OPTION_TYPE for a masking key that is not four bytes.
 */
export function encodeFrameHeader(
  header: FrameHeader,
  payloadLength: number,
  codec: Codec = sharedCodec(),
): Uint8Array {
  const { fin = true, rsv = 0, opcode, maskingKey } = header;
  if (!Number.isInteger(opcode) || opcode < 0 || opcode > 15)
    throw rangeError("ERR_OPTION_RANGE", `opcode must be an integer from 0 to 15, not ${opcode}.`);
  if ((rsv & ~0x70) !== 0)
    throw rangeError("ERR_OPTION_RANGE", `rsv must be made of the bits 0x40, 0x20 and 0x10, not ${rsv}.`);
  if (!Number.isSafeInteger(payloadLength) || payloadLength < 0)
    throw rangeError("ERR_OPTION_RANGE", `A payload length is an integer from 0 to 2^53 - 1, not ${payloadLength}.`);
  const firstByte = (fin ? 0x80 : 0) | rsv | opcode;
  const key = maskingKey ? keyWord(maskingKey) : 0;
  const length = codec.exports.encodeHeader(SCRATCH, firstByte, payloadLength, maskingKey ? 1 : 0, key);
  return codec.memory.slice(SCRATCH, SCRATCH + length);
}

/** A whole frame. The payload is copied, and masked if there is a key; errors as {@link encodeFrameHeader}. */
export function encodeFrame(
  header: FrameHeader & { readonly payload: Uint8Array },
  codec: Codec = sharedCodec(),
): Uint8Array {
  const { payload, maskingKey } = header;
  const head = encodeFrameHeader(header, payload.length, codec);
  const frame = new Uint8Array(head.length + payload.length);
  frame.set(head);
  if (maskingKey) codec.maskInto(payload, frame, head.length, keyWord(maskingKey), 0);
  else frame.set(payload, head.length);
  return frame;
}
