/**
 * Deno: `Deno.listen` and `Deno.connect`. TLS goes by Deno's `node:tls`: its own cannot turn Nagle's algorithm off on an
 * accepted socket (a second write then waits 40 ms for the peer), trusts the runtime's authorities beside `ca`, and
 * asks clients for no certificate.
 *
 * @module
 */
import { channel } from "node:diagnostics_channel";
import { Buffer } from "node:buffer";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { UNITS } from "../../assembly/layout.ts";
import { standardText, type TextCodec, type TextCodecFactory } from "../codec/text.ts";
import type { DialOptions, Host, Listener, ListenOptions, TlsOptions, Transport } from "../driver/transport.ts";
import { typeError } from "../errors.ts";
import { isConn, type Address, type Conn } from "./deno-conn.ts";
import { DenoTransport } from "./deno-transport.ts";
import { isDuplex, wrapDuplex } from "./duplex.ts";
import { onEveryAddress } from "./every-address.ts";
import { host as web } from "./streams.ts";
import { isStreamPair, StreamsTransport } from "./streams-transport.ts";
import { dialTls, listenTls } from "./tls.ts";

type Where =
  { readonly hostname: string; readonly port: number } | { readonly transport: "unix"; readonly path: string };

// What is used here of Deno; its types would be in the way of Node's.
declare const Deno: {
  connect(where: Where & { readonly signal: AbortSignal }): Promise<Conn>;
  listen(where: Where & { readonly tcpBacklog: number }): DenoListener;
  unrefTimer(timer: unknown): void;
};

interface DenoListener {
  readonly addr: Address;
  accept(): Promise<Conn>;
  close(): void;
}

/** Milliseconds until the next try, where the system does not hand over a connection: descriptors must become free. */
const ACCEPT_AGAIN = 100;

/** Deno looks at PEM when the first handshake needs it, and then says nothing of what is wrong; Node throws at once. */
function checkPem({ cert, key, passphrase }: TlsOptions): void {
  const certificate = cert === undefined ? undefined : new X509Certificate(cert);
  if (key === undefined) return;
  const encoded = typeof key === "string" ? key : Buffer.from(key);
  const privateKey = createPrivateKey({ key: encoded, ...(passphrase !== undefined && { passphrase }) });
  if (certificate?.checkPrivateKey(privateKey) === false)
    throw new Error("The private key is not that of the certificate.");
}

async function dial(options: DialOptions): Promise<Transport> {
  const { hostname, port, path, tls, signal } = options;
  if (tls) {
    checkPem(tls);
    return dialTls(tls, options);
  }
  const where: Where = path === undefined ? { hostname, port } : { transport: "unix", path };
  signal.throwIfAborted();
  const conn = await Deno.connect({ ...where, signal });
  if (!signal.aborted) return new DenoTransport(conn);
  conn.close();
  throw signal.reason;
}

function open({ port, host, path, backlog = 511 }: ListenOptions): DenoListener {
  if (path !== undefined) return Deno.listen({ transport: "unix", path, tcpBacklog: backlog });
  const at = (hostname: string): DenoListener => Deno.listen({ hostname, port, tcpBacklog: backlog });
  return host === undefined ? onEveryAddress(at) : at(host);
}

async function listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener> {
  const { path, tls } = options;
  if (tls) {
    checkPem(tls);
    return listenTls(tls, options, connected);
  }
  const listener = open(options);
  const { hostname, port } = listener.addr;
  let isClosed = false;
  const accepting = (async () => {
    while (!isClosed) {
      try {
        const conn = await listener.accept();
        connected(new DenoTransport(conn));
      } catch {
        if (!isClosed) await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN));
      }
    }
  })();
  return {
    address: path === undefined ? { hostname: hostname!, port: port! } : { path },
    close() {
      isClosed = true;
      listener.close();
      return accepting;
    },
  };
}

/** Up to this many bytes, UTF-16 that the codec makes is a string sooner than UTF-8 is by a `TextDecoder`. */
const SHORT_TEXT = 256;

/**
 * ASCII by way of `Buffer`: of a short text that takes half as long as a `TextDecoder`, of the rest no less. What its
 * `toString` comes down to is not documented, but takes half as long once more.
 */
export const text: TextCodecFactory = (memory, { utf8ToUtf16 }) => {
  const buffer = Buffer.from(memory.buffer as ArrayBuffer) as Buffer & {
    latin1Slice?(from: number, to: number): string;
  };
  const standard = standardText(memory);
  const decodeAscii: TextCodec["decodeAscii"] =
    typeof buffer.latin1Slice === "function"
      ? (at, length) => buffer.latin1Slice!(at, at + length)
      : (at, length) => buffer.toString("latin1", at, at + length);
  return {
    ...standard,
    decodeAscii,
    decodeLatin1: decodeAscii,
    decodeUtf8(at, length) {
      if (length > SHORT_TEXT) return standard.decodeUtf8(at, length);
      const units = utf8ToUtf16(at, length, UNITS);
      return units < 0 ? decodeAscii(UNITS, -units) : buffer.toString("utf16le", UNITS, UNITS + 2 * units);
    },
    decodeBytes: (bytes, ascii) =>
      ascii
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
        : standard.decodeBytes(bytes, false),
  };
};

export const host: Host = {
  ...web,
  name: "deno",
  lacks: [],
  channel,
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms);
    Deno.unrefTimer(timer);
    return () => clearTimeout(timer);
  },
  text,
  dial,
  listen,
  wrap(socket, head) {
    if (isDuplex(socket)) return wrapDuplex(socket, head);
    if (isConn(socket)) return new DenoTransport(socket, head);
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError(
      "ERR_OPTION_TYPE",
      "A socket must be a connection of Deno's, a stream of Node's, or a pair of web streams.",
    );
  },
};
