import type { Message } from "../protocol/data.ts";
import { Inbox } from "./inbox.ts";
import type { Link } from "./link.ts";

/** Where messages are delivered to: answers false when nobody listens. */
export type Deliver = (message: Message) => boolean;

/**
 * What becomes of the messages that come in: they go to the listeners, or wait for whoever pulls them. While too much
 * waits, or the user says so, the transport is not read, so that the peer is held back.
 */
export class Receiving {
  isPaused = false;
  readonly #inbox = new Inbox();
  readonly #link: Link;
  readonly #highWaterMark: number;
  readonly #deliver: Deliver;
  /** Someone reads, beside the listeners or instead of them. */
  #isPulled = false;
  /** Messages that nobody takes are dropped instead of held. */
  #dropsUntaken = false;
  #isReading = true;

  constructor(link: Link, highWaterMark: number, deliver: Deliver) {
    this.#link = link;
    this.#highWaterMark = highWaterMark;
    this.#deliver = deliver;
  }

  message(message: Message): void {
    if (this.#isPulled) {
      this.#inbox.push(message);
      this.#deliver(message);
      this.regulate();
    } else if (!this.#inbox.isEmpty || !this.#deliver(message)) {
      // Nobody listens yet, or those before it are still on their way to the one who now does.
      if (this.#dropsUntaken || this.#link.readyState !== "open") return;
      this.#inbox.push(message);
      this.regulate();
    }
  }

  read(): Promise<Message | undefined> {
    this.#isPulled = true;
    const message = this.#inbox.read();
    this.regulate();
    return message;
  }

  /** Nobody reads any more; what waits is held for the next one. */
  stopReading(): void {
    this.#isPulled = false;
  }

  /** A listener is there: what was held goes to it, once the caller has finished setting up. */
  listen(): void {
    if (this.#isPulled || this.#inbox.isEmpty) return;
    void Promise.resolve().then(() => {
      while (!this.#isPulled && !this.#inbox.isEmpty) this.#deliver(this.#inbox.shift()!);
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
