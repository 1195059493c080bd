/**
 * The codes of every error hybi makes, and the errors that are not the peer's doing (those are in protocol/errors.ts):
 * {@link ConnectionError} is the network's or the moment's, and the caller's own mistakes are a plain `TypeError` or
 * `RangeError`. All carry a stable `code`; the texts may change, the codes do not.
 *
 * @module
 */

/** The stable codes, each with what it says in a few words; the message of an error has the rest. */
export const errorCodes = {
  // The caller's.
  ERR_OPTION_UNKNOWN: "no such option",
  ERR_OPTION_TYPE: "wrong type",
  ERR_OPTION_RANGE: "number out of range",
  ERR_URL: "no URL of a WebSocket",
  ERR_HEADER: "header forbidden by HTTP, or the handshake's own",
  ERR_SUBPROTOCOL: "subprotocol twice, or no HTTP token",
  ERR_DATA_TYPE: "message neither a string nor bytes",
  ERR_CONTROL_TOO_LONG: "control frame over 125 bytes (RFC 6455 §5.5)",
  ERR_CLOSE_CODE: "close code not for sending (§7.4)",
  ERR_FRAME_ORDER: "fragments out of order (§5.4)",
  ERR_UNSUPPORTED: "not on this runtime",
  ERR_STATE: "not in this state",
  // The peer's, while opening.
  ERR_HANDSHAKE_REFUSED: "answered with a status other than 101",
  ERR_HANDSHAKE_RESPONSE: "response against §4.1",
  ERR_HANDSHAKE_REQUEST: "request against §4.2.1, refused",
  ERR_HANDSHAKE_HEAD: "HTTP head malformed, or past a limit",
  ERR_HANDSHAKE_TIMEOUT: "opening handshake not done in time",
  // The peer's, once open.
  ERR_PROTOCOL: "against the protocol, failed with 1002",
  ERR_INVALID_DATA: "data not of its type (§8.1), failed with 1007",
  ERR_POLICY: "past a limit on objects, failed with 1008",
  ERR_TOO_LONG: "message longer than maxLength, failed with 1009",
  ERR_BUDGET: "no memory left for unfinished messages, failed with 1013",
  ERR_DEAD_PEER: "no sign of life after a Ping",
  ERR_SLOW_CONSUMER: "queue full, closed with 1013",
  // The network's, or the moment's.
  ERR_CONNECT: "transport not opened",
  ERR_TRANSPORT: "transport broken while open",
  ERR_ABORTED: "aborted by the caller's signal",
  ERR_NOT_OPEN: "not sent, closing or closed",
  ERR_CLOSED: "closed before what was awaited",
  ERR_QUEUE_FULL: "queue full, wait before asking for more",
  ERR_DROPPED: "queue full, message dropped",
  ERR_NO_SLOT: "no decoder slot free",
  ERR_HANDLER: "listener threw, closed with 1011",
  // The codec's.
  ERR_CODEC: "no build of the codec works here",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The base of the errors that are not the caller's mistake. */
export class HybiError extends Error {
  // Written out, since a bundler that minifies renames the class.
  override readonly name: string = "HybiError";
  /** One of {@link errorCodes}; stable across versions. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The connection could not be opened or broke, without the peer's protocol being at fault. */
export class ConnectionError extends HybiError {
  override readonly name = "ConnectionError";
}

/** Bytes that are not what they should be, or more of them than are allowed: ERR_INVALID_DATA or ERR_TOO_LONG. */
export class DataError extends HybiError {
  override readonly name = "DataError";
}

/** A mistake of the caller: a value of the wrong type or form. */
export function typeError(code: ErrorCode, message: string): TypeError & { readonly code: ErrorCode } {
  return Object.assign(new TypeError(message), { code });
}

/** A mistake of the caller: a number outside its range. */
export function rangeError(code: ErrorCode, message: string): RangeError & { readonly code: ErrorCode } {
  return Object.assign(new RangeError(message), { code });
}
