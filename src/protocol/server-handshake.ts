/**
 * The server's side of the opening handshake: what it reads and what it answers (RFC 6455 §4.2, §4.4).
 *
 * @module
 */

import { parseExtensions, serializeExtensions } from "./extension.ts";
import type { ExtensionOffer } from "./extension.ts";
import { HeaderFields, listElements, tokenList, writeHead } from "./headers.ts";
import type { HeaderField, HeadersInput } from "./headers.ts";
import { RefusalError, VERSION } from "./refusal.ts";
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
  checkSingle(headers, KEY, isKey);
  checkSingle(headers, HOST, isHost);
  checkNoContent(headers);
  const subprotocols = listField(headers, "Sec-WebSocket-Protocol", parseSubprotocols);
  const extensions = listField(headers, "Sec-WebSocket-Extensions", parseExtensions);

  if (!ORIGIN_FORM.test(head.target)) throw refusal(400, "The request target is not a path.");
  return new CheckedRequest(head.target, headers, subprotocols, extensions);
}

const KEY = "Sec-WebSocket-Key";
const HOST = "Host";

/** A connection keeps its request: so single fields are read from the headers when they are asked for. */
class CheckedRequest implements OpeningRequest {
  readonly method = "GET";
  readonly target: string;
  readonly path: string;
  readonly query: string;
  readonly headers: HeaderFields;
  readonly subprotocols: readonly string[];
  readonly extensions: readonly ExtensionOffer[];

  constructor(
    target: string,
    headers: HeaderFields,
    subprotocols: readonly string[],
    extensions: readonly ExtensionOffer[],
  ) {
    const queryStart = target.indexOf("?");
    this.target = target;
    this.path = queryStart < 0 ? target : target.slice(0, queryStart);
    this.query = queryStart < 0 ? "" : target.slice(queryStart + 1);
    this.headers = headers;
    this.subprotocols = subprotocols;
    this.extensions = extensions;
  }

  get key(): string {
    return this.headers.get(KEY)!;
  }

  get host(): string {
    return this.headers.get(HOST)!;
  }
}

/**
 * RFC 9112 §3.2.1, without a fragment. A second slash would make another authority of the path where it is resolved
 * as a reference, and so would a backslash, which URL parsers take for one.
 */
const ORIGIN_FORM = /^\/(?![/\\])[!"$-~]*$/;

/** RFC 9110 §7.8: a protocol, with or without its version. */
const PROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/** 16 bytes in base64 (RFC 4648 §4); the four bits left over may be anything. */
const KEY_FORM = /^[A-Za-z0-9+/]{22}==$/;

/** RFC 3986 §3.2.2, §3.2.3: an IPv6 address in brackets or a name, and a port. */
const HOST_FORM = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::[0-9]*)?$/;

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

function checkSingle(headers: HeaderFields, name: string, isValid: (value: string) => boolean): void {
  const [value, second] = headers.getAll(name);
  if (value === undefined) throw refusal(400, `The header ${name} is missing.`);
  if (second !== undefined) throw refusal(400, `The header ${name} stands there twice.`);
  if (!isValid(value)) throw refusal(400, `The header ${name} is malformed.`);
}

function isKey(value: string): boolean {
  return KEY_FORM.test(value);
}

function isHost(value: string): boolean {
  return HOST_FORM.test(value);
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
  return new RefusalError(status, text, [], { reason: "request" });
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
