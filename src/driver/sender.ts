import type { Outbox } from "../codec/outbox.ts";
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
export class Sender {
  readonly #outbox: Outbox;
  readonly #highWaterMark: number;
  readonly #owner: SenderOwner;
  #transport: Transport | undefined;
  #flushScheduled = false;
  #batching = false;
  #needDrain = false;
  #writesBegun = 0;
  #writesDone = 0;
  #callbacks: Waiting[] | undefined;

  constructor(outbox: Outbox, highWaterMark: number, owner: SenderOwner) {
    this.#outbox = outbox;
    this.#highWaterMark = highWaterMark;
    this.#owner = owner;
  }

  attach(transport: Transport): void {
    this.#transport = transport;
  }

  /** Bytes, framing included, that the system has not taken yet. */
  get bufferedAmount(): number {
    return this.#outbox.length + (this.#transport?.bufferedAmount ?? 0);
  }

  /** The peer is behind. */
  get isFull(): boolean {
    return this.bufferedAmount >= this.#highWaterMark;
  }

  /** Frames were added to the outbox: they leave at the end of this turn. Answers whether to go on sending. */
  wrote(callback?: SendCallback): boolean {
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
    this.#needDrain = true;
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
    this.#transport.write(this.#outbox.take(), (error) => this.#written(error));
  }

  /** The transport is gone: what was not taken will not be. */
  abandon(error: Error): void {
    this.#outbox.clear();
    this.#needDrain = false;
    const callbacks = this.#callbacks ?? [];
    this.#callbacks = undefined;
    for (const { callback } of callbacks) callback(error);
  }

  #written(error?: Error | null): void {
    this.#writesDone++;
    while (this.#callbacks?.[0] && this.#callbacks[0].write <= this.#writesDone) {
      this.#callbacks.shift()!.callback(error ?? undefined);
    }
    if (this.#callbacks?.length === 0) this.#callbacks = undefined;
    if (this.#needDrain && !error && this.bufferedAmount <= this.#highWaterMark / 2) {
      this.#needDrain = false;
      this.#owner.caughtUp();
    }
  }
}
