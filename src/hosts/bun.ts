/**
 * Bun: `Bun.listen`, and `node:net` and `node:tls` to dial, since what `Bun.connect` has begun cannot be given up.
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import { lookup } from "node:dns/promises";
import * as net from "node:net";
import type { DialOptions, Host, Listener, ListenOptions, Transport } from "../driver/transport.ts";
import { typeError } from "../errors.ts";
import { bufferText } from "./buffer-text.ts";
import { isBunSocket, type BunSocket, type SocketHandler } from "./bun-socket.ts";
import { BunTransport, handler, takeOver } from "./bun-transport.ts";
import { connecting, DuplexTransport, isDuplex, wrapDuplex } from "./duplex.ts";
import { onEveryAddress } from "./every-address.ts";
import { host as web } from "./streams.ts";
import { isStreamPair, StreamsTransport } from "./streams-transport.ts";
import { dialTls, secureContext } from "./tls.ts";

/** Up to this many bytes the codec's kernel beats Bun's own. */
const SHORT_TEXT = 64;

interface BunListener {
  readonly hostname: string;
  readonly port: number;
  /** Leaves open connections alone unless told otherwise. */
  stop(closeConnections: boolean): void;
}

declare const Bun: {
  listen(options: { readonly socket: SocketHandler; readonly [option: string]: unknown }): BunListener;
};

async function dial(options: DialOptions): Promise<Transport> {
  const { hostname, port, path, tls, signal, window } = options;
  if (tls) return unwrap(await dialTls(tls, options), window);
  const where = path === undefined ? { host: hostname, port } : { path };
  const socket = net.connect({ ...where, allowHalfOpen: true });
  return unwrap(await connecting(new DuplexTransport(socket, false), socket, "connect", signal), window);
}

/**
 * Behind a socket of `node:net` is one of Bun's own, which is faster and does all that the port says. This leans on a
 * field that is not documented; where it is missing, or is something else, the stream has to do.
 */
function unwrap(outer: Transport, window: Uint8Array): Transport {
  const socket = outer.raw as net.Socket & { _handle: unknown };
  const { _handle: inner } = socket;
  if (typeof inner !== "object" || inner === null || !isBunSocket(inner)) return outer;
  const transport = takeOver(inner, window, socket.read() as Uint8Array | null);
  socket._handle = null;
  socket.destroy();
  return transport;
}

/** `backlog` is a hint, which Bun does not take: it always asks the system for 512. */
async function listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener> {
  const { port, host, path, tls: secure, handshakeTimeout, window } = options;
  const shared = {
    socket: secure
      ? secureHandler((socket) => connected(new BunTransport(socket, window)), handshakeTimeout, secure.verify ?? false)
      : { ...handler, open: (socket: BunSocket): void => connected(new BunTransport(socket, window)) },
    allowHalfOpen: true,
    exclusive: true,
    reusePort: false,
    ...(secure && {
      tls: {
        ...secureContext(secure),
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
    listener = onEveryAddress((hostname) => Bun.listen({ ...shared, hostname, port }));
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
  ...web,
  name: "bun",
  lacks: [],
  channel,
  text: (memory, kernels) => bufferText(memory, kernels, SHORT_TEXT),
  dial,
  listen,
  wrap(socket, head) {
    if (isDuplex(socket)) return wrapDuplex(socket, head);
    if (isBunSocket(socket)) return takeOver(socket, undefined, head);
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError("ERR_OPTION_TYPE", "A socket must be one of Bun's or of Node's, or a pair of web streams.");
  },
};
