import type { Message } from "../protocol/data.ts";
import { Inbox } from "./inbox.ts";
import type { Link } from "./link.ts";

/** Who listens for messages. */
export interface Listeners {
  /** Answers false when there are none. */
  readonly deliver: (message: Message) => boolean;
  readonly areThere: () => boolean;
}

/**
 * What becomes of the messages that come in: they go to the listeners, or wait for whoever pulls them. While too much
 * waits, or the user says so, the transport is not read, so that the peer is held back.
 */
export class Receiving {
  isPaused = false;
  readonly #inbox = new Inbox();
  readonly #link: Link;
  readonly #highWaterMark: number;
  readonly #listeners: Listeners;
  /** Loops that are under way. */
  #loops = 0;
  /** Someone has read a message, and so may read the next. */
  #hasRead = false;
  /** Messages that nobody takes are dropped instead of held. */
  #dropsUntaken = false;
  #isReading = true;

  constructor(link: Link, highWaterMark: number, listeners: Listeners) {
    this.#link = link;
    this.#highWaterMark = highWaterMark;
    this.#listeners = listeners;
  }

  /** Someone pulls. Listeners get everything beside a loop, but hold nothing back: between two reads they are alone. */
  get #isPulled(): boolean {
    return this.#loops > 0 || this.#inbox.isAwaited || (this.#hasRead && !this.#listeners.areThere());
  }

  message(message: Message): void {
    if (this.#isPulled) {
      this.#inbox.push(message, this.#listeners.areThere());
      this.#listeners.deliver(message);
      this.regulate();
    } else if (!this.#inbox.isEmpty || !this.#listeners.deliver(message)) {
      // Nobody listens yet, or those before it are still on their way to the one who now does.
      const isWanted = !this.#dropsUntaken && this.#link.readyState === "open";
      if (!isWanted && !this.#listeners.areThere()) return;
      this.#inbox.push(message, false);
      this.regulate();
    }
  }

  read(): Promise<Message | undefined> {
    this.#hasRead = true;
    return this.readOn();
  }

  /** A loop takes every message by {@link readOn}, until {@link stopReading}. */
  startReading(): void {
    this.#loops++;
  }

  readOn(): Promise<Message | undefined> {
    const message = this.#inbox.read();
    this.regulate();
    return message;
  }

  /** What waits is held for the next one, or goes to the listeners that have not had it. */
  stopReading(): void {
    this.#loops--;
    this.listen();
  }

  /** A listener is there: what was held goes to it, once the caller has finished setting up. */
  listen(): void {
    if (this.#isPulled || this.#inbox.isEmpty) return;
    void Promise.resolve().then(() => {
      while (!this.#isPulled && this.#listeners.areThere()) {
        const held = this.#inbox.shift();
        if (!held) break;
        if (!held.wasHeard) this.#listeners.deliver(held.message);
      }
      this.regulate();
    });
  }

  pause(): void {
    this.isPaused = true;
    this.regulate();
  }

  resume(): void {
    this.isPaused = false;
    this.#dropsUntaken = true;
    this.regulate();
  }

  end(error: Error | undefined): void {
    this.#inbox.end(error);
  }

  /** Reads from the transport, or not. */
  regulate(): void {
    const isFull = this.#inbox.size >= this.#highWaterMark;
    // Once it is closing, the peer's Close frame, or the end of its stream, must be seen; only a reader may delay it.
    const isOpen = this.#link.readyState === "open";
    const shouldRead = isOpen ? !this.isPaused && !isFull : !(this.#isPulled && isFull);
    if (shouldRead === this.#isReading) return;
    this.#isReading = shouldRead;
    if (shouldRead) this.#link.transport?.resume();
    else this.#link.transport?.pause();
  }
}
