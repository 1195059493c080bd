/**
 * Node: `net`, and `tls`.
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import type { DialOptions, Host, Listener, ListenOptions, Transport } from "../driver/transport.ts";
import { typeError } from "../errors.ts";
import { bufferText } from "./buffer-text.ts";
import { connecting, isDuplex, listening, onRead, wrapDuplex } from "./duplex.ts";
import { NodeTransport } from "./node-transport.ts";
import { host as web, isStreamPair, StreamsTransport } from "./streams.ts";
import { dialTls, listenTls } from "./tls.ts";

/**
 * A `net.Server` has no `onread` option for the sockets it accepts, so such a socket's handle is put into another one
 * that has. This leans on a field that is not documented; where it is missing, or is something else, bytes come by
 * `data` events, with the same outcome.
 */
function rewrap(accepted: net.Socket, onread: net.OnReadOpts): NodeTransport {
  const inner = accepted as unknown as { _handle: { useUserBuffer?: unknown } | null };
  const handle = inner._handle;
  if (typeof handle?.useUserBuffer !== "function") return new NodeTransport(accepted, false);
  inner._handle = null;
  accepted.destroy();
  return new NodeTransport(new net.Socket({ handle, onread } as net.SocketConstructorOpts), true);
}

function dial(options: DialOptions): Promise<Transport> {
  const { hostname, port, path, tls, signal, window } = options;
  if (tls) return dialTls(tls, options);
  const where = path === undefined ? { host: hostname, port } : { path };
  const socket = net.connect({ ...where, onread: onRead(window) });
  return connecting(new NodeTransport(socket, true), socket, "connect", signal);
}

function listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener> {
  const { tls, window } = options;
  if (tls) return listenTls(tls, options, connected);
  const onread = onRead(window);
  return listening(
    net.createServer({ pauseOnConnect: true }, (socket) => connected(rewrap(socket, onread))),
    options,
  );
}

/** Neither speaks TLS nor has a `write` that somebody else put there. */
function isPlain(socket: Duplex): boolean {
  const { prototype } = net.Socket;
  return Object.getPrototypeOf(socket) === prototype && socket.write === prototype.write;
}

export const host: Host = {
  ...web,
  name: "node",
  lacks: [],
  channel,
  text: bufferText,
  dial,
  listen,
  wrap(socket, head) {
    if (isDuplex(socket)) return wrapDuplex(socket, head, isPlain(socket) ? NodeTransport : undefined);
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError("ERR_OPTION_TYPE", "A socket must be a stream of Node's, or a pair of web streams.");
  },
};
