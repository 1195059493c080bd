import { Queue } from "../driver/queue.ts";
import type { Message } from "../protocol/data.ts";
import type { PageSettings } from "./settings.ts";

/** What a waiting message counts beside its length. */
const MESSAGE_COST = 32;

/** Messages that came while nobody wants any: what a transport would leave with the peer waits here. */
export class Backlog {
  isHeld = false;
  readonly #settings: PageSettings;
  readonly #deliver: (message: Message) => void;
  #queue: Queue | undefined;

  constructor(settings: PageSettings, deliver: (message: Message) => void) {
    this.#settings = settings;
    this.#deliver = deliver;
  }

  get isEmpty(): boolean {
    return this.#queue === undefined;
  }

  /** Delivers a message, behind those that wait; answers false if it would have to wait, and there is no room. */
  push(message: Message): boolean {
    if (!this.isHeld && !this.#queue) {
      this.#deliver(message);
      return true;
    }
    const queue = (this.#queue ??= new Queue());
    const { maxQueuedBytes, maxQueuedMessages } = this.#settings;
    const size = message.length + MESSAGE_COST;
    if (queue.bytes + size > maxQueuedBytes || queue.length >= maxQueuedMessages) return false;
    queue.push({ size, run: () => this.#deliver(message), mayDrop: false, fail: () => false });
    return true;
  }

  /** Delivers what waits, until it is held again. */
  release(): void {
    while (!this.isHeld && this.#queue) {
      const held = this.#queue.shift();
      if (held) held.run();
      // A listener may have cleared it.
      if (this.#queue?.length === 0) this.#queue = undefined;
    }
  }

  clear(): void {
    this.#queue = undefined;
  }
}
