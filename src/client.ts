import { host } from "#host";
import { ClientConnection, type ClientOptions } from "./driver/client-connection.ts";
import { whenOpen } from "./driver/when-open.ts";

/**
 * A connection to a server. It dials at once; listen to `open` and `error`, or use {@link connect}. Connections to one address
 * open side by side: that one waits for another there (RFC 6455 §4.1, step 2) is left to whoever opens many.
 */
export class Client extends ClientConnection {
  /**
   * @param url `ws:`, `wss:`, `http:`, `https:`, or `ws+unix:/path/of.sock:/request/path`
   * @throws {TypeError} ERR_URL, ERR_HEADER, ERR_SUBPROTOCOL, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_OPTION_RANGE
   */
  constructor(url: string | { readonly href: string }, options: ClientOptions = {}) {
    super(host, url, options);
    this.startConnection();
  }
}

/**
 * Opens a connection. Messages are held until someone listens for them or reads them.
 *
 * @throws {HandshakeError} when the server refuses: it holds status, headers and the beginning of the body.
 * @throws {ConnectionError} ERR_CONNECT, ERR_HANDSHAKE_TIMEOUT, ERR_ABORTED
 * @throws {TypeError} and {RangeError} as {@link Client}
 */
export async function connect(url: string | { readonly href: string }, options: ClientOptions = {}): Promise<Client> {
  return whenOpen(new Client(url, options));
}
