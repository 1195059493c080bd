/**
 * The codes of every error hybi makes, and the errors that are not the peer's doing (those are in protocol/errors.ts):
 * {@link ConnectionError} is the network's or the moment's, and the caller's own mistakes are a plain `TypeError` or
 * `RangeError`. All carry a stable `code`; the texts may change, the codes do not.
 *
 * @module
 */

/** The stable codes, each with what it tells its reader. */
export const errorCodes = {
  // The caller's.
  ERR_OPTION_UNKNOWN: "An option that does not exist was given: look for a spelling mistake.",
  ERR_OPTION_TYPE: "An option has a value of the wrong type.",
  ERR_OPTION_RANGE: "An option has a number outside its range.",
  ERR_URL: "The URL is not one that a WebSocket can be opened to.",
  ERR_HEADER: "A header name or value holds a character that HTTP forbids, or names a header of the handshake itself.",
  ERR_SUBPROTOCOL: "A subprotocol is not an HTTP token, or stands twice.",
  ERR_DATA_TYPE: "What was passed as a message is neither a string nor bytes.",
  ERR_CONTROL_TOO_LONG: "A control frame carries at most 125 bytes, a close reason at most 123 (RFC 6455 §5.5).",
  ERR_CLOSE_CODE: "This code may not stand in a Close frame (RFC 6455 §7.4).",
  ERR_FRAME_ORDER: "A continuation was sent with no message open, or a new message inside an open one (RFC 6455 §5.4).",
  ERR_UNSUPPORTED: "This runtime cannot do what was asked; the message names what can be done instead.",
  ERR_STATE: "The call does not fit the state the object is in.",
  // The peer's, while opening.
  ERR_HANDSHAKE_REFUSED: "The peer answered the opening handshake with a status other than 101.",
  ERR_HANDSHAKE_RESPONSE: "The peer's answer to the opening handshake breaks RFC 6455 §4.1.",
  ERR_HANDSHAKE_REQUEST: "The client's opening handshake breaks RFC 6455 §4.2.1 and was refused.",
  ERR_HANDSHAKE_HEAD: "The peer's HTTP head is malformed or past a limit.",
  ERR_HANDSHAKE_TIMEOUT: "The opening handshake did not finish in time.",
  // The peer's, once open.
  ERR_PROTOCOL: "The peer broke RFC 6455; the connection is failed with 1002.",
  ERR_INVALID_DATA: "The peer sent data that is not what its type says (RFC 6455 §8.1); failed with 1007.",
  ERR_POLICY: "The peer passed a limit on objects; failed with 1008.",
  ERR_TOO_LONG: "The peer's message is longer than maxLength; failed with 1009.",
  // The network's, or the moment's.
  ERR_CONNECT: "The transport could not be opened.",
  ERR_TRANSPORT: "The transport broke while the connection was open.",
  ERR_ABORTED: "The caller's AbortSignal was raised.",
  ERR_NOT_OPEN: "The data was not sent, since the connection is closing or closed.",
  ERR_CLOSED: "The connection closed before what was awaited came about.",
  ERR_QUEUE_FULL: "A bounded queue is full: wait before asking for more.",
  ERR_NO_SLOT: "All decoder slots of the codec are taken by open connections.",
  ERR_HANDLER: "A listener threw; the connection was closed with 1011.",
  // The codec's.
  ERR_CODEC: "No build of the codec, or not the one asked for, works on this engine.",
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

/** A mistake of the caller: a value of the wrong type or form. */
export function typeError(code: ErrorCode, message: string): TypeError & { readonly code: ErrorCode } {
  return Object.assign(new TypeError(message), { code });
}

/** A mistake of the caller: a number outside its range. */
export function rangeError(code: ErrorCode, message: string): RangeError & { readonly code: ErrorCode } {
  return Object.assign(new RangeError(message), { code });
}
