import { CURSOR, EVENTS, EVENT_FAIL, EVENT_WORDS, SLOT_COUNT, WINDOW, WINDOW_SIZE } from "../../assembly/layout.ts";
import { ConnectionError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { violationOf, type Violation } from "./violation.ts";

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
   * A piece of payload, unmasked and, in a text message, validated: `length` bytes at `at` in linear memory, there only
   * during this call. `flags` are the EVENT_* bits of assembly/layout.ts; `left` counts the bytes of the same frame
   * still to come. Answers false to drop the rest of the chunk.
   */
  piece(flags: number, at: number, length: number, left: number): boolean;
  /** The frames break a rule. Whatever follows is not looked at. */
  violation(violation: Violation): void;
}

/** One connection's decoder: a slot in linear memory. The owner gives it back with {@link free}. */
export class SlotDecoder {
  readonly #codec: Codec;
  #slot: number;

  /** @throws {ConnectionError} ERR_NO_SLOT when every slot is taken. */
  constructor(codec: Codec, { role, maxLength, maxFragments, allowedRsv }: DecoderLimits) {
    this.#codec = codec;
    // The slot counts frames in 32 bits, and starts over behind them: so the last of these is as good as no limit.
    const fragments = Math.min(maxFragments, 2 ** 32 - 1);
    this.#slot = codec.exports.openSlot(role === "server" ? 1 : 0, allowedRsv, maxLength, fragments);
    if (this.#slot === 0) {
      const most = SLOT_COUNT - 1;
      throw new ConnectionError("ERR_NO_SLOT", `All ${most} decoder slots of this codec are taken: close connections.`);
    }
  }

  get isFreed(): boolean {
    return this.#slot === 0;
  }

  /**
   * Decodes a chunk; nothing, once the slot was given back. Whether it was cut here or elsewhere makes no difference to
   * what is reported in the end.
   */
  decode(chunk: Uint8Array, sink: DecoderSink): void {
    // What lies in the window already may have been cut there.
    const from = chunk.buffer === this.#codec.memory.buffer ? chunk.byteOffset : 0;
    const outer = this.#codec.enterWindow();
    try {
      if (from > 0) this.#walk(from, from + chunk.length, sink);
      else this.#decodeChunk(chunk, sink);
    } finally {
      this.#codec.leaveWindow(outer);
    }
  }

  /** As {@link decode}, of the first `length` bytes of the window, where a host has read them to. */
  decodeWindow(length: number, sink: DecoderSink): void {
    const outer = this.#codec.enterWindow();
    try {
      this.#walk(WINDOW, WINDOW + length, sink);
    } finally {
      this.#codec.leaveWindow(outer);
    }
  }

  #decodeChunk(chunk: Uint8Array, sink: DecoderSink): void {
    const { memory } = this.#codec;
    for (let from = 0; from < chunk.length; from += WINDOW_SIZE) {
      const piece = chunk.length <= WINDOW_SIZE ? chunk : chunk.subarray(from, from + WINDOW_SIZE);
      memory.set(piece, WINDOW);
      if (!this.#walk(WINDOW, WINDOW + piece.length, sink)) return;
    }
  }

  #walk(at: number, end: number, sink: DecoderSink): boolean {
    const { ascii, exports, words } = this.#codec;
    while (at < end && !this.isFreed) {
      const count = exports.decode(this.#slot, at, end);
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
        if (!sink.piece(flags, words[event + 1]!, words[event + 2]!, words[event + 3]!)) return false;
      }
    }
    return true;
  }

  /** Gives the slot back. Calling it again does nothing. */
  free(): void {
    if (this.isFreed) return;
    this.#codec.exports.closeSlot(this.#slot);
    this.#slot = 0;
  }
}
