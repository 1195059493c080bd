import { HybiError } from "../errors.ts";
import { INVALID_PAYLOAD, MESSAGE_TOO_BIG } from "./close.ts";
import { ProtocolError } from "./errors.ts";
import { claimed, type ExtensionSession } from "./extension.ts";
import { CONTINUATION } from "./opcode.ts";

/** The extensions at work on a connection. What is sent passes them in their order, what is received in reverse (§9.1). */
export class ExtensionChain {
  /** The reserved bits that they have taken. */
  readonly rsv: number;
  /** Those of them that what was encoded last has to carry. */
  bits = 0;
  readonly #sessions: readonly ExtensionSession[];
  readonly #reversed: readonly ExtensionSession[];

  constructor(sessions: readonly ExtensionSession[]) {
    this.#sessions = sessions;
    this.#reversed = [...sessions].reverse();
    this.rsv = claimed(sessions);
  }

  encode(opcode: number, data: Uint8Array, compress: boolean | undefined): Uint8Array {
    this.bits = 0;
    for (const session of this.#sessions) {
      const encoded = session.encode(opcode, data, compress);
      if (!encoded) continue;
      data = encoded;
      this.bits |= session.rsv;
    }
    return data;
  }

  encodeFragment(opcode: number, data: Uint8Array, fin: boolean, compress: boolean | undefined): Uint8Array {
    this.bits = 0;
    for (const session of this.#sessions) {
      const encoded = session.encodeFragment?.(opcode, data, fin, compress);
      if (!encoded) continue;
      data = encoded;
      // Only a message's first frame has them (§5.2).
      if (opcode !== CONTINUATION) this.bits |= session.rsv;
    }
    return data;
  }

  /**
   * Undoes what was done to a message that came with these bits.
   *
   * @throws {ProtocolError} what the connection is to be failed with.
   */
  decode(opcode: number, bits: number, data: Uint8Array, maxLength: number): Uint8Array {
    try {
      for (const session of this.#reversed) if (session.rsv & bits) data = session.decode(opcode, data, maxLength);
    } catch (error) {
      throw asProtocolError(error);
    }
    // Its author may have forgotten.
    if (data.length > maxLength)
      throw new ProtocolError("ERR_TOO_LONG", "a message is decoded to more than maxLength", MESSAGE_TOO_BIG);
    return data;
  }

  close(): void {
    for (const session of this.#sessions) session.close();
  }
}

function asProtocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const isTooLong = error instanceof HybiError && error.code === "ERR_TOO_LONG";
  if (isTooLong) return new ProtocolError("ERR_TOO_LONG", text, MESSAGE_TOO_BIG);
  return new ProtocolError("ERR_INVALID_DATA", text, INVALID_PAYLOAD);
}
