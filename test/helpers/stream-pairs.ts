import { once } from "node:events";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { ReadableStream, TransformStream, WritableStream } from "node:stream/web";
import type { StreamPair } from "../../src/hosts/streams-transport.ts";
import { deferred } from "./until.ts";

type Pair = { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<Uint8Array> };

/** Both ends of a connection made of streams. */
export interface Ends {
  readonly near: StreamPair;
  readonly far: StreamPair;
  /** Frees what the ends stand on. */
  readonly close: () => void;
}

/** A chunk comes out as the very object that went in. */
function transforms(): Ends {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  return {
    near: { readable: back.readable, writable: there.writable },
    far: { readable: there.readable, writable: back.writable },
    close: () => undefined,
  };
}

/** One direction whose reader takes buffers, and whose sink transfers away what is written (Streams Standard §4.7.3). */
function bytePipe(): Pair {
  let source!: { enqueue(chunk: Uint8Array): void; close(): void; error(reason: unknown): void; byobRequest: unknown };
  let sink!: { error(reason: unknown): void };
  let wanted = deferred();
  const readable = new ReadableStream({
    type: "bytes",
    start: (controller) => {
      source = controller;
    },
    pull: () => wanted.resolve(),
    cancel: (reason) => sink.error(reason),
  });
  const writable = new WritableStream<Uint8Array>({
    start: (controller) => {
      sink = controller;
    },
    write: async (chunk, controller) => {
      const { signal } = controller as typeof controller & { readonly signal: AbortSignal };
      await Promise.race([wanted.promise, once(signal, "abort")]);
      if (signal.aborted) return;
      wanted = deferred();
      source.enqueue(chunk);
    },
    close: () => {
      source.close();
      (source.byobRequest as { respond(length: number): void } | null)?.respond(0);
    },
    abort: (reason) => source.error(reason),
  });
  return { readable: readable, writable };
}

function bytePipes(): Ends {
  const there = bytePipe();
  const back = bytePipe();
  return {
    near: { readable: back.readable, writable: there.writable },
    far: { readable: there.readable, writable: back.writable },
    close: () => undefined,
  };
}

/** Half open sockets are not for `toWeb`: Node 20 tells of the peer's end only when both streams have ended. */
async function sockets(): Promise<Ends> {
  const server = net.createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const near = net.connect({ port, host: "127.0.0.1", noDelay: true });
  const [far] = (await once(server, "connection")) as [net.Socket];
  server.close();
  return {
    near: Duplex.toWeb(near),
    far: Duplex.toWeb(far),
    close: () => {
      near.destroy();
      far.destroy();
    },
  };
}

/** Pairs of streams of every kind there is. */
export const kindsOfPairs: readonly [kind: string, make: () => Ends | Promise<Ends>][] = [
  ["streams in memory that hand chunks over", transforms],
  ["byte streams that transfer chunks away", bytePipes],
  ["the streams of real sockets", sockets],
];

interface Taking {
  readonly bytes: Uint8Array;
  take(): void;
  refuse(reason: unknown): void;
}

/** A pair of conforming streams that does nothing of its own: the test reads, writes and breaks it by hand. */
export class HeldPair implements StreamPair {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** How often bytes were asked for. */
  pulls = 0;
  /** What was written, each until {@link Taking.take}. */
  readonly writes: Taking[] = [];
  /** Resolves the close of the writable. */
  readonly closing = deferred();
  isClosing = false;
  cancelReason: unknown;
  abortReason: unknown;
  #source!: {
    enqueue(chunk: unknown): void;
    readonly close: () => void;
    error(reason?: unknown): void;
    readonly byobRequest: unknown;
  };
  #sink!: { error(reason?: unknown): void };

  constructor(type?: "bytes") {
    const source = {
      start: (controller: unknown) => {
        this.#source = controller as never;
      },
      pull: () => {
        this.pulls++;
      },
      cancel: (reason: unknown) => {
        this.cancelReason = reason;
      },
    };
    this.readable = type ? new ReadableStream({ ...source, type }) : new ReadableStream(source, { highWaterMark: 0 });
    this.writable = new WritableStream({
      start: (controller) => {
        this.#sink = controller;
      },
      write: (bytes: Uint8Array) =>
        new Promise((resolve, reject) => this.writes.push({ bytes, take: () => resolve(), refuse: reject })),
      close: () => {
        this.isClosing = true;
        return this.closing.promise;
      },
      abort: (reason) => {
        this.abortReason = reason;
      },
    });
  }

  /** Bytes of the peer's. */
  give(chunk: unknown): void {
    this.#source.enqueue(chunk);
  }

  /** The peer ends its stream. */
  giveEnd(): void {
    this.#source.close();
    (this.#source.byobRequest as { respond(length: number): void } | null)?.respond(0);
  }

  breakReadable(reason: unknown): void {
    this.#source.error(reason);
  }

  breakWritable(reason: unknown): void {
    this.#sink.error(reason);
  }
}
