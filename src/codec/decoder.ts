/**
 * The decoder of a connection's frames, as a public thing: what a proxy or a debugger feeds the bytes of one direction.
 *
 * @module
 */
import { EVENT_FIRST, EVENT_LAST, EVENT_OPCODE, EVENT_RSV } from "../../assembly/layout.ts";
import { rangeError } from "../errors.ts";
import { sharedCodec, type Codec } from "./codec.ts";
import { closeSlot, decode, openSlot, type DecoderLimits } from "./slot-decoder.ts";
import type { Violation } from "./violation.ts";

/** The codec counts fragments in 32 bits. */
const MAX_FRAGMENTS = 0xffffffff;

/** A stretch of a message's, or a control frame's, payload. */
export interface Piece {
  /** Of the message (1 text, 2 binary) or the control frame (8 to 10); never 0. */
  readonly opcode: number;
  /** Reserved bits of the message's first frame (0x40, 0x20, 0x10). */
  readonly rsv: number;
  /** It begins the message or the control frame. */
  readonly first: boolean;
  /** It ends it. */
  readonly last: boolean;
  /** The bytes, unmasked, in memory of their own. */
  readonly data: Uint8Array;
}

export interface DecoderCallbacks {
  piece(piece: Piece): void;
  /** A rule is broken; nothing is reported after it, whatever is fed. */
  violation?(violation: Violation): void;
}

export interface DecoderOptions extends Pick<DecoderLimits, "role">, Partial<Omit<DecoderLimits, "role">> {
  /** The instance to use. Default: the one that the process shares. */
  readonly codec?: Codec;
}

/**
 * Decodes one direction of one connection by the rules of RFC 6455 §5, resumable at any byte. It holds a slot of the
 * codec until {@link free}.
 */
export class Decoder {
  readonly #codec: Codec;
  /** 0 once it was given back. */
  #slot: number;

  /**
   * By default no limit is set on length or fragments, and no RSV bit is allowed.
   *
   * @throws {RangeError} ERR_OPTION_RANGE for a maxLength below 0 or a maxFragments below 1; Infinity is no limit.
   * @throws {ConnectionError} ERR_NO_SLOT when every slot of the codec is taken.
   */
  constructor(options: DecoderOptions) {
    const { role, codec = sharedCodec() } = options;
    const { maxLength = Number.MAX_SAFE_INTEGER, maxFragments = MAX_FRAGMENTS, allowedRsv = 0 } = options;
    // NaN fails both, as it should: no length is over it.
    if (!(maxLength >= 0)) throw rangeError("ERR_OPTION_RANGE", `maxLength must be 0 or more, not ${maxLength}.`);
    if (!(maxFragments >= 1))
      throw rangeError("ERR_OPTION_RANGE", `maxFragments must be 1 or more, not ${maxFragments}.`);
    this.#codec = codec;
    const limits = { role, maxLength, maxFragments: Math.min(maxFragments, MAX_FRAGMENTS), allowedRsv };
    this.#slot = openSlot(codec, limits);
  }

  /** Decodes the next bytes, however they are cut, and reports what they hold before it returns. */
  decode(chunk: Uint8Array, callbacks: DecoderCallbacks): void {
    if (this.#slot === 0) return;
    decode(this.#codec, this.#slot, chunk, {
      piece: (flags, source, at, length) => {
        callbacks.piece({
          opcode: flags & EVENT_OPCODE,
          rsv: flags & EVENT_RSV,
          first: (flags & EVENT_FIRST) !== 0,
          last: (flags & EVENT_LAST) !== 0,
          data: source.slice(at, at + length),
        });
        return this.#slot !== 0;
      },
      violation: (violation) => callbacks.violation?.(violation),
    });
  }

  /** Gives the slot back. Nothing is reported after it, whatever is fed. */
  free(): void {
    closeSlot(this.#codec, this.#slot);
    this.#slot = 0;
  }

  [Symbol.dispose](): void {
    this.free();
  }
}
