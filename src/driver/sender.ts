import type { Outbox } from "../codec/outbox.ts";
import type { Progress } from "./heartbeat.ts";
import type { Settings } from "./settings.ts";
import type { Transport } from "./transport.ts";

/** Called with nothing once the system has taken the bytes, with an error when they will not be sent. */
export type SendCallback = (error?: Error) => void;

/** From this many bytes on a batch does not wait for its end. */
const FULL_BATCH = 65536;

/** A callback, and the number of the write after which it is called. */
interface Waiting {
  readonly write: number;
  readonly callback: SendCallback;
}

/** Who a sender reports to. */
export interface SenderOwner {
  /** The peer has caught up after {@link Sender.wrote} answered false. */
  caughtUp(): void;
}

/** What leaves a connection: it joins the frames of one turn into one write, and knows what the system has taken. */
export class Sender implements Progress {
  readonly #outbox: Outbox;
  readonly #settings: Settings;
  readonly #owner: SenderOwner;
  #transport: Transport | undefined;
  #flushScheduled = false;
  #batching = false;
  /** The peer is behind, and {@link SenderOwner.caughtUp} will tell when it no longer is. */
  isBehind = false;
  /** Frames in the outbox, and those with the transport. */
  #waiting = 0;
  #writing = 0;
  /** Bytes that the transport was given in all. */
  #handedOver = 0;
  #writesBegun = 0;
  #writesDone = 0;
  #callbacks: Waiting[] | undefined;

  constructor(outbox: Outbox, settings: Settings, owner: SenderOwner) {
    this.#outbox = outbox;
    this.#settings = settings;
    this.#owner = owner;
  }

  attach(transport: Transport): void {
    this.#transport = transport;
  }

  /** Bytes, framing included, that the system has not taken yet. */
  get bufferedAmount(): number {
    return this.#outbox.length + (this.#transport?.bufferedAmount ?? 0);
  }

  /** Frames that the system has not taken yet, those of a write under way among them. */
  get bufferedFrames(): number {
    return this.bufferedAmount === 0 ? 0 : this.#waiting + this.#writing;
  }

  /** {@link Progress.isHeldUp} */
  get isHeldUp(): boolean {
    return (this.#transport?.bufferedAmount ?? 0) > 0;
  }

  /** {@link Progress.taken} */
  get taken(): number {
    return this.#handedOver - (this.#transport?.bufferedAmount ?? 0);
  }

  /** {@link Progress.unsent} */
  get unsent(): number {
    return this.#transport?.unsent ?? 0;
  }

  /** Bytes from which on the peer is behind. */
  get #mark(): number {
    return Math.min(this.#settings.highWaterMark, this.#settings.maxQueuedBytes);
  }

  /** The peer is behind. */
  get isFull(): boolean {
    const amount = this.bufferedAmount;
    const frames = this.#waiting + this.#writing;
    return amount > 0 && (amount >= this.#mark || frames >= this.#settings.maxQueuedMessages);
  }

  /** Frames were added to the outbox: they leave at the end of this turn. Answers whether to go on sending. */
  wrote(callback?: SendCallback): boolean {
    this.#waiting++;
    if (callback) (this.#callbacks ??= []).push({ write: this.#writesBegun + 1, callback });
    if (this.#outbox.length >= FULL_BATCH) {
      this.flush();
    } else if (!this.#batching && !this.#flushScheduled) {
      this.#flushScheduled = true;
      void Promise.resolve().then(() => {
        this.#flushScheduled = false;
        this.flush();
      });
    }
    if (!this.isFull) return true;
    // What merely waits for the end of the turn says nothing about the peer.
    this.flush();
    if (!this.isFull) return true;
    this.isBehind = true;
    return false;
  }

  /** Until {@link release}, what is sent gathers for one write. */
  hold(): void {
    this.#batching = true;
  }

  release(): void {
    this.#batching = false;
    this.flush();
  }

  /** Hands what waits to the transport. */
  flush(): void {
    if (this.#outbox.length === 0 || !this.#transport) return;
    this.#writesBegun++;
    this.#handedOver += this.#outbox.length;
    this.#settings.counters.bytesSent += this.#outbox.length;
    const frames = this.#waiting;
    this.#waiting = 0;
    this.#writing += frames;
    this.#transport.write(this.#outbox.take(), (error) => this.#written(frames, error));
  }

  /** The transport is gone: what was not taken will not be. */
  abandon(error: Error): void {
    this.#outbox.clear();
    this.isBehind = false;
    const callbacks = this.#callbacks ?? [];
    this.#callbacks = undefined;
    for (const { callback } of callbacks) callback(error);
  }

  #written(frames: number, error?: Error | null): void {
    this.#writesDone++;
    this.#writing -= frames;
    while (this.#callbacks?.[0] && this.#callbacks[0].write <= this.#writesDone) {
      this.#callbacks.shift()!.callback(error ?? undefined);
    }
    if (this.#callbacks?.length === 0) this.#callbacks = undefined;
    const { maxQueuedMessages } = this.#settings;
    const hasRoom = this.bufferedAmount <= this.#mark / 2 && this.bufferedFrames <= maxQueuedMessages / 2;
    if (this.isBehind && !error && hasRoom) {
      this.isBehind = false;
      this.#owner.caughtUp();
    }
  }
}
