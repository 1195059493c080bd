/** A send that cannot leave yet. */
export interface Held {
  /** Bytes that it will be on the wire, or nearly. */
  readonly size: number;
  readonly run: () => void;
  /** It may be dropped for others; a part of a message may not. */
  readonly mayDrop: boolean;
  /** Tells who sent it that it never will be; answers whether there was a callback to tell. */
  readonly fail: (error: Error) => boolean;
}

/** What is done with a message for a peer that does not read what is sent to it, once its queue is full. */
export type SlowConsumer = "close" | "wait" | "drop-oldest" | "drop-newest";

export const slowConsumers: readonly SlowConsumer[] = ["close", "wait", "drop-oldest", "drop-newest"];

/** Sends in their order, until they can leave. */
export class Queue {
  /** Bytes that wait here. */
  bytes = 0;
  #held: Held[] = [];

  get length(): number {
    return this.#held.length;
  }

  push(held: Held): void {
    this.#held.push(held);
    this.bytes += held.size;
  }

  shift(): Held | undefined {
    return this.#take(0);
  }

  /** Takes the first that may be dropped. */
  takeOldest(): Held | undefined {
    return this.#take(this.#held.findIndex(({ mayDrop }) => mayDrop));
  }

  #take(at: number): Held | undefined {
    const [held] = at < 0 ? [] : this.#held.splice(at, 1);
    if (held) this.bytes -= held.size;
    return held;
  }
}
