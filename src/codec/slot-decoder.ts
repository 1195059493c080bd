/**
 * One connection's decoder: a slot in linear memory. It is known by its number alone, which costs an idle connection
 * nothing; whoever has opened it gives it back with {@link closeSlot}.
 *
 * @module
 */
import { CURSOR, EVENTS, EVENT_FAIL, EVENT_WORDS, SLOT_COUNT, WINDOW, WINDOW_SIZE } from "../../assembly/layout.ts";
import { ConnectionError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { violationOf, type Violation } from "./violation.ts";

/** A payload of so many bytes is not copied to the window where nothing but its length matters. */
const LARGE = 4096;
const OPCODE = 0x0f;
const TEXT = 1;

/** What a decoder is held to. */
export interface DecoderLimits {
  /** The role of the one who decodes: a server expects masked frames, a client unmasked ones (RFC 6455 §5.1). */
  readonly role: "client" | "server";
  /** Most bytes of one message, over all its fragments. */
  readonly maxLength: number;
  /** Most frames of one message. */
  readonly maxFragments: number;
  /** The RSV bits (0x40, 0x20, 0x10) that the negotiated extensions have taken; 0 for none. */
  readonly allowedRsv: number;
}

/** What a decode is reported to. Both calls come while the decode runs. */
export interface DecoderSink {
  /**
   * A piece of payload, unmasked and, in a text message, validated: `length` bytes of `source` from `at` on, there only
   * during this call. Text always lies in linear memory. `flags` are the EVENT_* bits of assembly/layout.ts; `left` counts
   * the bytes of the same frame still to come. Answers false to drop the rest of the chunk, and does so once the slot was
   * given back.
   */
  piece(flags: number, source: Uint8Array, at: number, length: number, left: number): boolean;
  /** The frames break a rule. Whatever follows is not looked at. */
  violation(violation: Violation): void;
}

/**
 * The number of a slot; never 0.
 *
 * @throws {ConnectionError} ERR_NO_SLOT when every slot is taken.
 */
export function openSlot(codec: Codec, { role, maxLength, maxFragments, allowedRsv }: DecoderLimits): number {
  // The slot counts frames in 32 bits, and starts over behind them: so the last of these is as good as no limit.
  const fragments = Math.min(maxFragments, 2 ** 32 - 1);
  const slot = codec.exports.openSlot(role === "server" ? 1 : 0, allowedRsv, maxLength, fragments);
  if (slot !== 0) return slot;
  const most = SLOT_COUNT - 1;
  throw new ConnectionError("ERR_NO_SLOT", `All ${most} decoder slots of this codec are taken: close connections.`);
}

/** Gives the slot back, once; does nothing with 0. */
export function closeSlot(codec: Codec, slot: number): void {
  if (slot !== 0) codec.exports.closeSlot(slot);
}

/** Decodes a chunk. Whether it was cut here or elsewhere makes no difference to what is reported in the end. */
export function decode(codec: Codec, slot: number, chunk: Uint8Array, sink: DecoderSink): void {
  // What lies in the window already may have been cut there.
  const from = chunk.buffer === codec.memory.buffer ? chunk.byteOffset : 0;
  const outer = codec.enterWindow();
  try {
    if (from > 0) walk(codec, slot, codec.memory, from, from + chunk.length, sink);
    else decodeChunk(codec, slot, chunk, sink);
  } finally {
    codec.leaveWindow(outer);
  }
}

/** As {@link decode}, of the first `length` bytes of the window, where a host has read them to. */
export function decodeWindow(codec: Codec, slot: number, length: number, sink: DecoderSink): void {
  const outer = codec.enterWindow();
  try {
    walk(codec, slot, codec.memory, WINDOW, WINDOW + length, sink);
  } finally {
    codec.leaveWindow(outer);
  }
}

function decodeChunk(codec: Codec, slot: number, chunk: Uint8Array, sink: DecoderSink): void {
  for (let from = 0, to: number; from < chunk.length; from = to) {
    const rest = chunk.length - from;
    const counted = rest < LARGE ? 0 : codec.exports.countedNext(slot);
    if (counted >= LARGE) {
      to = from + Math.min(rest, counted);
      // A Buffer's `slice` would not copy.
      const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      if (!walk(codec, slot, plain, from, to, sink)) return;
    } else {
      to = from + ((counted < 0 && headerOfLarge(chunk, from)) || Math.min(rest, WINDOW_SIZE));
      codec.memory.set(to - from === chunk.length ? chunk : chunk.subarray(from, to), WINDOW);
      if (!walk(codec, slot, codec.memory, WINDOW, WINDOW + to - from, sink)) return;
    }
  }
}

/** How long the header is if a large frame that is neither masked nor text begins at `at`, else 0: only a place to cut. */
function headerOfLarge(chunk: Uint8Array, at: number): number {
  if ((chunk[at]! & OPCODE) === TEXT) return 0;
  if (chunk[at + 1] === 127) return 10;
  return chunk[at + 1] === 126 && chunk[at + 2]! >= LARGE >> 8 ? 4 : 0;
}

/** Decodes what `source` has from `at` to `end`. */
function walk(codec: Codec, slot: number, source: Uint8Array, at: number, end: number, sink: DecoderSink): boolean {
  const { ascii, exports, words } = codec;
  while (at < end) {
    const count = exports.decode(slot, at, end);
    // Read before the walk: a listener may decode something else, and only the table is put back behind it.
    at = words[CURSOR / 4]!;
    ascii.begin(at);
    const last = EVENTS / 4 + count * EVENT_WORDS;
    for (let event = EVENTS / 4; event < last; event += EVENT_WORDS) {
      const flags = words[event]!;
      if (flags & EVENT_FAIL) {
        sink.violation(violationOf(words[event + 1]!));
        return false;
      }
      if (!sink.piece(flags, source, words[event + 1]!, words[event + 2]!, words[event + 3]!)) return false;
    }
  }
  return true;
}
