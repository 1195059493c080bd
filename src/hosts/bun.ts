/**
 * Bun: `Bun.listen`, and `node:net` and `node:tls` to dial, since what `Bun.connect` has begun cannot be given up.
 *
 * @module
 */
import { randomFillSync } from "node:crypto";
import { lookup } from "node:dns/promises";
import * as net from "node:net";
import * as tls from "node:tls";
import type { DialOptions, Host, Listener, ListenOptions, TlsOptions, Transport } from "../driver/transport.ts";
import { typeError } from "../errors.ts";
import { bufferText } from "./buffer-text.ts";
import { BunTransport, handler, isBunSocket, takeOver, type BunSocket, type SocketHandler } from "./bun-transport.ts";
import { DuplexTransport, isDuplex, wrapDuplex } from "./duplex.ts";
import { isStreamPair, StreamsTransport } from "./streams.ts";

interface BunListener {
  readonly hostname: string;
  readonly port: number;
  /** Leaves open connections alone unless told otherwise. */
  stop(closeConnections: boolean): void;
}

declare const Bun: {
  listen(options: { readonly socket: SocketHandler; readonly [option: string]: unknown }): BunListener;
};

const pem = (value: string | Uint8Array): string | Buffer =>
  typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.length);

function tlsOptions({ ca, cert, key, passphrase }: TlsOptions): tls.SecureContextOptions {
  return {
    ...(ca !== undefined && { ca: typeof ca === "string" || ca instanceof Uint8Array ? pem(ca) : ca.map(pem) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

function dial({ hostname, port, path, tls: secure, signal, window }: DialOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const where = { ...(path === undefined ? { host: hostname, port } : { path }), allowHalfOpen: true };
    let socket: net.Socket;
    if (secure) {
      const { serverName = hostname, verify = true } = secure;
      socket = tls.connect({
        ...where,
        ...tlsOptions(secure),
        ALPNProtocols: ["http/1.1"],
        // RFC 6066 §3: an address is no server name; the certificate is checked against it all the same.
        ...(net.isIP(serverName) === 0 && { servername: serverName }),
        rejectUnauthorized: verify,
      });
    } else {
      socket = net.connect(where);
    }
    const abort = (): void => void socket.destroy(new Error("The caller gave up."));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("The connection was closed.")));
    socket.once(secure ? "secureConnect" : "connect", () => {
      signal.removeEventListener("abort", abort);
      resolve(unwrap(socket, window));
    });
    if (signal.aborted) abort();
  });
}

/**
 * Behind a socket of `node:net` is one of Bun's own, which is faster. This leans on a field that is not documented;
 * where it is missing, or is something else, the stream itself does.
 */
function unwrap(socket: net.Socket, window: Uint8Array): Transport {
  const inner = socket as unknown as { _handle: unknown };
  const handle = inner._handle;
  if (typeof handle !== "object" || handle === null || !isBunSocket(handle)) return new DuplexTransport(socket, false);
  const transport = takeOver(handle, window, socket.read() as Uint8Array | null);
  inner._handle = null;
  socket.destroy();
  return transport;
}

async function listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener> {
  const { port, host, path, tls: secure, backlog = 511, handshakeTimeout, window } = options;
  const shared = {
    socket: secure
      ? secureHandler((socket) => connected(new BunTransport(socket, window)), handshakeTimeout, secure.verify ?? false)
      : { ...handler, open: (socket: BunSocket): void => connected(new BunTransport(socket, window)) },
    backlog,
    allowHalfOpen: true,
    exclusive: true,
    reusePort: false,
    ...(secure && {
      tls: {
        ...tlsOptions(secure),
        // As TLS has it on the wire (RFC 7301 §3.1): each name behind its length.
        ALPNProtocols: "\x08http/1.1",
        requestCert: secure.verify ?? false,
        rejectUnauthorized: secure.verify ?? false,
      },
    }),
  };
  let listener: BunListener;
  if (path !== undefined) {
    listener = Bun.listen({ ...shared, unix: path });
  } else if (host !== undefined) {
    // Bun would have the whole process wait for the name.
    const { address } = await lookup(host);
    listener = Bun.listen({ ...shared, hostname: address, port });
  } else {
    try {
      listener = Bun.listen({ ...shared, hostname: "::", port });
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (!["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(code)) throw error;
      listener = Bun.listen({ ...shared, hostname: "0.0.0.0", port });
    }
  }
  return {
    address: path === undefined ? { hostname: listener.hostname, port: listener.port } : { path },
    close: () => {
      listener.stop(false);
      return Promise.resolve();
    },
  };
}

/** Hands a socket out only once its handshake is done, and well. */
function secureHandler(
  connected: (socket: BunSocket) => void,
  handshakeTimeout: number,
  verify: boolean,
): SocketHandler {
  const timers = new WeakMap<BunSocket, NodeJS.Timeout>();
  return {
    ...handler,
    open: (socket) => void timers.set(socket, setTimeout(() => socket.close(), handshakeTimeout).unref()),
    handshake(socket, success) {
      clearTimeout(timers.get(socket));
      timers.delete(socket);
      if (success && (!verify || socket.authorized)) connected(socket);
      else socket.close();
    },
  };
}

export const host: Host = {
  name: "bun",
  random: (bytes) => void randomFillSync(bytes),
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
  text: bufferText,
  reportError: (error) => console.error(error),
  dial,
  listen,
  wrap(socket, head) {
    if (isDuplex(socket)) return wrapDuplex(socket, head);
    if (isBunSocket(socket)) return takeOver(socket, undefined, head);
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError("ERR_OPTION_TYPE", "A socket must be one of Bun's or of Node's, or a pair of web streams.");
  },
};
