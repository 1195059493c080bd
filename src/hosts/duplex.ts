/**
 * A transport over one of Node's duplex streams: what `net` and `tls` make, and what a `node:http` server hands out with
 * its `upgrade` event, on every runtime that has such servers.
 *
 * @module
 */
import * as net from "node:net";
import { Duplex } from "node:stream";
import type { Transport, TransportHandler } from "../driver/transport.ts";

/** A stream whose bytes come by `data` events, or by `net`'s `onread` straight into the codec's window. */
export class DuplexTransport implements Transport {
  readonly raw: Duplex;
  #handler: TransportHandler | undefined;
  #error: Error | undefined;

  constructor(socket: Duplex, readsIntoWindow: boolean) {
    this.raw = socket;
    if (socket instanceof net.Socket) {
      socket.setNoDelay(true);
      socket.setTimeout(0);
    }
    socket.on("error", (error) => (this.#error ??= error));
    socket.on("end", () => this.#handler?.end());
    socket.on("close", () => this.#handler?.close(this.#error));
    if (!readsIntoWindow) socket.on("data", (chunk: Uint8Array) => this.#handler!.data(chunk)).pause();
  }

  start(handler: TransportHandler): void {
    const isFirst = !this.#handler;
    this.#handler = handler;
    if (isFirst) this.raw.resume();
    if (this.raw.closed) process.nextTick(() => handler.close(this.#error));
    // Of a socket with nothing left to read, Node reports the end even while it is paused.
    else if (isFirst && this.raw.readableEnded) process.nextTick(() => handler.end());
  }

  /** What `net` calls once it has read into the window. */
  read(chunk: Uint8Array): void {
    this.#handler!.data(chunk);
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    const last = chunks.length - 1;
    if (last > 0) this.raw.cork();
    for (let i = 0; i < last; i++) this.raw.write(chunks[i]);
    // Of a write that was under way when the socket was destroyed, Node says that it went well.
    this.raw.write(chunks[last], (error) => done(error ?? (this.raw.destroyed ? this.#destroyed() : undefined)));
    if (last > 0) this.raw.uncork();
  }

  #destroyed(): Error {
    return this.#error ?? new Error("The socket was destroyed.");
  }

  get bufferedAmount(): number {
    return this.raw.writableLength;
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
    this.raw.end();
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
}

/**
 * The TCP socket that Deno speaks TLS over. While a `TLSSocket` is paused, Deno goes on to read from there, all that the
 * peer sends; so that is to be paused too. The field is not documented, and elsewhere there is none.
 */
function below(socket: Duplex): { readStop(): unknown; readStart(): unknown } | null | undefined {
  const { _handle } = socket as { _handle?: { _nativeTcpHandle?: ReturnType<typeof below> } | null };
  return _handle?._nativeTcpHandle;
}

/** Puts the port over a socket of Node's kind; `head` is what a web server has read from it already. */
export function wrapDuplex(socket: Duplex, head?: Uint8Array): Transport {
  if (head && head.length > 0) socket.unshift(head);
  return new DuplexTransport(socket, false);
}

export function isDuplex(socket: unknown): socket is Duplex {
  return socket instanceof Duplex;
}
