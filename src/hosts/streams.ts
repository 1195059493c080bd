/**
 * A transport over any pair of web streams (Streams Standard §4, §5), and a host of nothing but web standards: for
 * runtimes that have no host of their own, whose sockets are brought by `Server.accept` and by a client's `dial`.
 *
 * @module
 */
import type { Host, Transport, TransportHandler } from "../driver/transport.ts";
import { ConnectionError, typeError } from "../errors.ts";

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

interface Writer {
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
}

/** Both directions of a socket, as web streams of bytes. */
export interface StreamPair {
  readonly readable: { getReader(): Reader };
  readonly writable: { getWriter(): Writer };
}

export function isStreamPair(socket: unknown): socket is StreamPair {
  const { readable, writable } = (socket ?? {}) as Partial<StreamPair>;
  return typeof readable?.getReader === "function" && typeof writable?.getWriter === "function";
}

export class StreamsTransport implements Transport {
  readonly raw: StreamPair;
  readonly remoteAddress: string | undefined = undefined;
  readonly remotePort: number | undefined = undefined;
  readonly secure: boolean = false;
  bufferedAmount = 0;
  readonly #reader: Reader;
  readonly #writer: Writer;
  #head: Uint8Array | undefined;
  #handler: TransportHandler | undefined;
  #isPaused = false;
  #isReading = false;
  /** The peer's stream has ended. */
  #hasEnded = false;
  /** Ours has. */
  #isFinished = false;
  #isClosed = false;

  /** `head` is what was read from the streams already. */
  constructor(pair: StreamPair, head?: Uint8Array) {
    this.raw = pair;
    this.#head = head;
    this.#reader = pair.readable.getReader();
    this.#writer = pair.writable.getWriter();
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    void this.#read();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      // Nothing is reported from inside a call to the transport.
      await Promise.resolve();
      while (!this.#isPaused && !this.#hasEnded && !this.#isClosed) {
        const { done, value } = this.#head ? { done: false, value: this.#head } : await this.#reader.read();
        this.#head = undefined;
        if (this.#isClosed) return;
        if (done) this.#ended();
        else if (value && value.length > 0) this.#handler!.data(value);
      }
    } catch (error) {
      this.#close(error);
    } finally {
      this.#isReading = false;
    }
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#handler!.end();
    if (this.#isFinished) this.#close();
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    let last: Promise<void> | undefined;
    for (const chunk of chunks) {
      this.bufferedAmount += chunk.length;
      const written = this.#writer.write(chunk);
      written.then(
        () => (this.bufferedAmount -= chunk.length),
        () => (this.bufferedAmount -= chunk.length),
      );
      last = written;
    }
    last!.then(
      () => done(),
      (error: unknown) => {
        done(toError(error));
        this.#close(error);
      },
    );
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    void this.#read();
  }

  end(): void {
    this.#writer.close().then(
      () => {
        this.#isFinished = true;
        if (this.#hasEnded) this.#close();
      },
      (error: unknown) => this.#close(error),
    );
  }

  destroy(): void {
    const reason = new Error("The socket was destroyed.");
    this.#writer.abort(reason).catch(() => undefined);
    this.#reader.cancel(reason).catch(() => undefined);
    void Promise.resolve().then(() => this.#close());
  }

  #close(error?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler?.close(error === undefined ? undefined : toError(error));
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

const unsupported = (what: string): Promise<never> => Promise.reject(new ConnectionError("ERR_UNSUPPORTED", what));

export const host: Host = {
  name: "streams",
  random: (bytes) => void crypto.getRandomValues(bytes),
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  reportError: (error) => console.error(error),
  dial: () => unsupported('This runtime opens no sockets for hybi: give the client a "dial" option.'),
  listen: () => unsupported("This runtime does not listen for hybi: hand its sockets to Server.accept."),
  wrap(socket, head) {
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError("ERR_OPTION_TYPE", "A socket must be a pair of web streams, readable and writable.");
  },
};
