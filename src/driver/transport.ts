/**
 * The port that a runtime's sockets are put behind. A new runtime is one file that implements {@link Transport}, and,
 * to listen and to dial, {@link Host}.
 *
 * @module
 */
import type { TextCodecFactory } from "../codec/text.ts";
import type { Capabilities } from "./capabilities.ts";

/** One socket: an ordered stream of bytes each way, as a connection sees it. */
export interface Transport {
  /**
   * Begins to read and to report; nothing is reported before it. Bytes that the owner of the socket had read already
   * are the first to be reported. Called again, it hands the transport over to another handler.
   */
  start(handler: TransportHandler): void;
  /**
   * Sends `chunks` in order, behind all that was written before, and keeps them unchanged until they are sent. `done`
   * is called once, later: without an error when the system has taken the bytes. After {@link end} or
   * {@link destroy} nothing is sent.
   */
  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void;
  /**
   * Sends the bytes of `memory` from `from` to `to` as {@link write} does, for a transport that often knows at once that
   * the system has taken all: then it answers true, and `done` is not called. They may change as soon as it has answered,
   * so it takes a copy of what it keeps.
   */
  writeNow?(memory: Uint8Array, from: number, to: number, done: (error?: Error | null) => void): boolean;
  /** Bytes written that the system has not taken yet. */
  readonly bufferedAmount: number;
  /** Of {@link bufferedAmount} what is left of a write under way, where that one counts a write whole until its end. */
  readonly unsent?: number;
  /**
   * As {@link Host.setTimer}, where {@link Host.timersEnd}: these last as long as the socket does, whoever sets them.
   */
  setTimer?(callback: () => void, ms: number): () => void;
  /** Stops reading, so that in time the peer cannot send any more. A chunk under way may still be reported. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Sends what is written, then the end of the stream (TCP's FIN). Reading goes on. */
  end(): void;
  /** Closes at once, and drops what is not sent. */
  destroy(): void;
  /** What stands behind the port, for whoever needs a thing that the port does not have: Node's `net.Socket`, say. */
  readonly raw: unknown;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** The bytes are encrypted on the way. */
  readonly secure: boolean;
  /** The certificate that the peer showed, in DER; undefined when it showed none, or the runtime does not tell. */
  readonly peerCertificate?: Uint8Array | undefined;
}

/** Who a transport reports to. None of the calls throws. A call never comes from inside a call to the transport. */
export interface TransportHandler {
  /** Bytes came. They are the handler's to overwrite during the call, and the transport's again after it. */
  data(chunk: Uint8Array): void;
  /** As {@link data}, of the first `length` bytes of the `window` that the transport was given, which spares a view. */
  windowFilled?(length: number): void;
  /** The peer ended its stream; what is written still reaches it. */
  end(): void;
  /** The socket is gone: called exactly once, and last. `error` when it broke. */
  close(error?: Error): void;
}

/** TLS, in the words that all runtimes share. Certificates and keys are PEM. */
export interface TlsOptions {
  /** The authorities to trust. Default: those of the runtime. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** This side's certificate chain. A server needs one. */
  readonly cert?: string | Uint8Array;
  /** The private key that belongs to it. */
  readonly key?: string | Uint8Array;
  /** What the private key is encrypted with. */
  readonly passphrase?: string;
  /** Client: the name to expect and to ask for (SNI). Default: the URL's host. */
  readonly serverName?: string;
  /** Client: refuse a server that {@link ca} does not vouch for. Server: demand the same of clients. Default: true, false. */
  readonly verify?: boolean;
}

export interface DialOptions {
  /** Name or address; IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** A Unix domain socket instead. */
  readonly path?: string | undefined;
  /** Present to speak TLS. */
  readonly tls?: TlsOptions | undefined;
  /** Gives up, and rejects. */
  readonly signal: AbortSignal;
  /** A buffer that the transport may read into, and report as `data`, instead of one of its own; many share it. */
  readonly window: Uint8Array;
}

export interface ListenOptions {
  readonly port: number;
  /** Default: all addresses of the machine. */
  readonly host?: string | undefined;
  /** A Unix domain socket instead. */
  readonly path?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** A hint: the connections that the system is to keep for us until they are accepted. Default: 511. */
  readonly backlog?: number | undefined;
  /** Milliseconds for a TLS handshake. */
  readonly handshakeTimeout: number;
  /** As in {@link DialOptions}. */
  readonly window: Uint8Array;
}

export interface Listener {
  /** Where it listens: the port that the system chose, when 0 was asked for. */
  readonly address: { readonly hostname: string; readonly port: number } | { readonly path: string };
  /** Takes no new connections; resolves when the port is free. */
  close(): Promise<void>;
}

/** A named channel of `node:diagnostics_channel`. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

/** Most milliseconds that a timer may be set for: asked for more, it fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** A runtime, as far as hybi needs one. */
export interface Host {
  readonly name: string;
  /** Cryptographically strong random bytes. */
  random(bytes: Uint8Array): void;
  /** Calls back after `ms` milliseconds; the answer cancels it. A timer alone keeps no process alive. */
  setTimer(callback: () => void, ms: number): () => void;
  /** A timer ends with the handler that set it, so that one cannot serve all: workerd's do. */
  readonly timersEnd?: boolean;
  /** What users may ask for elsewhere, and this runtime cannot do. Default: nothing. */
  readonly lacks?: readonly (keyof Capabilities)[];
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** A faster way between strings and memory than the standard's, where the runtime has one. */
  readonly text?: TextCodecFactory;
  /** The runtime's channel of that name for whoever observes the process, where it has such. */
  channel?(name: string): DiagnosticsChannel;
  /** Shows the developer an error that no listener wanted. */
  reportError(error: unknown): void;
  /** Opens a transport; rejects with the runtime's error. */
  dial(options: DialOptions): Promise<Transport>;
  /** Takes connections; rejects when the address is not to be had. */
  listen(options: ListenOptions, connected: (transport: Transport) => void): Promise<Listener>;
  /** Puts the port over a socket that a web server hands out; `head` is what it has read already. */
  wrap(socket: unknown, head?: Uint8Array): Transport;
}

export function isTransport(socket: unknown): socket is Transport {
  const { start, bufferedAmount } = (socket ?? {}) as Partial<Transport>;
  return typeof start === "function" && typeof bufferedAmount === "number";
}
