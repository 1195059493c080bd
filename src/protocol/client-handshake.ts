/**
 * The client's side of the opening handshake: what it sends and what it takes for an answer (RFC 6455 §4.1).
 *
 * @module
 */

import { HybiError, typeError } from "../errors.ts";
import { HandshakeError } from "./errors.ts";
import { confirmExtensions, parseExtensions, serializeExtensions } from "./extension.ts";
import type { Extension, ExtensionOffer, ExtensionSession } from "./extension.ts";
import type { ResponseHead } from "./head.ts";
import { tokenList, writeHead } from "./headers.ts";
import type { HeaderField, HeaderFields } from "./headers.ts";

/** What a client asks for. */
export interface ClientRequest {
  /** Path and query, percent-encoded, as `parseUrl` gives it. */
  readonly target: string;
  /** The `Host` field; a `Host` among {@link headers} takes its place. */
  readonly host: string;
  /** `Sec-WebSocket-Key`: 16 random bytes in base64. */
  readonly key: string;
  /** As `checkSubprotocols` gives them; default none. */
  readonly subprotocols?: readonly string[] | undefined;
  /** What the extensions offer, the preferred first; default none. */
  readonly extensions?: readonly ExtensionOffer[] | undefined;
  /** Further fields, as `headerList` checked them. */
  readonly headers?: readonly HeaderField[] | undefined;
  readonly origin?: string | undefined;
}

/** What a server's response opens. */
export interface OpenedResponse {
  /** The one of the client's that the server took; undefined when none was offered. */
  readonly subprotocol: string | undefined;
  /** In the server's order: a message to send passes them so, a received one in reverse (§9.1). */
  readonly sessions: readonly ExtensionSession[];
  readonly status: 101;
  readonly headers: HeaderFields;
}

/**
 * The request that opens a connection.
 *
 * @throws TypeError ERR_URL or ERR_HEADER rather than sending a request line or a field that could be read as another
 */
export function writeRequest(request: ClientRequest): Uint8Array {
  const { target, key, subprotocols = [], extensions = [], headers = [], origin } = request;
  if (!/^\/[!"$-~]*$/.test(target)) throw typeError("ERR_URL", "The request target is not a path in visible ASCII.");
  const named = (name: string) => headers.find((field) => field[0].toLowerCase() === name);
  if (origin !== undefined && named("origin")) throw typeError("ERR_HEADER", "The origin is given twice.");

  const host = named("host");
  const fields: HeaderField[] = [
    host ?? ["Host", request.host],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Version", "13"],
  ];
  if (origin !== undefined) fields.push(["Origin", origin]);
  if (subprotocols.length > 0) fields.push(["Sec-WebSocket-Protocol", subprotocols.join(", ")]);
  if (extensions.length > 0) fields.push(["Sec-WebSocket-Extensions", serializeExtensions(extensions)]);
  for (const field of headers) if (field !== host) fields.push(field);
  return writeHead(`GET ${target} HTTP/1.1`, fields);
}

/** Whether a final response is still to come (RFC 9110 §15.2): read another head. A 101 is final here. */
export function isInterim(status: number): boolean {
  return status >= 100 && status <= 199 && status !== 101;
}

/**
 * Checks the server's response, in the order of §4.1.
 *
 * @param expected.accept  what `Sec-WebSocket-Accept` has to be
 * @param expected.subprotocols  those that were offered; if there are any, the server has to take one
 * @param expected.extensions  those that were offered
 * @throws HandshakeError ERR_HANDSHAKE_REFUSED for a status other than 101, ERR_HANDSHAKE_RESPONSE for a 101 that does
 *   not fit the request; its `body` is for the caller to set
 */
export function readResponse(
  head: ResponseHead,
  expected: {
    readonly accept: string;
    readonly subprotocols?: readonly string[] | undefined;
    readonly extensions?: readonly Extension[] | undefined;
  },
): OpenedResponse {
  const { status, headers } = head;
  if (status !== 101) {
    const text = `The server answered with the status ${status}${head.reason && ` ${head.reason}`}.`;
    throw new HandshakeError("ERR_HANDSHAKE_REFUSED", text, head);
  }
  if (head.version !== "1.1") throw broken(head, "The response that switches protocols is not of HTTP/1.1.");
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") {
    throw broken(head, "The header Upgrade of the response is not websocket.");
  }
  if (!tokenList(headers.get("connection") ?? "")?.some((option) => option.toLowerCase() === "upgrade")) {
    throw broken(head, "The header Connection of the response has no upgrade.");
  }
  // Two of them are joined and so never equal the one.
  if (headers.get("sec-websocket-accept") !== expected.accept) {
    throw broken(head, "The header Sec-WebSocket-Accept is not the one that follows from the key.");
  }
  // RFC 9110 §6.4.1, §8.6: a 101 has no content, which some servers say too. What follows it are frames.
  if ((headers.get("content-length") ?? "0") !== "0" || headers.has("transfer-encoding")) {
    throw broken(head, "The response that switches protocols declares content.");
  }
  const subprotocol = readSubprotocol(head, expected.subprotocols ?? []);
  return { subprotocol, sessions: readSessions(head, expected.extensions ?? []), status, headers };
}

function readSubprotocol(head: ResponseHead, offered: readonly string[]): string | undefined {
  // §11.3.4: at most once in a response. Twice, it is joined, and no offer has a comma in it.
  const subprotocol = head.headers.get("sec-websocket-protocol");
  if (subprotocol === undefined) {
    if (offered.length === 0) return undefined;
    throw broken(head, "The server took none of the subprotocols.");
  }
  if (!offered.includes(subprotocol)) throw broken(head, "The server took a subprotocol that was not offered.");
  return subprotocol;
}

function readSessions(head: ResponseHead, offered: readonly Extension[]): ExtensionSession[] {
  const value = head.headers.get("sec-websocket-extensions");
  if (value === undefined) return [];
  const responses = parseExtensions(value);
  if (!responses) throw broken(head, "The header Sec-WebSocket-Extensions of the response is malformed.");
  try {
    return confirmExtensions(responses, offered);
  } catch (error) {
    if (!(error instanceof HybiError)) throw error;
    throw broken(head, error.message, error);
  }
}

function broken(head: ResponseHead, message: string, cause?: unknown): HandshakeError {
  return new HandshakeError("ERR_HANDSHAKE_RESPONSE", message, head, cause === undefined ? undefined : { cause });
}
