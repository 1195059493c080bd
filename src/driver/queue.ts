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

/** So many empty places the list may always have. */
const MOST_EMPTY = 1024;

/** Sends in their order, until they can leave. */
export class Queue {
  /** Bytes that wait here. */
  bytes = 0;
  length = 0;
  /** One that was taken leaves an empty place, since to move all the others each time would take too long. */
  #held: (Held | undefined)[] = [];
  /** Before these there are none at all, and none that may be dropped. */
  #first = 0;
  #oldest = 0;

  push(held: Held): void {
    this.#held.push(held);
    this.length++;
    this.bytes += held.size;
  }

  shift(): Held | undefined {
    const held = this.#held;
    while (this.#first < held.length && !held[this.#first]) this.#first++;
    return this.#take(this.#first);
  }

  /** Takes the first that may be dropped. */
  takeOldest(): Held | undefined {
    const held = this.#held;
    while (this.#oldest < held.length && !held[this.#oldest]?.mayDrop) this.#oldest++;
    return this.#take(this.#oldest);
  }

  #take(at: number): Held | undefined {
    const taken = this.#held[at];
    if (!taken) return undefined;
    this.#held[at] = undefined;
    this.length--;
    this.bytes -= taken.size;
    const empty = this.#held.length - this.length;
    if (empty > MOST_EMPTY && empty > this.length) {
      this.#held = this.#held.filter((held) => held);
      this.#first = this.#oldest = 0;
    }
    return taken;
  }
}
