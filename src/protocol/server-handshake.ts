/**
 * The server's side of the opening handshake: what it reads and what it answers (RFC 6455 §4.2, §4.4).
 *
 * @module
 */

import { rangeError, typeError } from "../errors.ts";
import { RefusalError } from "./errors.ts";
import { parseExtensions, serializeExtensions } from "./extension.ts";
import type { ExtensionOffer } from "./extension.ts";
import { HeaderFields, listElements, tokenList, writeHead } from "./headers.ts";
import type { HeaderField, HeadersInput } from "./headers.ts";
import { parseSubprotocols } from "./subprotocol.ts";

/** What an opening handshake asks for, every check of §4.2.1 passed. */
export interface OpeningRequest {
  readonly method: "GET";
  /** The request target as it was sent: {@link path}, and "?" with {@link query} if there is one. */
  readonly target: string;
  /** Begins with exactly one "/"; still percent-encoded. */
  readonly path: string;
  /** What follows the "?", still percent-encoded; "" when there is none. */
  readonly query: string;
  readonly headers: HeaderFields;
  /** `Sec-WebSocket-Key`, from which the accept value is computed. */
  readonly key: string;
  /** In the client's order of preference. */
  readonly subprotocols: readonly string[];
  readonly extensions: readonly ExtensionOffer[];
  /** The `Host` field. */
  readonly host: string;
}

/** §4.1: the only version there is. */
const VERSION = "13";

/** Whether a request that a web server has read asks for a WebSocket; a method left out counts as GET. */
export function isWebSocket(request: {
  readonly method?: string | undefined;
  readonly headers: HeadersInput;
}): boolean {
  const headers = HeaderFields.from(request.headers);
  return (
    (request.method ?? "GET") === "GET" &&
    hasElement(listElements(headers.get("connection") ?? ""), "upgrade") &&
    hasElement(listElements(headers.get("upgrade") ?? ""), "websocket") &&
    headers.get("sec-websocket-version") === VERSION
  );
}

/**
 * Checks a client's opening handshake (§4.2.1).
 *
 * @param head  what a `HeadReader` read, or what a web server hands out; `version` without "HTTP/"
 * @throws RefusalError ERR_HANDSHAKE_REQUEST with the status 400, 405 or 426
 */
export function readRequest(head: {
  readonly method: string;
  readonly target: string;
  readonly version?: string | undefined;
  readonly headers: HeadersInput;
}): OpeningRequest {
  if (head.method !== "GET") throw refusal(405, "A WebSocket is opened with GET.");
  if (head.version !== undefined && head.version !== "1.1") throw refusal(426, "A WebSocket is opened over HTTP/1.1.");
  const headers = HeaderFields.from(head.headers);

  checkUpgrade(headers);
  if (headers.get("sec-websocket-version") !== VERSION) {
    throw refusal(426, `The version of the WebSocket protocol is ${VERSION}.`);
  }
  const key = singleField(headers, "Sec-WebSocket-Key", isKey);
  const host = singleField(headers, "Host", isHost);
  checkNoContent(headers);
  const subprotocols = listField(headers, "Sec-WebSocket-Protocol", parseSubprotocols);
  const extensions = listField(headers, "Sec-WebSocket-Extensions", parseExtensions);

  const { target } = head;
  if (!ORIGIN_FORM.test(target)) throw refusal(400, "The request target is not a path.");
  const queryStart = target.indexOf("?");
  const path = queryStart < 0 ? target : target.slice(0, queryStart);
  const query = queryStart < 0 ? "" : target.slice(queryStart + 1);
  return { method: "GET", target, path, query, headers, key, subprotocols, extensions, host };
}

/**
 * RFC 9112 §3.2.1, without a fragment. A second slash would make another authority of the path where it is resolved
 * as a reference, and so would a backslash, which URL parsers take for one.
 */
const ORIGIN_FORM = /^\/(?![/\\])[!"$-~]*$/;

/** RFC 9110 §7.8: a protocol, with or without its version. */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/** 16 bytes in base64 (RFC 4648 §4); the four bits left over may be anything. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** RFC 3986 §3.2.2, §3.2.3: an IPv6 address in brackets or a name, and a port. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::[0-9]*)?$/;

/** §4.2.1, items 3 and 4. */
function checkUpgrade(headers: HeaderFields): void {
  const connection = tokenList(headers.get("connection") ?? "");
  const upgrade = listElements(headers.get("upgrade") ?? "");
  if (!connection) throw refusal(400, "The header Connection is malformed.");
  if (!upgrade?.every((protocol) => PROTOCOL.test(protocol))) throw refusal(400, "The header Upgrade is malformed.");
  if (!hasElement(connection, "upgrade") || !hasElement(upgrade, "websocket")) {
    throw refusal(426, "This resource is a WebSocket.");
  }
}

function hasElement(elements: readonly string[] | undefined, lowerCase: string): boolean {
  return elements?.some((element) => element.toLowerCase() === lowerCase) ?? false;
}

function singleField(headers: HeaderFields, name: string, isValid: (value: string) => boolean): string {
  const [value, second] = headers.getAll(name);
  if (value === undefined) throw refusal(400, `The header ${name} is missing.`);
  if (second !== undefined) throw refusal(400, `The header ${name} stands there twice.`);
  if (!isValid(value)) throw refusal(400, `The header ${name} is malformed.`);
  return value;
}

function isKey(value: string): boolean {
  return KEY.test(value);
}

function isHost(value: string): boolean {
  return HOST.test(value);
}

/** Bytes behind the head are frames; content there would be a request smuggled past an intermediary. */
function checkNoContent(headers: HeaderFields): void {
  if (headers.has("transfer-encoding") || !/^0+$/.test(headers.get("content-length") ?? "0")) {
    throw refusal(400, "An opening handshake has no content.");
  }
}

/** What most requests ask for: one for all, since connections keep it. */
const NONE: readonly never[] = Object.freeze([]);

function listField<Element>(
  headers: HeaderFields,
  name: string,
  parse: (value: string) => Element[] | undefined,
): readonly Element[] {
  const value = headers.get(name);
  if (value === undefined) return NONE;
  const elements = parse(value);
  if (!elements) throw refusal(400, `The header ${name} is malformed.`);
  return elements;
}

function refusal(status: number, text: string): RefusalError {
  return new RefusalError(status, text, fieldsOfStatus(status));
}

/** The fields without which a status may not be sent: RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4. */
function fieldsOfStatus(status: number): HeaderField[] {
  if (status === 405) return [["Allow", "GET"]];
  if (status !== 426) return [];
  return [
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", VERSION],
  ];
}

/**
 * The response that opens the connection (§4.2.2).
 *
 * @param response.accept  `Sec-WebSocket-Accept`
 * @param response.extensions  the elements that `negotiate` gave
 * @param response.headers  further fields, as `headerList` checked them
 */
export function writeResponse(response: {
  readonly accept: string;
  readonly subprotocol?: string | undefined;
  readonly extensions?: readonly ExtensionOffer[] | undefined;
  readonly headers?: readonly HeaderField[] | undefined;
}): Uint8Array {
  const { accept, subprotocol, extensions = [], headers = [] } = response;
  const fields: HeaderField[] = [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", accept],
  ];
  if (subprotocol !== undefined) fields.push(["Sec-WebSocket-Protocol", subprotocol]);
  if (extensions.length > 0) fields.push(["Sec-WebSocket-Extensions", serializeExtensions(extensions)]);
  fields.push(...headers);
  return writeHead("HTTP/1.1 101 Switching Protocols", fields);
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
  const fields = [...given, ...fieldsOfStatus(status).filter(([name]) => !given.has(name))];
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
