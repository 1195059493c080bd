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
import { host as web } from "./streams.ts";
import { isStreamPair, StreamsTransport } from "./streams-transport.ts";
import { dialTls, listenTls } from "./tls.ts";

/**
 * A `net.Server` has no `onread` option for the sockets it accepts, so their handles are put into sockets that have. This
 * leans on fields that are not documented; where they are missing, or are something else, the server makes the sockets,
 * and bytes come by `data` events, with the same outcome.
 */
function takeHandles(server: net.Server, onread: net.OnReadOpts, connected: (transport: Transport) => void): void {
  type Accepted = (error: number | undefined, handle?: { readonly useUserBuffer?: unknown }) => void;
  const { _handle: listener } = server as unknown as { _handle?: { onconnection?: Accepted } | null };
  const accept = listener?.onconnection;
  if (!listener || typeof accept !== "function") return;
  listener.onconnection = (error, handle) => {
    if (error || typeof handle?.useUserBuffer !== "function") return accept.call(listener, error, handle);
    connected(new NodeTransport(new net.Socket({ handle, onread } as net.SocketConstructorOpts), true));
  };
}

function dial(options: DialOptions): Promise<Transport> {
  const { hostname, port, path, tls, signal, window } = options;
  if (tls) return dialTls(tls, options);
  const where = path === undefined ? { host: hostname, port } : { path };
  const socket = net.connect({ ...where, onread: onRead(window) });
  return connecting(new NodeTransport(socket, true), socket, "connect", signal);
}

async function listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener> {
  const { tls, window } = options;
  if (tls) return listenTls(tls, options, connected);
  const server = net.createServer({ pauseOnConnect: true }, (socket) => connected(new NodeTransport(socket, false)));
  const listener = await listening(server, options);
  takeHandles(server, onRead(window), connected);
  return listener;
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
