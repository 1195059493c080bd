import type { ClientOptions } from "../driver/client-connection.ts";
import { whenOpen } from "../driver/when-open.ts";
import { ClientConnection } from "./client-connection.ts";

/** A connection to a server. It dials at once; listen to `open` and `error`, or use {@link connect}. */
export class Client extends ClientConnection {
  /**
   * @param url `ws:`, `wss:`, `http:` or `https:`
   * @throws {TypeError} ERR_URL, ERR_SUBPROTOCOL, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_OPTION_RANGE
   * @throws {ConnectionError} ERR_UNSUPPORTED for what only the browser may decide
   */
  constructor(url: string | { readonly href: string }, options: ClientOptions = {}) {
    super(url, options);
    this.startConnection();
  }
}

/**
 * Opens a connection. Messages are held until someone listens for them or reads them.
 *
 * @throws {ConnectionError} ERR_CONNECT, also when the server refuses; ERR_HANDSHAKE_TIMEOUT, ERR_ABORTED
 * @throws {TypeError} and {RangeError} as {@link Client}
 */
export async function connect(url: string | { readonly href: string }, options: ClientOptions = {}): Promise<Client> {
  return whenOpen(new Client(url, options));
}
