import { MESSAGE_COST } from "../driver/inbox.ts";
import { Queue } from "../driver/queue.ts";
import type { Message } from "../protocol/data.ts";
import type { PageSettings } from "./settings.ts";

/** Messages that came while nobody wants any: what a transport would leave with the peer waits here. */
export class Backlog {
  isHeld = false;
  readonly #settings: PageSettings;
  readonly #deliver: (message: Message) => void;
  #queue = new Queue();

  constructor(settings: PageSettings, deliver: (message: Message) => void) {
    this.#settings = settings;
    this.#deliver = deliver;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Delivers a message, behind those that wait; answers false if it would have to wait, and there is no room. */
  push(message: Message): boolean {
    if (!this.isHeld && this.isEmpty) {
      this.#deliver(message);
      return true;
    }
    const { maxQueuedBytes, maxQueuedMessages } = this.#settings;
    const size = message.length + MESSAGE_COST;
    if (this.#queue.bytes + size > maxQueuedBytes || this.#queue.length >= maxQueuedMessages) return false;
    this.#queue.push({ size, run: () => this.#deliver(message), mayDrop: false, fail: () => false });
    return true;
  }

  /** Delivers what waits, until it is held again. */
  release(): void {
    while (!this.isHeld && !this.isEmpty) this.#queue.shift()!.run();
  }

  clear(): void {
    this.#queue = new Queue();
  }
}
