/**
 * `hybi/driver`: connections over sockets that someone else opened.
 *
 * @module
 */
import { host } from "#host";
import { driverFor } from "./driver.ts";

export const { makeServer, makeClient } = driverFor(host);

/** The same two functions over another {@link Host}, for a runtime that hybi does not know. */
export { driverFor, type Driver } from "./driver.ts";

export { isWebSocket, type OpeningRequest } from "../protocol/server-handshake.ts";
export type { ServerEnvironment } from "./driver.ts";
export type {
  DialOptions,
  Host,
  Listener,
  ListenOptions,
  TlsOptions,
  Transport,
  TransportHandler,
} from "./transport.ts";
export * from "../connection.ts";
