/**
 * The driver: connections over sockets that someone else opened, in the way of the library hybi grew from.
 *
 * @module
 */
import { RefusalError } from "../protocol/refusal.ts";
import type { HeadersInput } from "../protocol/headers.ts";
import { readRequest, type OpeningRequest } from "../protocol/server-handshake.ts";
import { ClientConnection, type ClientOptions } from "./client-connection.ts";
import type { ConnectionOptions } from "./options.ts";
import { ServerConnection } from "./server-connection.ts";
import { settingsOf } from "./settings.ts";
import { isTransport, type Host } from "./transport.ts";

/** A request that a web server has read, with its socket: what Node's `upgrade` event supplies. */
export interface ServerEnvironment {
  readonly method?: string | undefined;
  /** The request target. */
  readonly url?: string | undefined;
  readonly headers: HeadersInput;
  /** "1.1"; what Node calls `httpVersion`. */
  readonly httpVersion?: string | undefined;
  /** The runtime's socket, or a {@link Transport}. */
  readonly socket: unknown;
  /** What was read behind the request. */
  readonly head?: Uint8Array | undefined;
}

/** The request of an environment, or why it is to be refused. */
export function requestOf(env: Omit<ServerEnvironment, "socket" | "head">): OpeningRequest | RefusalError {
  try {
    const { method = "GET", url = "/", headers, httpVersion } = env;
    return readRequest({ method, target: url, version: httpVersion, headers });
  } catch (error) {
    if (error instanceof RefusalError) return error;
    throw error;
  }
}

/** The functions of `hybi/driver`, for one runtime. */
export interface Driver {
  /**
   * The server's side of a connection over a request that a web server has read. Nothing is answered before
   * `startConnection`; a request that breaks the rules is then refused with its HTTP status.
   *
   * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE, ERR_HEADER, ERR_SUBPROTOCOL
   * @throws {RangeError} ERR_OPTION_RANGE
   */
  readonly makeServer: (env: ServerEnvironment, options?: ConnectionOptions) => ServerConnection;
  /**
   * The client's side of a connection to `url` (`ws:`, `wss:`, `ws+unix:`). Nothing is dialed before `startConnection`.
   *
   * @throws {TypeError} ERR_URL, and as {@link makeServer}
   */
  readonly makeClient: (url: string | { readonly href: string }, options?: ClientOptions) => ClientConnection;
}

export function driverFor(host: Host): Driver {
  return {
    makeServer(env, options = {}) {
      // Before the socket is touched, so that a call with a mistake in it can be made again.
      const settings = settingsOf("server", host, options);
      const { socket, head } = env;
      const transport = isTransport(socket) ? socket : host.wrap(socket, head);
      const opening = { request: requestOf(env), transport, head: transport === socket ? head : undefined };
      return new ServerConnection(settings, opening);
    },
    makeClient: (url, options = {}) => new ClientConnection(host, url, options),
  };
}
