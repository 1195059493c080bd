/**
 * Node: `net` and `tls`.
 *
 * @module
 */
import { randomFillSync } from "node:crypto";
import * as net from "node:net";
import * as tls from "node:tls";
import type { DialOptions, Host, Listener, ListenOptions, TlsOptions, Transport } from "../driver/transport.ts";
import { typeError } from "../errors.ts";
import { bufferText } from "./buffer-text.ts";
import { DuplexTransport, isDuplex, wrapDuplex } from "./duplex.ts";
import { isStreamPair, StreamsTransport } from "./streams.ts";

/** The option of `net.Socket` that has the system read straight into `window`, which spares 64 KiB of garbage a read. */
function onRead(window: Uint8Array, transport: () => DuplexTransport): net.OnReadOpts {
  return {
    buffer: window,
    callback(length) {
      transport().read(window.subarray(0, length));
      return true;
    },
  };
}

/**
 * A `net.Server` has no `onread` option for the sockets it accepts, so such a socket's handle is put into another one
 * that has. This leans on a field that is not documented; where it is missing, or is something else, bytes come by
 * `data` events, with the same outcome.
 */
function rewrap(accepted: net.Socket, window: Uint8Array): DuplexTransport {
  const inner = accepted as unknown as { _handle: { useUserBuffer?: unknown } | null };
  const handle = inner._handle;
  if (typeof handle?.useUserBuffer !== "function") return new DuplexTransport(accepted, false);
  inner._handle = null;
  accepted.destroy();
  const options = { handle, onread: onRead(window, (): DuplexTransport => transport) };
  const transport: DuplexTransport = new DuplexTransport(new net.Socket(options as net.SocketConstructorOpts), true);
  return transport;
}

function tlsOptions({ ca, cert, key, passphrase }: TlsOptions): tls.SecureContextOptions {
  const pem = (value: string | Uint8Array): string | Buffer =>
    typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
  return {
    ...(ca !== undefined && { ca: typeof ca === "string" || ca instanceof Uint8Array ? pem(ca) : ca.map(pem) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
    ...(passphrase !== undefined && { passphrase }),
    ALPNProtocols: ["http/1.1"],
  } as tls.SecureContextOptions;
}

function dial({ hostname, port, path, tls: secure, signal, window }: DialOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const where = path === undefined ? { host: hostname, port } : { path };
    let socket: net.Socket;
    if (secure) {
      const { serverName = hostname, verify = true } = secure;
      socket = tls.connect({
        ...where,
        ...tlsOptions(secure),
        // RFC 6066 §3: an address is no server name; the certificate is checked against it all the same.
        ...(net.isIP(serverName) === 0 && { servername: serverName }),
        rejectUnauthorized: verify,
      });
    } else {
      socket = net.connect({ ...where, onread: onRead(window, () => transport) });
    }
    const abort = (): void => void socket.destroy(new Error("The caller gave up."));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("The connection was closed.")));
    socket.once(secure ? "secureConnect" : "connect", () => {
      signal.removeEventListener("abort", abort);
      resolve(transport);
    });
    const transport: DuplexTransport = new DuplexTransport(socket, !secure);
    if (signal.aborted) abort();
  });
}

function listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener> {
  const { port, host, path, tls: secure, backlog = 511, window, handshakeTimeout } = options;
  const server = secure
    ? tls.createServer(
        {
          ...tlsOptions(secure),
          handshakeTimeout,
          requestCert: secure.verify ?? false,
          rejectUnauthorized: secure.verify ?? false,
        },
        (socket) => connected(new DuplexTransport(socket, false)),
      )
    : net.createServer({ pauseOnConnect: true }, (socket) => connected(rewrap(socket, window)));
  // Node reports a handshake that failed, but one that took too long it leaves open.
  server.on("tlsClientError", (_error: Error, socket: tls.TLSSocket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      { backlog, ...(path === undefined ? { port, ...(host !== undefined && { host }) } : { path }) },
      () => {
        server.off("error", reject);
        // A connection that could not be accepted (no descriptors left, say) is the system's to report, not the end.
        server.on("error", () => undefined);
        const address = server.address();
        resolve({
          address:
            address !== null && typeof address === "object"
              ? { hostname: address.address, port: address.port }
              : { path: address ?? "" },
          close: () => {
            server.close();
            return Promise.resolve();
          },
        });
      },
    );
  });
}

export const host: Host = {
  name: "node",
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
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError("ERR_OPTION_TYPE", "A socket must be a stream of Node's, or a pair of web streams.");
  },
};
