/**
 * The answer to an opening handshake that is not taken (RFC 6455 §4.2.2, §4.4).
 *
 * @module
 */
import { HybiError, rangeError, typeError } from "../errors.ts";
import { HeaderFields, writeHead, type HeaderField, type HeadersInput } from "./headers.ts";

/** §4.1: the only version there is. */
export const VERSION = "13";

/**
 * Why an opening handshake was refused: `request` broke the rules of HTTP or RFC 6455 §4.2.1, or a limit; `timeout` and
 * `path` say what they say; `origin` is that of a page that may not connect; `upgrade`, the hook said no; `connections`
 * and `address`, there are too many of them; `closing`, the server is; `error` is ours.
 */
export type RefusalReason =
  "request" | "timeout" | "path" | "origin" | "upgrade" | "connections" | "address" | "closing" | "error";

interface RefusalOptions {
  readonly reason?: RefusalReason;
  readonly cause?: unknown;
}

/** What a server answers to an opening handshake that it does not take; its code is ERR_HANDSHAKE_REQUEST. */
export class RefusalError extends HybiError {
  override readonly name = "RefusalError";
  /** The HTTP status to answer with. */
  readonly status: number;
  /** Fields that the answer carries next to those of its framing, such as `Allow` or `Sec-WebSocket-Version`. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The content of the answer: text for a human, unless `headers` has another Content-Type. */
  readonly body: string;
  readonly reason: RefusalReason;

  /**
   * @param status  300 to 599, but not 304
   * @param body  the content of the answer, sent as UTF-8
   * @param headers  further fields of the answer: `Headers`, an array of pairs, or a record
   * @throws {RangeError} ERR_OPTION_RANGE for another status
   * @throws {TypeError} ERR_HEADER
   */
  constructor(
    status: number,
    body = "",
    headers: HeadersInput = [],
    { cause, reason = "upgrade" }: RefusalOptions = {},
  ) {
    super("ERR_HANDSHAKE_REQUEST", body, { cause });
    this.status = status;
    this.headers = withFieldsOfStatus(HeaderFields.from(headers), status);
    this.body = body;
    this.reason = reason;
    // A mistake shows where it was made, not when the answer is written.
    writeRefusal(this);
  }
}

/** A refusal for now. */
export function comeBack(text: string, options: RefusalOptions): RefusalError {
  return new RefusalError(503, text, [["Retry-After", "10"]], options);
}

/** The fields without which a status may not be sent: RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4. */
const fieldsOfStatus: Readonly<Record<number, readonly HeaderField[]>> = {
  405: [["Allow", "GET"]],
  426: [
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", VERSION],
  ],
};

function withFieldsOfStatus(given: HeaderFields, status: number): HeaderField[] {
  return [...given, ...(fieldsOfStatus[status] ?? []).filter(([name]) => !given.has(name))];
}

const reasons: Readonly<Record<number, string>> = {
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  414: "URI Too Long",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/**
 * A response that does not open the connection, after which the transport is to be closed. A 405 gets its `Allow` and
 * a 426 its `Upgrade` and `Sec-WebSocket-Version` unless `headers` has them.
 *
 * @param refusal.status  300 to 599, but not 304
 * @param refusal.headers  further fields, such as the `Retry-After` of a 503; none of them about framing
 * @param refusal.body  bytes, or text that is sent as UTF-8; default ""
 * @throws RangeError ERR_OPTION_RANGE for another status; TypeError ERR_HEADER for a header that may not stand here
 */
export function writeRefusal(refusal: {
  readonly status: number;
  readonly headers?: readonly HeaderField[] | undefined;
  readonly body?: string | Uint8Array | undefined;
}): Uint8Array {
  const { status, headers = [], body = "" } = refusal;
  if (!Number.isInteger(status) || status < 300 || status > 599 || status === 304) {
    throw rangeError("ERR_OPTION_RANGE", `An opening handshake is not refused with the status ${status}.`);
  }
  const given = new HeaderFields(headers);
  for (const name of ["Connection", "Content-Length", "Transfer-Encoding"]) {
    if (given.has(name)) throw typeError("ERR_HEADER", `The header ${name} belongs to the opening handshake.`);
  }
  const bytes = typeof body === "string" ? utf8(body) : body;
  const fields = withFieldsOfStatus(given, status);
  if (bytes.length > 0 && !given.has("Content-Type")) fields.push(["Content-Type", "text/plain; charset=utf-8"]);
  fields.push(["Content-Length", String(bytes.length)]);
  // RFC 9110 §7.8: who sends Upgrade names it in Connection.
  fields.push(["Connection", given.has("Upgrade") || status === 426 ? "close, Upgrade" : "close"]);
  return writeHead(`HTTP/1.1 ${status} ${reasons[status] ?? ""}`, fields, bytes);
}

/** A lone surrogate becomes U+FFFD, as in the Encoding Standard. */
function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0) as number;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), tail(code));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), tail(code >> 6), tail(code));
    else bytes.push(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code));
  }
  return Uint8Array.from(bytes);
}

function tail(code: number): number {
  return 0x80 | (code & 0x3f);
}
