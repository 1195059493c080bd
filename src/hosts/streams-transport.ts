/**
 * A transport over any pair of web streams (Streams Standard §4, §5).
 *
 * @module
 */
import type { Transport, TransportHandler } from "../driver/transport.ts";
import { typeError } from "../errors.ts";

interface Reader {
  readonly closed: Promise<unknown>;
  read(view?: Uint8Array): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<unknown>;
  releaseLock(): void;
}

interface Writer {
  readonly closed: Promise<unknown>;
  write(chunk: Uint8Array): Promise<unknown>;
  close(): Promise<unknown>;
  abort(reason?: unknown): Promise<unknown>;
  releaseLock(): void;
}

/** How a transport holds its streams. */
export interface Streams {
  readonly reader: Reader;
  readonly writer: Writer;
}

/** Both directions of a socket, as web streams of bytes. */
export interface StreamPair {
  readonly readable: { readonly locked: boolean; getReader(options?: { readonly mode: "byob" }): Reader };
  readonly writable: { readonly locked: boolean; getWriter(): Writer };
}

export function isStreamPair(socket: unknown): socket is StreamPair {
  const { readable, writable } = (socket ?? {}) as Partial<StreamPair>;
  return typeof readable?.getReader === "function" && typeof writable?.getWriter === "function";
}

/** Bytes that a read into a buffer asks for: few while little comes, so that an idle connection costs little. */
const SMALLEST_READ = 4096;
const LARGEST_READ = 65536;

/** Most bytes that are handed to the writer at once. */
const LARGEST_WRITE = 65536;

/** Bytes that a socket may send and receive while the others wait. */
const MOST_OF_A_TURN = 1 << 20;

/** Where a loop sleeps while it has nothing to do. */
export class Bell {
  #ring: (() => void) | undefined;

  /** Resolves at the next {@link ring}. */
  sleep(): Promise<void> {
    return new Promise((resolve) => (this.#ring = resolve));
  }

  ring(): void {
    this.#ring?.();
  }
}

/**
 * A socket that is a pair of web streams. The streams are touched in loops alone, which the calls of the port wake: so
 * the calls may come from anywhere, also on workerd, where a stream obeys only the handler that owns it.
 */
export class StreamsTransport implements Transport {
  readonly raw: StreamPair;
  // The streams do not tell: for whoever knows more to set.
  remoteAddress: string | undefined = undefined;
  remotePort: number | undefined = undefined;
  secure = false;
  bufferedAmount = 0;
  readonly #reader: Reader;
  readonly #writer: Writer;
  /** The reader takes a buffer to read into. */
  readonly #isByob: boolean;
  #buffer = new ArrayBuffer(0);
  #readSize = SMALLEST_READ;
  #head: Uint8Array | undefined;
  #handler: TransportHandler | undefined;
  #isPaused = false;
  readonly #reading = new Bell();
  #queue: Uint8Array[] = [];
  /** Whom to tell once so many bytes were taken in all. */
  #dones: { readonly at: number; readonly done: (error?: Error) => void }[] = [];
  #taken = 0;
  /** Bytes since others had their turn. */
  #sinceTurn = 0;
  readonly #sending = new Bell();
  /** The peer's stream has ended. */
  #hasEnded = false;
  /** Ours is to end. */
  #isEnding = false;
  /** Ours has ended. */
  #isFinished = false;
  #isClosed = false;
  #error: Error | undefined;
  #resolveClosed!: () => void;

  /**
   * `head` is what was read from the streams already.
   *
   * @throws {TypeError} ERR_OPTION_TYPE when someone else holds a lock on one of the streams.
   */
  constructor(pair: StreamPair, head?: Uint8Array) {
    const { readable, writable } = pair;
    if (readable.locked || writable.locked)
      throw typeError(
        "ERR_OPTION_TYPE",
        "The streams of a socket must not be locked: release their readers and writers.",
      );
    this.raw = pair;
    this.#head = head;
    [this.#reader, this.#isByob] = readerOf(readable);
    this.#writer = writable.getWriter();
    void new Promise<void>((resolve) => (this.#resolveClosed = resolve)).then(() => this.#closed());
    // Streams may break while nothing is read or written.
    this.#reader.closed.catch((error: unknown) => this.#close(error));
    this.#writer.closed.catch((error: unknown) => this.#close(error));
    void this.#receive();
    void this.#send();
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#reading.ring();
    if (this.#isClosed) void Promise.resolve().then(() => this.#reportClose());
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    if (this.#isEnding || this.#isClosed) {
      void Promise.resolve().then(() => done(this.#error ?? new Error("The socket was ended.")));
      return;
    }
    for (const chunk of chunks) {
      this.#queue.push(chunk);
      this.bufferedAmount += chunk.length;
    }
    this.#dones.push({ at: this.#taken + this.bufferedAmount, done });
    this.#sending.ring();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#reading.ring();
  }

  end(): void {
    this.#isEnding = true;
    this.#sending.ring();
  }

  destroy(): void {
    this.#close();
  }

  // --- reading

  async #receive(): Promise<void> {
    try {
      while (!this.#hasEnded) {
        while (!this.#handler || this.#isPaused) await this.#reading.sleep();
        if (this.#isClosed) return;
        const chunk = this.#head ?? (await this.#read());
        this.#head = undefined;
        if (this.#isClosed) return;
        if (!chunk) this.#hasEnded = true;
        else if (chunk.length > 0) this.#handler.data(chunk);
        if (this.#isTurnOver(chunk?.length ?? 0)) await this.#nextTurn();
        if (this.#isClosed) return;
      }
      this.#handler!.end();
      if (this.#isFinished) this.#close();
    } catch (error) {
      this.#close(error);
    }
  }

  /** The next chunk, or undefined at the end. */
  async #read(): Promise<Uint8Array | undefined> {
    if (!this.#isByob) {
      const { done, value } = await this.#reader.read();
      return done ? undefined : bytesOf(value);
    }
    const size = this.#readSize;
    const { done, value } = await this.#reader.read(
      new Uint8Array(this.#buffer.byteLength === size ? this.#buffer : new ArrayBuffer(size)),
    );
    if (done) return undefined;
    // The reader took the memory away and gives it back; the handler is done with it when it is read into again.
    this.#buffer = value!.buffer as ArrayBuffer;
    if (value!.length === size) this.#readSize = Math.min(size * 4, LARGEST_READ);
    else if (value!.length < size / 4) this.#readSize = Math.max(size / 4, SMALLEST_READ);
    return value;
  }

  // --- writing

  async #send(): Promise<void> {
    try {
      for (;;) {
        while (this.#dones.length === 0 && !this.#isEnding) await this.#sending.sleep();
        if (this.#isClosed) return;
        if (this.#dones.length === 0) break;
        const piece = this.#take();
        const { length } = piece;
        if (length > 0) await this.#writer.write(piece);
        if (this.#isTurnOver(length)) await this.#nextTurn();
        if (this.#isClosed) return;
        this.#sent(length);
      }
      await this.#writer.close();
      this.#isFinished = true;
      if (this.#hasEnded) this.#close();
    } catch (error) {
      this.#close(error);
    }
  }

  /** So many bytes more came or left. */
  #isTurnOver(length: number): boolean {
    this.#sinceTurn += length;
    return this.#sinceTurn >= MOST_OF_A_TURN;
  }

  /** A peer that sends, or takes, as fast as it is served would keep workerd from its other sockets, and its timers. */
  #nextTurn(): Promise<void> {
    this.#sinceTurn = 0;
    return new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** What to write next, in memory of its own: a sink may keep what it is given, or transfer it away. */
  #take(): Uint8Array {
    const piece = new Uint8Array(Math.min(this.bufferedAmount, LARGEST_WRITE));
    let at = 0;
    let count = 0;
    for (const chunk of this.#queue) {
      const part = chunk.subarray(0, piece.length - at);
      piece.set(part, at);
      at += part.length;
      if (part.length < chunk.length) {
        this.#queue[count] = chunk.subarray(part.length);
        break;
      }
      count++;
    }
    this.#queue.splice(0, count);
    return piece;
  }

  #sent(length: number): void {
    this.#taken += length;
    this.bufferedAmount -= length;
    const waiting = this.#dones.findIndex(({ at }) => at > this.#taken);
    for (const { done } of this.#dones.splice(0, waiting < 0 ? this.#dones.length : waiting)) done();
  }

  // --- closing

  /** From here on nothing is reported but that. */
  #close(error?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (error !== undefined) this.#error = toError(error);
    this.#queue = [];
    this.bufferedAmount = 0;
    this.#resolveClosed();
  }

  #closed(): void {
    const reason = this.#error ?? new Error("The socket was destroyed.");
    this.abandon({ reader: this.#reader, writer: this.#writer }, reason);
    void quietly(() => this.#writer.releaseLock());
    void quietly(() => this.#reader.releaseLock());
    for (const { done } of this.#dones.splice(0)) done(reason);
    this.#reportClose();
  }

  /** Gives the streams up, ended or not. @internal */
  protected abandon({ reader, writer }: Streams, reason: Error): void {
    void quietly(() => writer.abort(reason));
    void quietly(() => reader.cancel(reason));
  }

  #reportClose(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.close(this.#error);
  }
}

/** A reader, and whether it takes a buffer, which only those of byte streams do. */
function readerOf(readable: StreamPair["readable"]): [reader: Reader, isByob: boolean] {
  try {
    return [readable.getReader({ mode: "byob" }), true];
  } catch {
    return [readable.getReader(), false];
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw typeError("ERR_DATA_TYPE", "The readable stream of a socket must give bytes: Uint8Arrays.");
}

/** What a stream says to being given up comes too late to matter. */
export async function quietly(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch {
    // See above.
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
