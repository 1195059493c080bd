/**
 * What the constructors of `WebSocket` and `WebSocketStream` have in common (WebSockets Standard §2, §3).
 *
 * @module
 */
import type { Client } from "#client";
import type { ClientOptions } from "../driver/client-connection.ts";
import { ConnectionError, typeError, type ErrorCode } from "../errors.ts";
import { isToken } from "../protocol/headers.ts";

/**
 * Options of hybi's own that the standard does not have. Subprotocols stand where the standard has them, and what becomes
 * of messages that cannot be sent it says itself.
 */
export interface WebSocketOptions extends Omit<ClientOptions, "acceptProtocols" | "slowConsumer"> {
  /** Another name of `additionalHeaders`: the one that Deno, Bun, undici and ws have for it. */
  readonly headers?: ClientOptions["additionalHeaders"];
}

/** What hybi has, and the standard's faces have not: why. */
const TAKEN: Readonly<Record<string, string>> = {
  acceptProtocols: "give the subprotocols as protocols",
  slowConsumer: "the standard says that such a connection is closed",
};

export function syntaxError(message: string): DOMException {
  return new DOMException(message, "SyntaxError");
}

/**
 * "Getting a URL record" (§3.1). A relative URL is one of where the program came from, if the runtime knows that.
 *
 * @throws {DOMException} SyntaxError
 */
export function urlRecord(url: string): URL {
  const base = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  let record: URL;
  try {
    record = new URL(url, base);
  } catch {
    // The text stays out of the message: it may hold a password.
    throw syntaxError("The URL is malformed.");
  }
  if (record.protocol === "http:") record.protocol = "ws:";
  else if (record.protocol === "https:") record.protocol = "wss:";
  if (record.protocol !== "ws:" && record.protocol !== "wss:")
    throw syntaxError(`A WebSocket is opened with ws:, wss:, http: or https:, not with ${record.protocol}`);
  // An empty fragment counts too, and `hash` does not show it.
  if (record.href.includes("#")) throw syntaxError("The URL of a WebSocket has no fragment.");
  return record;
}

/** @throws {DOMException} SyntaxError when one is no token, or stands twice in whatever case. */
export function checkProtocols(protocols: readonly string[]): void {
  for (const protocol of protocols)
    if (!isToken(protocol)) throw syntaxError(`The subprotocol ${JSON.stringify(protocol)} is not an HTTP token.`);
  if (new Set(protocols.map((protocol) => protocol.toLowerCase())).size < protocols.length)
    throw syntaxError("A subprotocol is listed twice.");
}

/**
 * "Establish a WebSocket connection" (§2).
 *
 * @param given what may hold options of hybi's own, of whatever type
 * @throws {TypeError} ERR_HEADER, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
 * @throws {RangeError} ERR_OPTION_RANGE
 */
export function establish<C extends Client>(
  url: URL,
  protocols: readonly string[],
  given: readonly unknown[],
  Class: new (url: string | URL, options: ClientOptions) => C,
): C {
  // What an interface has no parameter for it ignores (Web IDL §3.6); only an object can be options of ours.
  const options = Object.assign({}, ...given.filter((one) => Object(one) === one)) as WebSocketOptions;
  for (const [name, why] of Object.entries(TAKEN))
    if (name in options) throw typeError("ERR_OPTION_UNKNOWN", `There is no option "${name}" here: ${why}.`);
  const { headers, ...clientOptions } = { ...options, acceptProtocols: protocols };
  if (headers !== undefined && clientOptions.additionalHeaders !== undefined)
    throw typeError("ERR_OPTION_TYPE", "headers and additionalHeaders are two names for one option: give one of them.");
  if (headers !== undefined) clientOptions.additionalHeaders = headers;
  try {
    return new Class(url, clientOptions);
  } catch (error) {
    // The URL Standard takes some that lead nowhere, with port 0 for one: they fail as others that cannot be reached.
    if (!isCode(error, "ERR_URL")) throw error;
    return new Class("ws://localhost", { ...clientOptions, signal: AbortSignal.abort(error) });
  }
}

/** What a client that {@link establish} has made failed with. */
export function failureOf(error: Error): Error {
  const { cause } = error;
  if (!isCode(error, "ERR_ABORTED") || !isCode(cause, "ERR_URL")) return error;
  return new ConnectionError("ERR_CONNECT", `This URL leads nowhere: ${cause.message}`, { cause });
}

function isCode(error: unknown, code: ErrorCode): error is Error {
  return error instanceof Error && (error as { readonly code?: unknown }).code === code;
}
