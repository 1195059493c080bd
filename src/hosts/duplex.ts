/**
 * A transport over one of Node's duplex streams: what `net` and `tls` make, and what a `node:http` server hands out with
 * its `upgrade` event, on every runtime that has such servers.
 *
 * @module
 */
import * as net from "node:net";
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Listener, ListenOptions, Transport, TransportHandler } from "../driver/transport.ts";
import { keepFreedMemory } from "./freed-memory.ts";
import { isLarge, Pieces, type Done } from "./pieces.ts";

/** A stream whose bytes come by `data` events, or by `net`'s `onread` straight into the codec's window. */
export class DuplexTransport implements Transport {
  readonly raw: Duplex;
  #handler: TransportHandler | undefined;
  #error: Error | undefined;
  #pieces: Pieces | undefined;
  #isEnding = false;

  constructor(socket: Duplex, readsIntoWindow: boolean) {
    this.raw = socket;
    if (socket instanceof net.Socket) {
      socket.setNoDelay(true);
      socket.setTimeout(0);
    }
    (socket as Wrapped)[wrapper] = this;
    socket.on("error", onError).on("end", onEnd).on("close", onClose);
    if (!readsIntoWindow) socket.on("data", onData).pause();
  }

  start(handler: TransportHandler): void {
    const isFirst = !this.#handler;
    this.#handler = handler;
    if (isFirst) this.raw.resume();
    if (this.raw.closed) process.nextTick(() => handler.close(this.#error));
    // Of a socket with nothing left to read, Node reports the end even while it is paused.
    else if (isFirst && this.raw.readableEnded) process.nextTick(() => handler.end());
  }

  // --- what the stream reports

  read(chunk: Uint8Array): void {
    keepFreedMemory(chunk.length);
    this.#handler!.data(chunk);
  }

  windowFilled(length: number, window: Uint8Array): void {
    keepFreedMemory(length);
    const handler = this.#handler!;
    if (handler.windowFilled) handler.windowFilled(length);
    else handler.data(window.subarray(0, length));
  }

  ended(): void {
    // Some streams end with their peer's, behind what was written by then.
    this.#pieces?.flush();
    this.#handler?.end();
  }

  failed(error: Error): void {
    this.#error ??= error;
  }

  closed(): void {
    this.#pieces?.drop(this.#destroyed());
    this.#handler?.close(this.#error);
  }

  // --- what the handler asks for

  write(chunks: readonly Uint8Array[], done: Done): void {
    // Where the runtime does not tell how far a write has come, large ones leave in pieces.
    const isWhole = !isLarge(chunks) || this.raw.readableEnded || queueSize(this.raw) !== undefined;
    if (isWhole && !this.#pieces) this.#write(chunks, done);
    else (this.#pieces ??= this.#newPieces()).add(chunks, done);
  }

  #write(chunks: readonly Uint8Array[], done: Done): void {
    const last = chunks.length - 1;
    if (last > 0) this.raw.cork();
    for (let i = 0; i < last; i++) this.raw.write(chunks[i]);
    // Of a write that was under way when the socket was destroyed, Node says that it went well.
    this.raw.write(chunks[last], (error) => done(error ?? (this.raw.destroyed ? this.#destroyed() : undefined)));
    if (last > 0) this.raw.uncork();
  }

  #newPieces(): Pieces {
    const emptied = (): void => {
      this.#pieces = undefined;
      if (this.#isEnding) this.raw.end();
    };
    return new Pieces((bytes, done) => this.#write([bytes], done), emptied);
  }

  #destroyed(): Error {
    return this.#error ?? new Error("The socket was destroyed.");
  }

  get bufferedAmount(): number {
    return this.raw.writableLength + (this.#pieces?.length ?? 0);
  }

  /** Node counts a write whole until it ends, which one of many megabytes may not do for minutes. */
  get unsent(): number {
    return queueSize(this.raw) ?? 0;
  }

  pause(): void {
    this.raw.pause();
    below(this.raw)?.readStop();
  }

  resume(): void {
    below(this.raw)?.readStart();
    this.raw.resume();
  }

  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (!this.#pieces) this.raw.end();
  }

  destroy(): void {
    this.raw.destroy();
  }

  get remoteAddress(): string | undefined {
    return this.raw instanceof net.Socket ? this.raw.remoteAddress : undefined;
  }

  get remotePort(): number | undefined {
    return this.raw instanceof net.Socket ? this.raw.remotePort : undefined;
  }

  get secure(): boolean {
    // What a web server hands out on Bun has this mark of a `TLSSocket`, without being one.
    return (this.raw as { encrypted?: unknown }).encrypted === true;
  }

  get peerCertificate(): Uint8Array | undefined {
    return peerCertificate(this.raw as Partial<TLSSocket>);
  }
}

/** The peer's certificate, in DER, of a socket of Node's or Bun's that has such a method. */
export function peerCertificate(socket: {
  getPeerCertificate?(): { raw?: Uint8Array } | undefined;
}): Uint8Array | undefined {
  // Where there is none, it is an object without fields.
  const { raw } = socket.getPeerCertificate?.() ?? {};
  return raw && new Uint8Array(raw);
}

const wrapper = Symbol("the transport over a stream");

type Wrapped = Duplex & { [wrapper]: DuplexTransport };

// All streams share these, since closures would make up half of what an idle one costs here.

function onData(this: Wrapped, chunk: Uint8Array): void {
  this[wrapper].read(chunk);
}

/**
 * The option of `net.Socket` that has the system read straight into `window`, which spares 64 KiB of garbage a read.
 * Node calls it as a method of the socket.
 */
export function onRead(window: Uint8Array): net.OnReadOpts {
  return { buffer: window, callback: onChunk };
}

function onChunk(this: unknown, length: number, window: Uint8Array): true {
  (this as Wrapped)[wrapper].windowFilled(length, window);
  return true;
}

function onEnd(this: Wrapped): void {
  this[wrapper].ended();
}

function onError(this: Wrapped, error: Error): void {
  this[wrapper].failed(error);
}

function onClose(this: Wrapped): void {
  this[wrapper].closed();
}

/**
 * The TCP socket that Deno speaks TLS over. While a `TLSSocket` is paused, Deno goes on to read from there, all that the
 * peer sends; so that is to be paused too. The field is not documented, and elsewhere there is none.
 */
function below(socket: Duplex): { readStop(): unknown; readStart(): unknown } | null | undefined {
  const { _handle } = socket as { _handle?: { _nativeTcpHandle?: ReturnType<typeof below> } | null };
  return _handle?._nativeTcpHandle;
}

/**
 * Bytes that the system has not taken of a write under way, where the runtime tells: Node's TCP does, which is below its
 * TLS. The fields are not documented, and elsewhere there are none.
 */
function queueSize(socket: Duplex): number | undefined {
  type Handle = { readonly writeQueueSize?: unknown; readonly _parent?: Handle | null };
  const { _handle: handle } = socket as { _handle?: Handle | null };
  const size = (handle?._parent ?? handle)?.writeQueueSize;
  return typeof size === "number" ? size : undefined;
}

/** Puts the port over a socket of Node's kind; `head` is what a web server has read from it already. */
export function wrapDuplex(
  socket: Duplex,
  head: Uint8Array | undefined,
  Kind: typeof DuplexTransport = DuplexTransport,
): Transport {
  if (head && head.length > 0) socket.unshift(head);
  return new Kind(socket, false);
}

export function isDuplex(socket: unknown): socket is Duplex {
  return socket instanceof Duplex;
}

/** Resolves with `transport` once `socket`, which is being dialed, has come to `event`. */
export function connecting(
  transport: Transport,
  socket: net.Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const abort = (): void => void socket.destroy(new Error("The caller gave up."));
    const closed = (): void => reject(new Error("The connection was closed."));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", reject);
    socket.once("close", closed);
    socket.once(event, () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", reject).off("close", closed);
      resolve(transport);
    });
    if (signal.aborted) abort();
  });
}

/** Resolves once `server` listens where the options say. */
export function listening(server: net.Server, options: ListenOptions): Promise<Listener> {
  const { port, host, path, backlog = 511 } = options;
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
