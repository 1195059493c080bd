/**
 * A transport over one of Deno's own sockets.
 *
 * @module
 */
import type { Transport, TransportHandler } from "../driver/transport.ts";
import { borrowToRead, giveBackRead, LARGE, mayWait, SHORT_WRITE, Stage } from "./deno-buffers.ts";
import type { Conn } from "./deno-conn.ts";
import { readLater, sendLater, type Broadcast } from "./deno-turn.ts";
import { keepFreedMemory } from "./freed-memory.ts";
import { borrow, giveBack } from "./spare-memory.ts";

type Done = (error?: Error | null) => void;

/** A read that waits owns its buffer: this is what a silent connection costs. */
const SMALL = 2048;

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
  /** What the write under way has still to send, and what waits behind it. */
  #current: Uint8Array | undefined;
  #queue: Uint8Array[] | undefined;
  /** Where {@link #current} lies when it was copied there, and when it was joined from several. */
  #stage: Stage | undefined;
  #joined: Uint8Array | undefined;
  /** What {@link #current} is part of. */
  #broadcast: Broadcast | undefined;
  /** Bytes that were written, and of these the ones that the system has taken, ever. */
  #written = 0;
  #taken = 0;
  /** Who is told when {@link #until} bytes are taken, and who after that. */
  #done: Done | undefined;
  #until = 0;
  #waiting: { readonly until: number; readonly done: Done }[] | undefined;
  /** The peer's stream has ended. */
  #hasEnded = false;
  /** Ours ends behind what is written; that has begun; it has ended. */
  #isEnding = false;
  #isShutting = false;
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

  /** Reads on, behind a chunk that was handled. */
  readOn(): void {
    this.#read();
  }

  #read(): void {
    if (this.#isReading) return;
    this.#readOver();
    if (!this.#handler || this.#isPaused || this.#hasEnded || this.#isDestroyed) return;
    this.#isReading = true;
    const head = this.#head;
    if (head) {
      this.#head = undefined;
      queueMicrotask(() => this.#received(head));
      return;
    }
    const isLarge = this.#isBehind || (this.#wantsLarge && mayWait());
    this.#buffer = isLarge ? borrowToRead() : (this.#small ??= new Uint8Array(SMALL));
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
    keepFreedMemory(length);
    const buffer = this.#buffer!;
    this.#isBehind = length === buffer.length;
    this.#wantsLarge = length > SMALL;
    this.#received(buffer.subarray(0, length));
  };

  #received(chunk: Uint8Array): void {
    if (!this.#isDestroyed) this.#handler!.data(chunk);
    this.#isReading = false;
    readLater(this);
  }

  #readOver(): void {
    this.#isReading = false;
    if (this.#buffer?.length === LARGE) giveBackRead(this.#buffer);
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

  writeNow(memory: Uint8Array, from: number, to: number, done: Done): boolean {
    const stage = this.#current || this.#isEnding || this.#isDestroyed ? undefined : Stage.of(to - from);
    if (!stage) {
      this.write([memory.slice(from, to)], done);
      return false;
    }
    this.#stage = stage;
    this.#add(to - from);
    this.#await(done);
    const bytes = stage.copy(memory, from, to);
    if (bytes.length > SHORT_WRITE) {
      this.#send(bytes);
    } else {
      this.#current = bytes;
      sendLater(this);
    }
    return false;
  }

  /** Writes what {@link writeNow} was given. */
  sendStaged(broadcast: Broadcast | undefined): void {
    this.#broadcast = broadcast;
    if (this.#isDestroyed) this.#writeOver();
    else this.#send(this.#current!);
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#isEnding || this.#isDestroyed) {
      queueMicrotask(() => done(this.#error ?? new Error("The socket was ended.")));
      return;
    }
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      (this.#queue ??= []).push(chunk);
      this.#add(chunk.length);
    }
    if (this.bufferedAmount === 0) queueMicrotask(done);
    else this.#await(done);
    this.#flush();
  }

  #add(length: number): void {
    this.#written += length;
    this.bufferedAmount += length;
  }

  #await(done: Done): void {
    if (this.#done) {
      (this.#waiting ??= []).push({ until: this.#written, done });
    } else {
      this.#done = done;
      this.#until = this.#written;
    }
  }

  end(): void {
    this.#isEnding = true;
    this.#flush();
  }

  /** One write is under way at a time; what comes meanwhile waits. */
  #flush(): void {
    if (this.#current || this.#isShutting || this.#isDestroyed) return;
    if (this.#queue) {
      this.#send(this.#next(this.#queue));
    } else if (this.#isEnding) {
      this.#isShutting = true;
      this.raw.closeWrite().then(() => this.#finished(), this.#writeFailed);
    }
  }

  #send(bytes: Uint8Array): void {
    this.#current = bytes;
    this.raw.write(bytes).then(this.#wasWritten, this.#writeFailed);
  }

  /** Takes from the queue what to write next. Small chunks are joined: copying costs less than a call of the system. */
  #next(queue: Uint8Array[]): Uint8Array {
    if (queue.length === 1 || queue[0]!.length >= LARGE) {
      const first = queue.shift()!;
      if (queue.length === 0) this.#queue = undefined;
      return first;
    }
    const joined = (this.#joined = borrow(LARGE));
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
    if (whole === queue.length) this.#queue = undefined;
    else queue.splice(0, whole);
    return joined.subarray(0, length);
  }

  #writeOver(): void {
    this.#current = undefined;
    this.#stage?.free();
    this.#stage = undefined;
    if (this.#joined) giveBack(this.#joined);
    this.#joined = undefined;
    this.#broadcast?.wrote();
    this.#broadcast = undefined;
  }

  readonly #wasWritten = (length: number): void => {
    if (this.#isDestroyed) return this.#writeOver();
    this.#taken += length;
    this.bufferedAmount -= length;
    if (length < this.#current!.length) {
      this.#sendRest(this.#current!.subarray(length));
    } else {
      this.#writeOver();
      this.#flush();
    }
    while (this.#done && this.#until <= this.#taken) this.#nextDone()!();
  };

  #sendRest(rest: Uint8Array): void {
    if (!this.#queue || rest.length >= LARGE) return this.#send(rest);
    this.#queue.unshift(rest);
    // Nobody else comes to use the memory that it lies in before it is copied from there.
    this.#writeOver();
    this.#flush();
  }

  /** Answers who is told next, and takes it away. */
  #nextDone(): Done | undefined {
    const done = this.#done;
    const next = this.#waiting?.shift();
    this.#done = next?.done;
    this.#until = next?.until ?? 0;
    return done;
  }

  #finished(): void {
    this.#isFinished = true;
    if (this.#hasEnded) this.#close();
  }

  readonly #writeFailed = (error: unknown): void => {
    this.#writeOver();
    this.#failed(error);
  };

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
    this.#queue = undefined;
    this.bufferedAmount = 0;
    const failure = error ?? new Error("The socket was destroyed.");
    for (let done = this.#nextDone(); done; done = this.#nextDone()) done(failure);
    this.#handler?.close(error);
  }
}
