/**
 * Node: `net` and `tls`.
 *
 * @module
 */
import { randomFillSync } from "node:crypto";
import * as net from "node:net";
import * as tls from "node:tls";
import type { TextCodecFactory } from "../codec/text.ts";
import type { DialOptions, Host, Listener, ListenOptions, TlsOptions, Transport } from "../driver/transport.ts";
import { typeError } from "../errors.ts";
import { DuplexTransport, isDuplex, onRead, wrapDuplex } from "./duplex.ts";
import { isStreamPair, StreamsTransport } from "./streams.ts";

/**
 * A `net.Server` has no `onread` option for the sockets it accepts, so such a socket's handle is put into another one
 * that has. This leans on a field that is not documented; where it is missing, or is something else, bytes come by
 * `data` events, with the same outcome.
 */
function rewrap(accepted: net.Socket, onread: net.OnReadOpts): DuplexTransport {
  const inner = accepted as unknown as { _handle: { useUserBuffer?: unknown } | null };
  const handle = inner._handle;
  if (typeof handle?.useUserBuffer !== "function") return new DuplexTransport(accepted, false);
  inner._handle = null;
  accepted.destroy();
  return new DuplexTransport(new net.Socket({ handle, onread } as net.SocketConstructorOpts), true);
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
      socket = net.connect({ ...where, onread: onRead(window) });
    }
    const abort = (): void => void socket.destroy(new Error("The caller gave up."));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("The connection was closed.")));
    socket.once(secure ? "secureConnect" : "connect", () => {
      signal.removeEventListener("abort", abort);
      resolve(transport);
    });
    const transport = new DuplexTransport(socket, !secure);
    if (signal.aborted) abort();
  });
}

function listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener> {
  const { port, host, path, tls: secure, backlog = 511, window, handshakeTimeout } = options;
  const onread = onRead(window);
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
    : net.createServer({ pauseOnConnect: true }, (socket) => connected(rewrap(socket, onread)));
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

/** What Node's `toString` and `write` come down to, without their argument handling. */
interface Shortcuts {
  latin1Slice(from: number, to: number): string;
  utf8Slice(from: number, to: number): string;
  utf8Write(string: string, at: number, most: number): number;
}

/**
 * Strings by way of `Buffer`. Its shortcuts are not documented, so they are taken only where they are: calling
 * `toString` and `write` instead costs an echo of short messages 7 % of its time.
 */
export const text: TextCodecFactory = (memory) => {
  const buffer = Buffer.from(memory.buffer as ArrayBuffer);
  const names = ["latin1Slice", "utf8Slice", "utf8Write"] as const;
  const hasShortcuts = names.every((name) => typeof (buffer as Partial<Shortcuts>)[name] === "function");
  const rest = {
    decodeBytes: (bytes: Uint8Array, ascii: boolean) =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(ascii ? "latin1" : "utf8"),
    encodeBytes: (string: string) => new TextEncoder().encode(string),
  };
  if (!hasShortcuts) {
    return {
      ...rest,
      decodeAscii: (at, length) => buffer.toString("latin1", at, at + length),
      decodeUtf8: (at, length) => buffer.toString("utf8", at, at + length),
      encode: (string, at) => buffer.write(string, at, "utf8"),
    };
  }
  const shortcuts = buffer as Buffer & Shortcuts;
  return {
    ...rest,
    decodeAscii: (at, length) => shortcuts.latin1Slice(at, at + length),
    decodeUtf8: (at, length) => shortcuts.utf8Slice(at, at + length),
    encode: (string, at) => shortcuts.utf8Write(string, at, string.length * 3),
  };
};

export const host: Host = {
  name: "node",
  random: (bytes) => void randomFillSync(bytes),
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
  text,
  reportError: (error) => console.error(error),
  dial,
  listen,
  wrap(socket, head) {
    if (isDuplex(socket)) return wrapDuplex(socket, head);
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError("ERR_OPTION_TYPE", "A socket must be a stream of Node's, or a pair of web streams.");
  },
};
