import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import {
  EVENT_ASCII,
  EVENT_FIRST,
  EVENT_LAST,
  EVENT_OPCODE,
  EVENT_RSV,
  MAX_EMPTY_RUN,
  VIOLATION_CONTROL_FRAGMENTED,
  VIOLATION_CONTROL_TOO_LONG,
  VIOLATION_EMPTY_FRAGMENTS,
  VIOLATION_LENGTH_NOT_MINIMAL,
  VIOLATION_LENGTH_TOP_BIT,
  VIOLATION_MASKED,
  VIOLATION_MESSAGE_UNFINISHED,
  VIOLATION_NOTHING_TO_CONTINUE,
  VIOLATION_OPCODE,
  VIOLATION_RESERVED_BITS,
  VIOLATION_TOO_LONG,
  VIOLATION_TOO_MANY_FRAGMENTS,
  VIOLATION_UNMASKED,
  VIOLATION_UTF8,
} from "../../assembly/layout.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { Decoder } from "../../src/codec/decoder.ts";
import type { DecoderLimits } from "../../src/codec/slot-decoder.ts";
import { SlotDecoder } from "./slot-decoder.ts";
import { violationOf, type Violation } from "../../src/codec/violation.ts";
import { judge } from "./utf8.ts";
import { latin1, masked, shortestForm, type Role } from "./wire.ts";

/** What a decoder reports of one frame, its pieces joined. */
export interface FrameEvent {
  /** Of the message, or the control frame. */
  opcode: number;
  rsv: number;
  first: boolean;
  last: boolean;
  /** With `last`: all of a text message is ASCII. */
  ascii: boolean;
  /** The payload as far as it is there, one character a byte. */
  data: string;
  /** Bytes still to come, at most 2^32 - 1. */
  left: number;
}

/** What a byte stream comes to, however it is cut. Of a frame that breaks the UTF-8 rule nothing is kept. */
export interface Decoded {
  events: FrameEvent[];
  violation: Violation | undefined;
}

export const unlimited = (role: Role): DecoderLimits => ({
  role,
  maxLength: Number.MAX_SAFE_INTEGER,
  maxFragments: 0xffffffff,
  allowedRsv: 0,
});

interface OpenMessage {
  opcode: number;
  rsv: number;
  length: bigint;
  fragments: number;
  emptyRun: number;
  bytes: number[];
}

/** A message that an extension has changed may be a little longer than it was. */
const mostOf = (rsv: number, maxLength: number): number => (rsv ? maxLength + maxLength / 1024 + 64 : maxLength);

/** The slow and obvious decoder: all the bytes at once, one frame after the other, by the sections of RFC 6455. */
export function reference(bytes: Uint8Array, limits: DecoderLimits): Decoded {
  const events: FrameEvent[] = [];
  let open: OpenMessage | undefined;
  let at = 0;
  const result = (violation?: number): Decoded => ({
    events,
    violation: violation === undefined ? undefined : violationOf(violation),
  });

  while (bytes.length - at >= 2) {
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const fin = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    const rsv = first & 0x70;
    const hasKey = (second & 0x80) !== 0;

    // §5.2: known by the first two bytes, thus before the rest of the header
    const startsMessage = opcode === 1 || opcode === 2;
    if ((rsv & (startsMessage ? limits.allowedRsv : 0)) !== rsv) return result(VIOLATION_RESERVED_BITS);
    if (![0, 1, 2, 8, 9, 10].includes(opcode)) return result(VIOLATION_OPCODE);
    if (limits.role === "server" && !hasKey) return result(VIOLATION_UNMASKED); // §5.1
    if (limits.role === "client" && hasKey) return result(VIOLATION_MASKED);
    const isControl = opcode >= 8;
    if (isControl && !fin) return result(VIOLATION_CONTROL_FRAGMENTED); // §5.5
    if (isControl && (second & 0x7f) > 125) return result(VIOLATION_CONTROL_TOO_LONG);
    if (opcode === 0 && !open) return result(VIOLATION_NOTHING_TO_CONTINUE); // §5.4
    if (startsMessage && open) return result(VIOLATION_MESSAGE_UNFINISHED);

    const form = (second & 0x7f) < 126 ? 7 : (second & 0x7f) === 126 ? 16 : 64;
    const lengthBytes = form === 7 ? 0 : form / 8;
    const headerLength = 2 + lengthBytes + (hasKey ? 4 : 0);
    if (bytes.length - at < headerLength) break;
    const length =
      form === 7
        ? BigInt(second & 0x7f)
        : BigInt(`0x${Buffer.from(bytes.subarray(at + 2, at + 2 + lengthBytes)).toString("hex")}`);
    const key = hasKey ? [...bytes.subarray(at + headerLength - 4, at + headerLength)] : undefined;

    if (!isControl) {
      if (length >= 1n << 63n) return result(VIOLATION_LENGTH_TOP_BIT);
      if (form !== shortestForm(length)) return result(VIOLATION_LENGTH_NOT_MINIMAL);
      open ??= { opcode, rsv, length: 0n, fragments: 0, emptyRun: 0, bytes: [] };
      open.length += length;
      open.fragments++;
      open.emptyRun = length === 0n && !fin ? open.emptyRun + 1 : 0;
      if (Number(open.length) > mostOf(open.rsv, limits.maxLength)) return result(VIOLATION_TOO_LONG);
      if (open.fragments > limits.maxFragments) return result(VIOLATION_TOO_MANY_FRAGMENTS);
      if (open.emptyRun > MAX_EMPTY_RUN) return result(VIOLATION_EMPTY_FRAGMENTS);
    }
    at += headerLength;

    const here = bytes.subarray(at, length < BigInt(bytes.length - at) ? at + Number(length) : bytes.length);
    const payload = key ? masked(here, key) : here;
    at += payload.length;
    const left = length - BigInt(payload.length);
    const last = fin && left === 0n;
    const kind = isControl || !open ? { opcode, rsv: 0 } : open;
    let ascii = false;
    // §8.1; an extension has yet to decode what has a reserved bit
    if (!isControl && open && open.opcode === 1 && open.rsv === 0) {
      for (const byte of payload) open.bytes.push(byte);
      const { verdict } = judge(open.bytes);
      if (verdict === "bad" || (last && verdict !== "whole")) return result(VIOLATION_UTF8);
      ascii = last && open.bytes.every((byte) => byte < 0x80);
    }
    const isFirst = opcode !== 0;
    // A frame is news once it has payload, or begins or ends something.
    if (payload.length > 0 || (left === 0n && (isFirst || last))) {
      events.push({
        opcode: kind.opcode,
        rsv: kind.rsv,
        first: isFirst,
        last,
        ascii,
        data: latin1(payload),
        left: left > 0xffffffffn ? 0xffffffff : Number(left),
      });
    }
    if (last && !isControl) open = undefined;
  }
  return result();
}

/**
 * Decodes the chunks, one after the other, and joins what is reported. It throws when a piece does not go on where the
 * one before it ended, or when anything is reported behind a violation.
 */
export function decodeChunks(codec: Codec, limits: DecoderLimits, chunks: Iterable<Uint8Array>): Decoded {
  const events: FrameEvent[] = [];
  let violation: Violation | undefined;
  const decoder = new SlotDecoder(codec, limits);
  try {
    for (const chunk of chunks) {
      decoder.decode(chunk, {
        piece(flags, source, at, length, left) {
          if (violation) throw new Error("A piece is reported behind a violation.");
          const event = {
            opcode: flags & EVENT_OPCODE,
            rsv: flags & EVENT_RSV,
            first: (flags & EVENT_FIRST) !== 0,
            last: (flags & EVENT_LAST) !== 0,
            ascii: (flags & EVENT_ASCII) !== 0,
            data: latin1(source.subarray(at, at + length)),
            left,
          };
          const unfinished = events.at(-1);
          if (unfinished && unfinished.left > 0) join(unfinished, event);
          else events.push(event);
          return true;
        },
        violation(found) {
          if (violation) throw new Error("A second violation is reported.");
          violation = found;
          // How much of the frame at fault was reported depends on how it was cut.
          if (found.closeCode === 1007 && events.at(-1)?.left) events.pop();
        },
      });
    }
  } finally {
    decoder.free();
  }
  return { events, violation };
}

function join(unfinished: FrameEvent, event: FrameEvent): void {
  const { opcode, rsv, first, last, ascii, data, left } = event;
  if (first || opcode !== unfinished.opcode || rsv !== unfinished.rsv || data.length === 0)
    throw new Error(`${JSON.stringify(event)} does not go on with ${JSON.stringify(unfinished)}.`);
  const due = unfinished.left - data.length;
  // From 2^32 bytes on, `left` says only that there are as many.
  if (left !== due && unfinished.left < 0xffffffff) throw new Error(`${left} bytes are left where ${due} should be.`);
  Object.assign(unfinished, { last, ascii, data: unfinished.data + data, left });
}

/** What the public decoder reports: pieces of one message, or control frame, joined while nothing comes between. */
export interface MessagePart {
  opcode: number;
  rsv: number;
  first: boolean;
  last: boolean;
  data: string;
}

export interface Parts {
  parts: MessagePart[];
  violation: Violation | undefined;
}

/** As {@link decodeChunks}, through the public class; a text message that breaks the UTF-8 rule leaves nothing behind. */
export function decodePublicly(codec: Codec, limits: DecoderLimits, chunks: Iterable<Uint8Array>): Parts {
  const parts: MessagePart[] = [];
  let violation: Violation | undefined;
  const decoder = new Decoder({ codec, ...limits });
  try {
    for (const chunk of chunks) {
      decoder.decode(chunk, {
        piece: ({ data, ...piece }) => addPart(parts, { ...piece, data: latin1(data) }),
        violation(found) {
          violation = found;
          dropUnfinished(parts, found);
        },
      });
    }
  } finally {
    decoder.free();
  }
  return { parts, violation };
}

/** The same in the terms of {@link decodePublicly}. */
export function asParts({ events, violation }: Decoded): Parts {
  const parts: MessagePart[] = [];
  for (const { opcode, rsv, first, last, data } of events) addPart(parts, { opcode, rsv, first, last, data });
  if (violation) dropUnfinished(parts, violation);
  return { parts, violation };
}

function addPart(parts: MessagePart[], part: MessagePart): void {
  const before = parts.at(-1);
  if (before && !before.last && !part.first && before.opcode === part.opcode)
    Object.assign(before, { data: before.data + part.data, last: part.last });
  else parts.push(part);
}

function dropUnfinished(parts: MessagePart[], { closeCode }: Violation): void {
  if (closeCode === 1007 && parts.at(-1)?.last === false) parts.pop();
}

/** As `expect(actual).toStrictEqual(expected)`, at a cost that allows a million of them; and outside of vitest too. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) throw new AssertionError({ message: what, actual, expected });
}

/** The stream in pieces of `size` bytes. */
export function* chopped(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** The stream whole, byte by byte, and cut into two at every place, each under a name. */
export function* everyCut(bytes: Uint8Array): Generator<readonly [string, Iterable<Uint8Array>]> {
  yield ["whole", [bytes]];
  yield ["byte by byte", chopped(bytes, 1)];
  for (let at = 1; at < bytes.length; at++) yield [`cut at ${at}`, [bytes.subarray(0, at), bytes.subarray(at)]];
}
