import { httpServer, type HttpServer } from "./attach.ts";
import { connectionChecks, tlsOption, type ConnectionOptions } from "../driver/options.ts";
import type { TlsOptions } from "../driver/transport.ts";
import type { Upgrade } from "../driver/upgrade.ts";
import { networks } from "../protocol/address.ts";
import { amount, callable, integer, must, text, type Check } from "../protocol/options.ts";
import { originPolicy, type OriginPolicy } from "../protocol/origin.ts";

export interface ServerOptions<Data = undefined> extends ConnectionOptions {
  /** Where {@link Server.listen} listens; 0 lets the system choose. */
  readonly port?: number;
  /** An address of this machine. Default: all of them. */
  readonly host?: string;
  /** A Unix domain socket to listen on instead of a port. */
  readonly unix?: string;
  /** Speaks TLS, so that clients connect with `wss:`. Needs `cert` and `key`. */
  readonly tls?: TlsOptions;
  /**
   * A hint: connections the system is to keep until they are accepted, which it may cap. Default: 511. Bun always asks
   * for 512.
   */
  readonly backlog?: number;
  /** Attaches to this `http` or `https` server instead of listening. */
  readonly server?: HttpServer;
  /** Takes only requests for this path; others get 404, or go to another `Server` on the same port. Default: any. */
  readonly path?: string;
  /**
   * The pages that may connect: `same`, those of the host that they connect to (default); `any`; or those of the origins
   * in a list. Others get 403. A request without an Origin field comes from no browser, and is always taken.
   */
  readonly origins?: OriginPolicy;
  /** Most connections at a time (default 131,071), those that are still opening among them. Others get 503. */
  readonly maxConnections?: number;
  /**
   * Most connections at a time of one client address, or one /64 network of IPv6. Others get 503. Default: any number,
   * since many users may share an address.
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Proxies that are believed when they say in X-Forwarded-For for whom they connect: addresses, networks such as
   * "10.0.0.0/8", and "unix" for whoever comes by a Unix domain socket. Default: none.
   */
  readonly trustedProxies?: readonly string[];
  /**
   * Decides who gets in, and as whom: it answers nothing or an `Acceptance` to let the client in, and answers or throws a
   * `RefusalError` to refuse it. It may be async, within `handshakeTimeout`; past that the client gets 503. If it throws
   * anything else the client gets 500, and the server's `error` event the reason.
   */
  readonly upgrade?: Upgrade<Data>;
}

const withCertificate = must("an object with a cert and its key", (value) => {
  const { cert, key } = value as TlsOptions;
  return cert !== undefined && key !== undefined;
});

export const serverChecks: Record<keyof ServerOptions, Check> = {
  ...connectionChecks,
  port: integer(0, 65535),
  host: text,
  unix: text,
  tls: (value, name) => {
    tlsOption(value, name);
    withCertificate(value, name);
  },
  backlog: integer(1, 2 ** 31 - 1),
  server: httpServer,
  path: must('a string that begins with "/"', (value) => typeof value === "string" && value.startsWith("/")),
  origins: originPolicy,
  maxConnections: amount,
  maxConnectionsPerAddress: amount,
  trustedProxies: networks,
  upgrade: callable,
};
