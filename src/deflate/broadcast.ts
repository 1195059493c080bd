import type { Deflater } from "./deflater.ts";

/**
 * Deflates messages for connections whose windows do not go on from one to the next. So the same message is the same bytes
 * for all that have windows of one size: one after the other costs one compression.
 */
export class Broadcast {
  #message: Uint8Array | undefined;
  #windowBits = 0;
  #deflated: Uint8Array | undefined;

  /** As {@link Deflater.message}; what comes out must not be changed. */
  message(message: Uint8Array, deflater: Deflater): Uint8Array | undefined {
    const { windowBits } = deflater;
    if (this.#windowBits === windowBits && isSame(message, this.#message)) return this.#deflated;
    this.#deflated = deflater.message(message);
    deflater.reset();
    // The caller may change what it passed in.
    this.#message = new Uint8Array(message);
    this.#windowBits = windowBits;
    return this.#deflated;
  }
}

function isSame(message: Uint8Array, other: Uint8Array | undefined): boolean {
  if (message.length !== other?.length) return false;
  // Most that differ do so near the end or the beginning.
  for (let i = message.length - 1; i >= 0; i--) if (message[i] !== other[i]) return false;
  return true;
}
