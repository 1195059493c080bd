/**
 * WebSocket URIs (RFC 6455 §3), read as the URL Standard reads them.
 *
 * @module
 */

import { typeError } from "../errors.ts";

/** Where to connect to, and what to ask for there. */
export interface Endpoint {
  /** Whether TLS is spoken. */
  readonly secure: boolean;
  /** The path of a Unix domain socket to dial; {@link hostname} and {@link port} are not dialed then. */
  readonly unix?: string;
  /** In lower case and ASCII; an IPv6 address without its brackets. */
  readonly hostname: string;
  readonly port: number;
  /** For the `Host` field: the default port is left out, an IPv6 address has its brackets. */
  readonly host: string;
  /** Path and query, percent-encoded; begins with "/". */
  readonly target: string;
  /** "user:password" for Basic authentication (RFC 7617), percent-decoded to Unicode; absent when the URL has none. */
  readonly credentials?: string;
}

const secureOf = new Map([
  ["ws:", false],
  ["http:", false],
  ["wss:", true],
  ["https:", true],
]);

/** C0 and C1 controls, space and DEL, which URL parsers drop or encode without a word (CVE-2026-1527). */
const FORBIDDEN = /[\u0000-\u0020\u007f-\u009f]/;

/** Scheme, socket path, and behind a second colon what is asked for there; a query needs no path before it. */
const UNIX = /^(wss?)\+unix:(?:\/\/)?(\/(?!\/)[^:?]*)(?::(\/[^?]*)?)?(\?.*)?$/is;

/**
 * Reads a WebSocket URL: `ws:` and `wss:`; `http:` and `https:`, which stand for them; and, for a Unix domain socket,
 * `ws+unix:/path/of.sock:/request/path?query` and `wss+unix:`, where the socket's path is absolute and percent-decoded.
 *
 * @throws TypeError ERR_URL for another scheme, a fragment, a control character or a space anywhere in the text,
 *   credentials that Basic authentication cannot carry, port 0, and what is no URL at all
 */
export function parseUrl(url: string | { readonly href: string }): Endpoint {
  const text: unknown = typeof url === "string" ? url : (url as { href?: unknown } | null | undefined)?.href;
  if (typeof text !== "string") throw typeError("ERR_URL", "A URL is a string or a URL object.");
  if (FORBIDDEN.test(text)) throw typeError("ERR_URL", "A URL holds neither spaces nor control characters.");
  // Only a fragment begins with this sign; an empty one counts too (RFC 6455 §3).
  if (text.includes("#")) throw typeError("ERR_URL", "The URL of a WebSocket has no fragment.");
  return /^wss?\+unix:/i.test(text) ? parseUnix(text) : parseNetwork(text);
}

function parseNetwork(text: string): Endpoint {
  const url = standardUrl(text);
  const secure = secureOf.get(url.protocol);
  if (secure === undefined) {
    throw typeError("ERR_URL", `A WebSocket is opened with ws: or wss:, not with ${url.protocol}`);
  }
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  if (port === 0) throw typeError("ERR_URL", "Port 0 cannot be connected to.");
  const credentials = credentialsOf(url);
  return {
    secure,
    hostname: url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname,
    port,
    host: url.host,
    target: url.pathname + url.search,
    ...(credentials !== undefined && { credentials }),
  };
}

function parseUnix(text: string): Endpoint {
  const [, scheme, path, requestPath = "/", query = ""] = UNIX.exec(text) ?? [];
  if (scheme === undefined || path === undefined || path === "/") {
    throw typeError("ERR_URL", "A Unix domain socket is written ws+unix:/path/of.sock:/request/path.");
  }
  const unix = percentDecoded(path);
  if (unix.includes("\0")) throw typeError("ERR_URL", "The path of a socket holds no NUL.");
  const secure = scheme.toLowerCase() === "wss";
  // Taken apart before URL parsing, whose ".." segments would otherwise climb out of the request into the socket's path.
  const { pathname, search } = standardUrl(`ws://localhost${requestPath}${query}`);
  return { secure, unix, hostname: "localhost", port: secure ? 443 : 80, host: "localhost", target: pathname + search };
}

function standardUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (error) {
    // The text stays out of the message: it may hold a password.
    throw Object.assign(typeError("ERR_URL", "The URL is malformed."), { cause: error });
  }
}

function credentialsOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const user = percentDecoded(username);
  const credentials = `${user}:${percentDecoded(password)}`;
  // RFC 7617 §2: no colon in the user-id, no control characters in either.
  if (user.includes(":") || /[\u0000-\u001f\u007f-\u009f]/.test(credentials)) {
    throw typeError("ERR_URL", "The user of a URL holds no colon, and its credentials no control characters.");
  }
  return credentials;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw typeError("ERR_URL", "A percent-encoded part of the URL is not UTF-8.");
  }
}
