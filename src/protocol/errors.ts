/**
 * The errors that are the peer's doing, while opening and once open.
 *
 * @module
 */
import { HybiError, type ErrorCode } from "../errors.ts";
import type { HeaderFields } from "./headers.ts";

/** The peer's HTTP head is malformed or past a limit (RFC 9112 §2 to §5); its code is ERR_HANDSHAKE_HEAD. */
export class HeadError extends HybiError {
  override readonly name = "HeadError";
  /** The status a server answers with; 0 at a client, which answers a response with nothing. */
  readonly status: number;

  constructor(status: number, message: string) {
    super("ERR_HANDSHAKE_HEAD", message);
    this.status = status;
  }
}

/** The server's response did not open the connection: ERR_HANDSHAKE_REFUSED or ERR_HANDSHAKE_RESPONSE. */
export class HandshakeError extends HybiError {
  override readonly name = "HandshakeError";
  /** The status of the response. */
  readonly status: number;
  /** The fields of the response. */
  readonly headers: HeaderFields;
  /** What was read of the response's content, which comes after its head; undefined until it is set. */
  body: Uint8Array | undefined = undefined;

  constructor(
    code: "ERR_HANDSHAKE_REFUSED" | "ERR_HANDSHAKE_RESPONSE",
    message: string,
    response: { readonly status: number; readonly headers: HeaderFields },
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
    this.status = response.status;
    this.headers = response.headers;
  }
}

/** The peer broke RFC 6455 or a limit on an open connection; {@link closeCode} is what it was told. */
export class ProtocolError extends HybiError {
  override readonly name = "ProtocolError";
  /** The status code of the Close frame that was sent (§7.4.1). */
  readonly closeCode: number;

  constructor(code: ErrorCode, message: string, closeCode: number) {
    super(code, message);
    this.closeCode = closeCode;
  }
}
