import type { SendCallback, Sender, SenderOwner } from "../driver/sender.ts";
import type { PageSettings } from "./settings.ts";
import type { PageSocket } from "./page-socket.ts";

/** Milliseconds until the browser is asked again what it still has, if it has sent something, and at most. */
const SOON = 1;
const LATE = 64;

/** A message that the browser was given: after so many bytes in all it has sent it. */
interface Given {
  readonly end: number;
  readonly callback: SendCallback | undefined;
}

/** What leaves a page. A browser does not say that it has sent something: it is asked, while somebody waits for it. */
export class PageSender implements Pick<Sender, "bufferedAmount" | "bufferedFrames" | "isBehind" | "wrote" | "flush"> {
  /** {@link Sender.isBehind} */
  isBehind = false;
  readonly #settings: PageSettings;
  readonly #owner: SenderOwner;
  #socket: PageSocket | undefined;
  /** Bytes that the browser was given in all, and had sent when it was asked last. */
  #given = 0;
  #sent = 0;
  /** What the browser may still have; those before the first are sent. */
  #messages: Given[] = [];
  #first = 0;
  /** Messages among them that somebody waits for. */
  #awaited = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wait = SOON;

  constructor(settings: PageSettings, owner: SenderOwner) {
    this.#settings = settings;
    this.#owner = owner;
  }

  attach(socket: PageSocket): void {
    this.#socket = socket;
  }

  /** {@link Sender.bufferedAmount}; a browser counts payloads only. */
  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** {@link Sender.bufferedFrames} */
  get bufferedFrames(): number {
    const sent = this.#given - this.bufferedAmount;
    let at = this.#first;
    while (at < this.#messages.length && this.#messages[at]!.end <= sent) at++;
    return this.#messages.length - at;
  }

  /** Gives the browser a message. Its length in bytes is what the browser then has more. */
  send(data: string | Uint8Array): void {
    const before = this.bufferedAmount;
    this.#socket!.send(data);
    this.#given += this.bufferedAmount - before;
  }

  /** {@link Sender.wrote} */
  wrote(callback?: SendCallback): boolean {
    // What nobody waits for is not kept for longer than until the next.
    if (this.#awaited === 0) this.#forgetSent();
    this.#messages.push({ end: this.#given, callback });
    if (callback) this.#awaited++;
    const { sendMark, maxQueuedMessages } = this.#settings;
    const amount = this.bufferedAmount;
    const isFull = amount > 0 && (amount >= sendMark || this.#messages.length - this.#first >= maxQueuedMessages);
    if (isFull) this.isBehind = true;
    this.#askLater(SOON);
    return !isFull;
  }

  /** {@link Sender.flush}: the browser does that. */
  flush(): void {
    return undefined;
  }

  /** The connection is over: answers whose messages have not been sent. */
  abandon(): SendCallback[] {
    clearTimeout(this.#timer);
    this.isBehind = false;
    this.#tellSent();
    this.#socket = undefined;
    const left = this.#messages.splice(this.#first);
    return left.flatMap(({ callback }) => callback ?? []);
  }

  #askLater(ms: number): void {
    if (this.#timer !== undefined || (this.#awaited === 0 && !this.isBehind)) return;
    this.#wait = ms;
    this.#timer = setTimeout(() => this.#ask(), ms);
  }

  #ask(): void {
    this.#timer = undefined;
    const before = this.#sent;
    this.#tellSent();
    const { sendMark, maxQueuedMessages } = this.#settings;
    if (this.isBehind && this.bufferedAmount <= sendMark / 2 && this.bufferedFrames <= maxQueuedMessages / 2) {
      this.isBehind = false;
      this.#owner.caughtUp();
    }
    this.#askLater(this.#sent > before ? SOON : Math.min(this.#wait * 2, LATE));
  }

  #tellSent(): void {
    for (const callback of this.#forgetSent()) callback();
  }

  /** Answers who waited for what the browser has sent. */
  #forgetSent(): SendCallback[] {
    this.#sent = this.#given - this.bufferedAmount;
    const callbacks: SendCallback[] = [];
    for (; this.#first < this.#messages.length; this.#first++) {
      const { end, callback } = this.#messages[this.#first]!;
      if (end > this.#sent) break;
      if (callback) callbacks.push(callback);
    }
    this.#awaited -= callbacks.length;
    if (this.#first * 2 >= this.#messages.length) {
      this.#messages.splice(0, this.#first);
      this.#first = 0;
    }
    return callbacks;
  }
}
