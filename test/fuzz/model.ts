/**
 * RFC 6455 as one who receives has to follow it, written down from its sections alone: all the bytes at once, a frame
 * after the other. It is slow, and shares nothing with src.
 *
 * @module
 */
import { closes, fails, stays, type Event, type Outcome } from "../helpers/outcome.ts";
import { behind, boundary, type Rest } from "../helpers/utf8.ts";
import { latin1, masked, shortestForm, type Role } from "../helpers/wire.ts";

export interface Rules {
  readonly maxLength: number;
  readonly maxFragments: number;
}

/** Empty fragments in a row that hybi takes. */
const MAX_EMPTY_RUN = 16;

/** A message of which not all the fragments are there. */
interface Unfinished {
  readonly isText: boolean;
  readonly payload: number[];
  announced: bigint;
  fragments: number;
  emptyRun: number;
  /** What the text must go on with; undefined behind a bad byte. */
  rest: Rest | undefined;
}

interface Start {
  readonly fin: boolean;
  readonly reserved: number;
  readonly opcode: number;
  readonly isMasked: boolean;
  readonly short: number;
}

/** What a receiver of that role comes to by these bytes. */
export function model(role: Role, bytes: Uint8Array, rules: Rules): Outcome {
  const events: Event[] = [];
  let message: Unfinished | undefined;
  let at = 0;
  for (;;) {
    if (at + 2 > bytes.length) return stays(...events);
    const start = startOf(bytes[at]!, bytes[at + 1]!);
    if (breaksStart(start, role, message !== undefined)) return fails(1002, ...events);
    const form = start.short < 126 ? 7 : start.short === 126 ? 16 : 64;
    const lengthBytes = form === 7 ? 0 : form / 8;
    const keyAt = at + 2 + lengthBytes;
    const payloadAt = keyAt + (start.isMasked ? 4 : 0);
    if (payloadAt > bytes.length) return stays(...events);
    const length = form === 7 ? BigInt(start.short) : bigEndian(bytes.subarray(at + 2, keyAt));
    // §5.2: "the minimal number of bytes MUST be used", "the most significant bit MUST be 0"
    if (length >> 63n || form !== shortestForm(length)) return fails(1002, ...events);

    const isControl = start.opcode >= 8;
    if (!isControl) {
      message ??= { isText: start.opcode === 1, payload: [], announced: 0n, fragments: 0, emptyRun: 0, rest: boundary };
      const code = count(message, length, start.fin, rules);
      if (code) return fails(code, ...events);
    }

    const isWhole = length <= BigInt(bytes.length - payloadAt);
    const end = isWhole ? payloadAt + Number(length) : bytes.length;
    const raw = bytes.subarray(payloadAt, end);
    const payload = start.isMasked ? masked(raw, [...bytes.subarray(keyAt, payloadAt)]) : raw;
    if (message && !isControl) {
      for (const byte of payload) {
        message.payload.push(byte);
        if (message.isText && message.rest) message.rest = behind(message.rest, byte);
      }
      if (!message.rest) return fails(1007, ...events); // §8.1
    }
    if (!isWhole) return stays(...events);
    at = end;

    if (start.opcode === 9) events.push(["ping", latin1(payload)]);
    else if (start.opcode === 10) events.push(["pong", latin1(payload)]);
    else if (start.opcode === 8) return closing(payload, events);
    else if (message && start.fin) {
      if (message.rest!.length > 0) return fails(1007, ...events); // §8.1: cut inside a character
      const whole = Buffer.from(message.payload);
      events.push(message.isText ? ["text", whole.toString("utf8")] : ["binary", latin1(whole)]);
      message = undefined;
    }
  }
}

/** §5.2, the first two octets */
function startOf(first: number, second: number): Start {
  return {
    fin: first >= 0x80,
    reserved: (first >> 4) & 7,
    opcode: first & 15,
    isMasked: second >= 0x80,
    short: second & 127,
  };
}

function breaksStart({ fin, reserved, opcode, isMasked, short }: Start, role: Role, isOpen: boolean): boolean {
  if (reserved !== 0) return true; // §5.2: no extension is negotiated
  if (isMasked !== (role === "server")) return true; // §5.1
  switch (opcode) {
    case 0:
      return !isOpen; // §5.4
    case 1:
    case 2:
      return isOpen; // §5.4
    case 8:
    case 9:
    case 10:
      return !fin || short > 125; // §5.5
    default:
      return true; // §5.2: reserved
  }
}

/** Counts a frame into its message: 0, or the code of the limit that it is past. */
function count(message: Unfinished, length: bigint, fin: boolean, rules: Rules): 0 | 1008 | 1009 {
  message.announced += length;
  message.fragments++;
  message.emptyRun = length === 0n && !fin ? message.emptyRun + 1 : 0;
  if (message.announced > BigInt(rules.maxLength)) return 1009;
  return message.fragments > rules.maxFragments || message.emptyRun > MAX_EMPTY_RUN ? 1008 : 0;
}

/** §5.5.1, §7.4.2 */
function closing(payload: Uint8Array, events: Event[]): Outcome {
  if (payload.length === 0) return closes(undefined, "", ...events);
  if (payload.length === 1) return fails(1002, ...events);
  const code = payload[0]! * 256 + payload[1]!;
  const isRegistered = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014].includes(code);
  if (!isRegistered && !(code >= 3000 && code < 5000)) return fails(1002, ...events);
  let rest: Rest | undefined = boundary;
  for (const byte of payload.subarray(2)) rest = rest && behind(rest, byte);
  if (rest?.length !== 0) return fails(1007, ...events);
  return closes(code, Buffer.from(payload.subarray(2)).toString("utf8"), ...events);
}

const bigEndian = (bytes: Uint8Array): bigint => bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
