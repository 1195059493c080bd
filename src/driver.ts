/**
 * `hybi/driver`: connections over sockets that someone else opened.
 *
 * @module
 */
import { host } from "#host";
import { driverFor } from "./driver/driver.ts";

export const { makeServer, makeClient } = driverFor(host);

/** The sockets, the clock and the randomness of this runtime. */
export { host };

/** The same two functions over another {@link Host}: one for a runtime that hybi does not know, or this one's, changed. */
export { driverFor, type Driver } from "./driver/driver.ts";

export { isWebSocket, type OpeningRequest } from "./protocol/server-handshake.ts";
export type { ServerEnvironment } from "./driver/driver.ts";
export type {
  DialOptions,
  Host,
  Listener,
  ListenOptions,
  TlsOptions,
  Transport,
  TransportHandler,
} from "./driver/transport.ts";
export * from "./connection.ts";
