import type { Message } from "../protocol/data.ts";
import type { ConnectionLink } from "./connection-link.ts";
import type { Emitter } from "./emitter.ts";
import type { ConnectionEvents } from "./events.ts";
import { Inbox } from "./inbox.ts";

/**
 * What becomes of the messages that come in: they go to the listeners, or wait for whoever pulls them. While too much
 * waits, or the user says so, the transport is not read, so that the peer is held back.
 */
export class Receiving {
  isPaused = false;
  readonly #link: ConnectionLink;
  /** Has the listeners. */
  readonly #emitter: Emitter<ConnectionEvents>;
  /** Undefined while nothing has waited, nor anyone for it. */
  #inbox: Inbox | undefined;
  /** Messages that nobody takes are dropped instead of held. */
  #dropsUntaken = false;

  constructor(link: ConnectionLink, emitter: Emitter<ConnectionEvents>) {
    this.#link = link;
    this.#emitter = emitter;
  }

  get #isListenedTo(): boolean {
    return this.#emitter.listenerCount("message") > 0;
  }

  /** No message waits. */
  get isEmpty(): boolean {
    return this.#inbox?.isEmpty ?? true;
  }

  /** Someone pulls. Listeners get everything beside a loop, but hold nothing back: between two reads they are alone. */
  get #isPulled(): boolean {
    const inbox = this.#inbox;
    if (!inbox) return false;
    return inbox.loops > 0 || inbox.isAwaited || (inbox.wasRead && !this.#isListenedTo);
  }

  message(message: Message): void {
    if (this.#isPulled) {
      this.#hold(message, this.#isListenedTo);
      this.#emitter.emit("message", message);
      this.regulate();
    } else if (!this.isEmpty || !this.#emitter.emit("message", message)) {
      // Nobody listens yet, or those before it are still on their way to the one who now does.
      const isWanted = !this.#dropsUntaken && this.#link.readyState === "open";
      if (!isWanted && !this.#isListenedTo) return;
      this.#hold(message, false);
      this.regulate();
    }
  }

  read(): Promise<Message | undefined> {
    (this.#inbox ??= new Inbox()).wasRead = true;
    return this.readOn();
  }

  /** A loop takes every message by {@link readOn}, until {@link stopReading}. */
  startReading(): void {
    (this.#inbox ??= new Inbox()).loops++;
  }

  readOn(): Promise<Message | undefined> {
    const message = (this.#inbox ??= new Inbox()).read();
    this.regulate();
    return message;
  }

  /** What waits is held for the next one, or goes to the listeners that have not had it. */
  stopReading(): void {
    this.#inbox!.loops--;
    this.listen();
  }

  /** A listener is there: what was held goes to it, once the caller has finished setting up. */
  listen(): void {
    if (this.#isPulled || this.isEmpty) return;
    void Promise.resolve().then(() => {
      while (!this.#isPulled && this.#isListenedTo) {
        const held = this.#inbox?.shift();
        if (!held) break;
        if (!held.wasHeard) this.#emitter.emit("message", held.message);
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

  /** Takes all that waits; what comes from now on is dropped, unless someone listens. */
  discard(): Message[] {
    const messages: Message[] = [];
    for (let held = this.#inbox?.shift(); held; held = this.#inbox!.shift()) messages.push(held.message);
    if (this.#inbox) this.#inbox.wasRead = false;
    this.#dropsUntaken = true;
    this.regulate();
    return messages;
  }

  end(error: Error | undefined): void {
    (this.#inbox ??= new Inbox()).end(error);
  }

  /** Reads from the transport, or not, once the connection is open. */
  regulate(): void {
    const { readyState, settings } = this.#link;
    if (readyState === "connecting") return;
    const isFull = (this.#inbox?.size ?? 0) >= settings.highWaterMark;
    // Once it is closing, the peer's Close frame, or the end of its stream, must be seen; only a reader may delay it.
    const isOpen = readyState === "open";
    const shouldRead = isOpen ? !this.isPaused && !isFull : !(this.#isPulled && isFull);
    if (shouldRead === this.#link.isReading) return;
    if (shouldRead) this.#link.resume();
    else this.#link.pause();
  }

  #hold(message: Message, wasHeard: boolean): void {
    (this.#inbox ??= new Inbox()).push(message, wasHeard);
  }
}
