import type { ExtensionSession } from "../protocol/extension.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Deflater } from "./deflater.ts";
import type { Inflater } from "./inflater.ts";

export interface SessionOptions {
  /** Bytes; shorter messages are sent as they are, unless the sender says otherwise. */
  readonly threshold: number;
  readonly deflater: Deflater;
  readonly inflater: Inflater;
  /** What deflates messages in place of the deflater when its window does not go on from one to the next. */
  readonly broadcast: Broadcast | undefined;
  /** Whether the peer's window goes on from message to message. */
  readonly peerContextTakeover: boolean;
  /** The connection is closed. */
  readonly freed: () => void;
}

/** permessage-deflate at work on one connection (RFC 7692 §7.2). */
export class DeflateSession implements ExtensionSession {
  /** RSV1, "_Per-Message Compressed_" (§6). */
  readonly rsv = 0x40;
  readonly #options: SessionOptions;
  /** Whether the message that is being sent in fragments is compressed. */
  #isCompressing = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  encode(_opcode: number, data: Uint8Array, compress?: boolean): Uint8Array | undefined {
    if (!this.#isWorthIt(data, compress)) return undefined;
    const { broadcast, deflater } = this.#options;
    return broadcast ? broadcast.message(data, deflater) : deflater.message(data);
  }

  encodeFragment(opcode: number, data: Uint8Array, fin: boolean, compress?: boolean): Uint8Array | undefined {
    // The first fragment decides for the message: only it can have the bit.
    if (opcode !== 0) this.#isCompressing = this.#isWorthIt(data, compress);
    if (!this.#isCompressing) return undefined;
    const { broadcast, deflater } = this.#options;
    const fragment = deflater.fragment(data, fin);
    if (fin && broadcast) deflater.reset();
    return fragment;
  }

  decode(_opcode: number, data: Uint8Array, maxLength: number): Uint8Array {
    const { inflater, peerContextTakeover } = this.#options;
    const message = inflater.message(data, maxLength);
    if (!peerContextTakeover) inflater.reset();
    return message;
  }

  close(): void {
    const { deflater, inflater, freed } = this.#options;
    deflater.close();
    inflater.close();
    freed();
  }

  #isWorthIt(data: Uint8Array, compress: boolean | undefined): boolean {
    return compress ?? data.length >= this.#options.threshold;
  }
}
