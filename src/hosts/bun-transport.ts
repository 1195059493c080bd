/**
 * A transport over one of Bun's own sockets.
 *
 * @module
 */
import type { Transport, TransportHandler } from "../driver/transport.ts";
import { free } from "../protocol/free.ts";
import type { BunSocket, SocketHandler } from "./bun-socket.ts";
import { peerCertificate } from "./duplex.ts";

/** What is shorter is joined with what is behind it, since each write is a call of the system. */
const LONG = 65536;
/** Where it is joined: Bun keeps nothing of what it is given, so one serves all sockets. */
let joint: Uint8Array | undefined;
const JOINT_SIZE = 2 * LONG;

/**
 * A chunk of so much or more is handed on as it is, and freed when it is worked through: what Bun has made for one read
 * nobody else has. What is shorter has room in the codec's window.
 */
const MUCH = 16_384;

/** Called once the system has taken the bytes, or with an error. */
type Done = (error?: Error | null) => void;

/** A chunk that waits until the system takes more, and whom to tell when it was the last of its write. */
interface Waiting {
  bytes: Uint8Array;
  readonly done: Done | undefined;
}

export class BunTransport implements Transport {
  readonly raw: BunSocket;
  readonly secure: boolean;
  bufferedAmount = 0;
  readonly #window: Uint8Array | undefined;
  #handler: TransportHandler | undefined;
  #queue: Waiting[] | undefined;
  /** Bytes that came before somebody was there for them. */
  #held: Uint8Array[] | undefined;
  #error: Error | undefined;
  #isPaused = false;
  /** Ours is the last byte that was written. */
  #isEnding = false;
  /** The peer's stream has ended. */
  #hasEnded = false;
  #isDestroyed = false;
  #isClosed = false;
  #isCloseReported = false;

  /** `head` is what was read from the socket already. */
  constructor(socket: BunSocket, window?: Uint8Array, head?: Uint8Array | null) {
    this.raw = socket;
    this.#window = window;
    this.secure = socket.getTLSVersion() !== null;
    if (head && head.length > 0) this.#held = [head];
    socket.data = this;
  }

  start(handler: TransportHandler): void {
    const isFirst = !this.#handler;
    this.#handler = handler;
    if (isFirst && (this.#held || this.#hasEnded || this.#isClosed)) queueMicrotask(() => this.#catchUp());
  }

  /** Reports what came before {@link start}. */
  #catchUp(): void {
    for (const chunk of this.#held ?? []) if (!this.#isDestroyed) this.#report(chunk);
    const wasHeld = this.#held !== undefined;
    this.#held = undefined;
    if (this.#hasEnded && !this.#isDestroyed) this.#handler!.end();
    if (this.#isClosed) this.#reportClose();
    else if (wasHeld && !this.#isPaused) this.raw.resume();
  }

  // --- what Bun reports

  received(chunk: Uint8Array): void {
    if (this.#isDestroyed) return;
    if (this.#handler && !this.#held) {
      this.#report(chunk);
      if (this.#window && chunk.length >= MUCH) free(chunk);
      return;
    }
    // Bun never writes to a chunk again.
    (this.#held ??= []).push(chunk);
    this.raw.pause();
  }

  /** What is short is copied to the codec's window here, since asking where a chunk of Bun's lies would cost more. */
  #report(chunk: Uint8Array): void {
    const handler = this.#handler!;
    if (!this.#window || !handler.windowFilled || chunk.length >= MUCH) return handler.data(chunk);
    this.#window.set(chunk);
    handler.windowFilled(chunk.length);
  }

  drained(): void {
    if (this.#queue) this.#flush();
  }

  ended(): void {
    if (this.#hasEnded || this.#isDestroyed) return;
    // Where a write has found a reset, the system has nothing more to tell a read, and that looks like the end.
    if (this.#error) return this.raw.close();
    this.#hasEnded = true;
    if (this.#handler && !this.#held) this.#handler.end();
  }

  /** TLS failed, and Bun closes the socket; or a handler threw, which none does. */
  failed(error: Error): void {
    this.#error ??= error;
    if (!this.#isClosed) this.raw.close();
  }

  closed(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isDestroyed) this.#error ??= error;
    this.#drop();
    // This comes from inside a call to `close`, too.
    queueMicrotask(() => this.#reportClose());
  }

  #reportClose(): void {
    if (!this.#handler || this.#held || this.#isCloseReported) return;
    this.#isCloseReported = true;
    // Of a stream that both ended, Bun reports the close alone.
    if (!this.#hasEnded && !this.#isDestroyed && !this.#error) {
      this.#hasEnded = true;
      this.#handler.end();
    }
    this.#handler.close(this.#error);
  }

  // --- sending

  writeNow(memory: Uint8Array, from: number, to: number, done: Done): boolean {
    if (this.#queue || this.#sendsNoMore) {
      this.write([memory.slice(from, to)], done);
      return false;
    }
    const taken = this.raw.write(memory, from, to - from);
    if (taken === to - from) return true;
    this.#keep(memory.slice(from + Math.max(taken, 0), to), done, taken < 0);
    return false;
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#sendsNoMore) return queueMicrotask(() => done(this.#gone()));
    const only = chunks[0]!;
    if (!this.#queue && chunks.length === 1) {
      const taken = this.raw.write(only);
      if (taken === only.length) return queueMicrotask(done);
      this.#keep(taken > 0 ? only.subarray(taken) : only, done, taken < 0);
      return;
    }
    const isFirst = !this.#queue;
    const queue = (this.#queue ??= []);
    for (let i = 0; i < chunks.length; i++) {
      queue.push({ bytes: chunks[i]!, done: i === chunks.length - 1 ? done : undefined });
      this.bufferedAmount += chunks[i]!.length;
    }
    if (isFirst) this.#flush();
  }

  get #sendsNoMore(): boolean {
    return this.#isEnding || this.#isDestroyed || this.#isClosed;
  }

  /** Of a write that went past the queue, `rest` waits; or is dropped, if the socket cannot send any more. */
  #keep(rest: Uint8Array, done: Done, isOver: boolean): void {
    this.bufferedAmount = rest.length;
    this.#queue = [{ bytes: rest, done }];
    if (isOver) this.#refused();
  }

  /** Writes what waits, as far as the system takes it. */
  #flush(): void {
    const queue = this.#queue!;
    let at = 0;
    while (at < queue.length) {
      const { bytes } = queue[at]!;
      const isAlone = bytes.length >= LONG || at === queue.length - 1;
      const size = isAlone ? bytes.length : join(queue, at);
      const taken = isAlone ? this.raw.write(bytes) : this.raw.write(joint!, 0, size);
      if (taken < 0) return this.#refused(at);
      this.bufferedAmount -= taken;
      at = pass(queue, at, taken);
      if (taken === size) continue;
      queue.splice(0, at);
      return;
    }
    this.#queue = undefined;
    if (this.#isEnding) this.raw.shutdown();
  }

  /** The system takes no more, though the peer has not ended its stream: it was reset. */
  #refused(at = 0): void {
    if (!this.#hasEnded) this.#error ??= Object.assign(new Error("write ECONNRESET"), { code: "ECONNRESET" });
    this.#drop(at);
  }

  /** What waits, from `at` on, will not be sent. */
  #drop(at = 0): void {
    const queue = this.#queue;
    this.#queue = undefined;
    this.bufferedAmount = 0;
    for (const { done } of queue?.slice(at) ?? []) if (done) queueMicrotask(() => done(this.#gone()));
  }

  #gone(): Error {
    return this.#error ?? new Error(this.#isDestroyed ? "The socket was destroyed." : "The socket sends no more.");
  }

  // --- the rest of the port

  pause(): void {
    this.#isPaused = true;
    if (!this.#isClosed) this.raw.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isClosed && !this.#held) this.raw.resume();
  }

  end(): void {
    if (this.#isEnding || this.#isDestroyed || this.#isClosed) return;
    this.#isEnding = true;
    if (!this.#queue) this.raw.shutdown();
  }

  destroy(): void {
    if (this.#isDestroyed || this.#isClosed) return;
    this.#isDestroyed = true;
    // With the rest of a TLS record to send, Bun would wait twelve seconds for the peer to take it.
    if (this.secure && this.#queue) this.raw.terminate();
    else this.raw.close();
    this.closed();
  }

  get remoteAddress(): string | undefined {
    return this.raw.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.raw.remotePort;
  }

  get peerCertificate(): Uint8Array | undefined {
    return this.secure ? peerCertificate(this.raw) : undefined;
  }
}

/** Joins what waits from `at` on, as far as there is room; answers how many bytes that are. */
function join(queue: readonly Waiting[], at: number): number {
  joint ??= new Uint8Array(JOINT_SIZE);
  let size = 0;
  for (; at < queue.length && size < JOINT_SIZE; at++) {
    const { bytes } = queue[at]!;
    const piece = bytes.length <= JOINT_SIZE - size ? bytes : bytes.subarray(0, JOINT_SIZE - size);
    joint.set(piece, size);
    size += piece.length;
  }
  return size;
}

/** `taken` more bytes have left, from the chunk at `at` on; answers which chunk is the first that has not left whole. */
function pass(queue: readonly Waiting[], at: number, taken: number): number {
  for (; at < queue.length; at++) {
    const waiting = queue[at]!;
    if (waiting.bytes.length > taken) {
      if (taken > 0) waiting.bytes = waiting.bytes.subarray(taken);
      break;
    }
    taken -= waiting.bytes.length;
    if (waiting.done) queueMicrotask(waiting.done);
  }
  return at;
}

/** One for all sockets, whose `data` is their transport; until there is one, nobody is to be told anything. */
export const handler: SocketHandler = {
  data: ({ data }, chunk) => (data as BunTransport | undefined)?.received(chunk),
  drain: ({ data }) => (data as BunTransport | undefined)?.drained(),
  end: ({ data }) => (data as BunTransport | undefined)?.ended(),
  error: ({ data }, error) => (data as BunTransport | undefined)?.failed(error),
  close: ({ data }, error) => (data as BunTransport | undefined)?.closed(error),
};

/** Puts the port over a socket of Bun's that had other handlers. */
export function takeOver(socket: BunSocket, window?: Uint8Array, head?: Uint8Array | null): BunTransport {
  socket.reload({ socket: handler });
  socket.setNoDelay(true);
  const transport = new BunTransport(socket, window, head);
  // Whoever had it may have paused it; what comes before somebody reads is held.
  socket.resume();
  return transport;
}
