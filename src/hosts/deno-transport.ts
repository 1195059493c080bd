/**
 * A transport over one of Deno's own sockets.
 *
 * @module
 */
import type { Transport, TransportHandler } from "../driver/transport.ts";

/** `Deno.Addr`. */
export interface Address {
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
}

/** `Deno.Conn`. */
export interface Conn {
  readonly remoteAddr: Address;
  /** Answers how many bytes came, or null at the end of the stream. */
  read(into: Uint8Array): Promise<number | null>;
  /** Answers how many of the bytes the system has taken. */
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  /** TCP. */
  setNoDelay?(): void;
  /** TLS. */
  handshake?(): Promise<unknown>;
}

type Done = (error?: Error | null) => void;

/** A read that waits owns its buffer: this is what a silent connection costs. */
const SMALL = 2048;

/** Large buffers are shared, and so is the number of those that may wait for something to come. */
const LARGE = 65536;
const MOST_WAITING = 256;
const MOST_SPARE = 64;
const spare: Uint8Array[] = [];
let lent = 0;

function borrow(): Uint8Array {
  lent++;
  return spare.pop() ?? new Uint8Array(LARGE);
}

function giveBack(buffer: Uint8Array): void {
  lent--;
  if (spare.length < MOST_SPARE) spare.push(buffer);
}

export class DenoTransport implements Transport {
  readonly raw: Conn;
  readonly secure: boolean;
  bufferedAmount = 0;
  #handler: TransportHandler | undefined;
  #head: Uint8Array | undefined;
  #small: Uint8Array | undefined;
  /** What the read under way reads into. */
  #buffer: Uint8Array | undefined;
  #isReading = false;
  #isPaused = false;
  /** What the read brought that was under way when reading was paused. */
  #held: number | null | undefined;
  /** The last read filled its buffer: there is more to come at once. */
  #isBehind = false;
  /** The last read brought more than {@link #small} holds: so may the next. */
  #wantsLarge = false;
  #queue: Uint8Array[] = [];
  /** Where the first of {@link #queue} lies when it was joined from several. */
  #joined: Uint8Array | undefined;
  #isWriting = false;
  /** Bytes that were written, and of these the ones that the system has taken, ever. */
  #written = 0;
  #taken = 0;
  #waiting: { readonly until: number; readonly done: Done }[] = [];
  /** The peer's stream has ended. */
  #hasEnded = false;
  /** Ours ends behind what is written; it has ended. */
  #isEnding = false;
  #isFinished = false;
  #isDestroyed = false;
  #isClosed = false;
  #error: Error | undefined;

  /** `head` is what was read from the socket already. */
  constructor(conn: Conn, head?: Uint8Array) {
    this.raw = conn;
    this.secure = conn.handshake !== undefined;
    if (head && head.length > 0) this.#head = head;
    try {
      conn.setNoDelay?.();
    } catch {
      // It is broken already, which the first read will tell.
    }
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    if (this.#isClosed) queueMicrotask(() => handler.close(this.#error));
    else this.#read();
  }

  get remoteAddress(): string | undefined {
    return this.raw.remoteAddr.hostname;
  }

  get remotePort(): number | undefined {
    return this.raw.remoteAddr.port;
  }

  // --- reading

  #read(): void {
    if (!this.#handler || this.#isReading || this.#isPaused || this.#hasEnded || this.#isDestroyed) return;
    this.#isReading = true;
    const head = this.#head;
    if (head) {
      this.#head = undefined;
      queueMicrotask(() => this.#received(head));
      return;
    }
    const isLarge = this.#isBehind || (this.#wantsLarge && lent < MOST_WAITING);
    this.#buffer = isLarge ? borrow() : (this.#small ??= new Uint8Array(SMALL));
    this.raw.read(this.#buffer).then(this.#wasRead, this.#readFailed);
  }

  readonly #wasRead = (length: number | null): void => {
    if (this.#isPaused && !this.#isDestroyed) {
      this.#held = length;
      return;
    }
    if (length === null) {
      this.#readOver();
      this.#ended();
      return;
    }
    const buffer = this.#buffer!;
    this.#isBehind = length === buffer.length;
    this.#wantsLarge = length > SMALL;
    this.#received(buffer.subarray(0, length));
  };

  #received(chunk: Uint8Array): void {
    if (!this.#isDestroyed) this.#handler!.data(chunk);
    this.#readOver();
    this.#read();
  }

  #readOver(): void {
    this.#isReading = false;
    if (this.#buffer?.length === LARGE) giveBack(this.#buffer);
    this.#buffer = undefined;
  }

  readonly #readFailed = (error: unknown): void => {
    this.#readOver();
    // TLS that ends without close_notify (RFC 8446 §6.1): whether something is missing, a Close frame tells.
    if ((error as Error).name === "UnexpectedEof") this.#ended();
    else this.#failed(error);
  };

  #ended(): void {
    if (this.#isDestroyed) return;
    this.#hasEnded = true;
    this.#handler!.end();
    if (this.#isFinished) this.#close();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) queueMicrotask(() => this.#wasRead(held));
    else this.#read();
  }

  // --- writing

  write(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#isEnding || this.#isDestroyed) {
      queueMicrotask(() => done(this.#error ?? new Error("The socket was ended.")));
      return;
    }
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#queue.push(chunk);
      this.#written += chunk.length;
      this.bufferedAmount += chunk.length;
    }
    if (this.bufferedAmount === 0) queueMicrotask(done);
    else this.#waiting.push({ until: this.#written, done });
    this.#flush();
  }

  end(): void {
    this.#isEnding = true;
    this.#flush();
  }

  /** One write is under way at a time; what comes meanwhile waits. */
  #flush(): void {
    if (this.#isWriting || this.#isDestroyed) return;
    if (this.#queue.length > 0) {
      this.#isWriting = true;
      this.raw.write(this.#next()).then(
        (length) => this.#wasWritten(length),
        (error: unknown) => this.#writeFailed(error),
      );
    } else if (this.#isEnding && !this.#isFinished) {
      this.#isWriting = true;
      this.raw.closeWrite().then(
        () => this.#finished(),
        (error: unknown) => this.#writeFailed(error),
      );
    }
  }

  /** What to write next. Small chunks are joined, since copying them costs less than another call of the system. */
  #next(): Uint8Array {
    const queue = this.#queue;
    if (queue.length === 1 || queue[0]!.length >= LARGE) return queue[0]!;
    const joined = borrow();
    let length = 0;
    let whole = 0;
    while (whole < queue.length && length < LARGE) {
      const chunk = queue[whole]!;
      const part = chunk.subarray(0, LARGE - length);
      joined.set(part, length);
      length += part.length;
      if (part.length < chunk.length) queue[whole] = chunk.subarray(part.length);
      else whole++;
    }
    queue.splice(0, whole, joined.subarray(0, length));
    this.#joinedOver();
    this.#joined = joined;
    return queue[0]!;
  }

  #joinedOver(): void {
    if (this.#joined) giveBack(this.#joined);
    this.#joined = undefined;
  }

  #wasWritten(length: number): void {
    this.#isWriting = false;
    if (this.#isDestroyed) return this.#joinedOver();
    this.#taken += length;
    this.bufferedAmount -= length;
    const first = this.#queue[0]!;
    if (length < first.length) {
      this.#queue[0] = first.subarray(length);
    } else {
      this.#queue.shift();
      this.#joinedOver();
    }
    this.#flush();
    while (this.#waiting.length > 0 && this.#waiting[0]!.until <= this.#taken) this.#waiting.shift()!.done();
  }

  #finished(): void {
    this.#isWriting = false;
    this.#isFinished = true;
    if (this.#hasEnded) this.#close();
  }

  #writeFailed(error: unknown): void {
    this.#isWriting = false;
    this.#joinedOver();
    this.#failed(error);
  }

  // --- closing

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#shut();
    queueMicrotask(() => this.#close());
  }

  #failed(error: unknown): void {
    if (!this.#isDestroyed) this.#close(error instanceof Error ? error : new Error(String(error)));
  }

  /** What is under way fails, some time later; until then its buffers are in use. */
  #shut(): void {
    this.#isDestroyed = true;
    try {
      this.raw.close();
    } catch {
      // Its owner has closed it.
    }
  }

  #close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    if (!this.#isDestroyed) this.#shut();
    this.#queue = [];
    this.bufferedAmount = 0;
    const failure = error ?? new Error("The socket was destroyed.");
    for (const { done } of this.#waiting.splice(0)) done(failure);
    this.#handler?.close(error);
  }
}

export function isConn(socket: unknown): socket is Conn {
  const { read, write, closeWrite } = (socket ?? {}) as Partial<Conn>;
  return [read, write, closeWrite].every((method) => typeof method === "function");
}
