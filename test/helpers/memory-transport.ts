import type { Transport, TransportHandler } from "../../src/driver.ts";

type Item = { readonly bytes: Uint8Array; readonly done: (error?: Error | null) => void } | "end";

/** One end of a pipe in memory, written from nothing but the comments of the port. */
export class MemoryTransport implements Transport {
  readonly raw = this;
  readonly remoteAddress = "memory";
  readonly remotePort = undefined;
  readonly secure = false;
  /** Nothing is reported while a call of the handler runs, nor while one to this transport does. */
  isCalling = false;
  other!: MemoryTransport;
  #handler: TransportHandler | undefined;
  #outgoing: Item[] = [];
  #isPaused = false;
  #hasEnded = false;
  #sentEnd = false;
  #isDestroyed = false;
  #isClosed = false;
  #isScheduled = false;
  #breakage: Error | undefined;
  readonly #chunkSize: number;

  private constructor(chunkSize: number) {
    this.#chunkSize = chunkSize;
  }

  /** Both ends; bytes go over in chunks of at most `chunkSize`, each in a turn of its own. */
  static pipe(chunkSize = Infinity): [MemoryTransport, MemoryTransport] {
    const left = new MemoryTransport(chunkSize);
    const right = new MemoryTransport(chunkSize);
    left.other = right;
    right.other = left;
    return [left, right];
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.other.#schedule();
    if (this.#isDestroyed) this.#schedule();
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    if (this.#hasEnded || this.#isDestroyed) {
      queueMicrotask(() => done(new Error("The pipe was ended.")));
      return;
    }
    const last = chunks.length - 1;
    chunks.forEach((bytes, i) => this.#outgoing.push({ bytes, done: i === last ? done : () => undefined }));
    this.#schedule();
  }

  get bufferedAmount(): number {
    return this.#outgoing.reduce((sum, item) => sum + (item === "end" ? 0 : item.bytes.length), 0);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.other.#schedule();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#outgoing.push("end");
    this.#schedule();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    const dropped = this.#outgoing.splice(0);
    queueMicrotask(() => {
      for (const item of dropped) if (item !== "end") item.done(new Error("The pipe was destroyed."));
    });
    this.#schedule();
    // The other end sees an end of the stream.
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#outgoing.push("end");
    }
  }

  /** It breaks: this end is closed with `error`, and what is under way is lost. */
  break(error: Error): void {
    this.#breakage = error;
    this.destroy();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#turn();
    });
  }

  /** Moves one chunk to the other end, or reports that this one is closed. */
  #turn(): void {
    const { other } = this;
    const item = this.#outgoing[0];
    if (item && (other.#isDestroyed || other.#isClosed)) {
      this.#outgoing.shift();
      if (item === "end") this.#sentEnd = true;
      else item.done(new Error("The other end is gone."));
    } else if (item && other.#handler && !other.#isPaused) {
      this.#outgoing.shift();
      if (item === "end") {
        other.#report((handler) => handler.end());
        this.#sentEnd = true;
      } else {
        // The handler may write into what it is given.
        const chunk = item.bytes.slice(0, this.#chunkSize);
        const rest = item.bytes.subarray(chunk.length);
        if (rest.length > 0) this.#outgoing.unshift({ bytes: rest, done: item.done });
        other.#report((handler) => handler.data(chunk));
        if (rest.length === 0) item.done();
      }
    }
    if (this.#handler && !this.#isClosed && (this.#isDestroyed || (this.#sentEnd && other.#sentEnd))) {
      this.#isClosed = true;
      this.#report((handler) => handler.close(this.#breakage));
      other.#schedule();
    }
    const next = this.#outgoing[0];
    if (next && ((other.#handler && !other.#isPaused) || other.#isDestroyed || other.#isClosed)) this.#schedule();
  }

  #report(call: (handler: TransportHandler) => void): void {
    if (!this.#handler) return;
    if (this.isCalling) throw new Error("The handler is called from inside a call of its own.");
    this.isCalling = true;
    try {
      call(this.#handler);
    } finally {
      this.isCalling = false;
    }
  }
}
