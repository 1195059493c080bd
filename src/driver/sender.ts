import { BATCH, type Outbox } from "../codec/outbox.ts";
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
  /** Frames in the outbox; those with the transport, in all and of each write. */
  #waiting = 0;
  #writing = 0;
  #writes: number[] | undefined;
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

  /** The peer is behind. */
  get isFull(): boolean {
    const { sendMark, maxQueuedMessages } = this.#settings;
    // Nothing is with the transport: spares asking it.
    if (this.#writing === 0 && this.#outbox.atLeast < sendMark && this.#waiting < maxQueuedMessages) return false;
    const amount = this.bufferedAmount;
    const frames = this.#waiting + this.#writing;
    return amount > 0 && (amount >= sendMark || frames >= maxQueuedMessages);
  }

  /** Frames were added to the outbox: they leave at the end of this turn. Answers whether to go on sending. */
  wrote(callback?: SendCallback): boolean {
    this.#waiting++;
    if (callback) (this.#callbacks ??= []).push({ write: this.#writesBegun + 1, callback });
    if (this.#outbox.atLeast >= FULL_BATCH) {
      this.flush();
    } else if (!this.#batching && !this.#flushScheduled) {
      this.#flushScheduled = true;
      flushLater(this);
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

  /** The turn that {@link wrote} waited for is over. */
  turnEnded(): void {
    this.#flushScheduled = false;
    this.flush();
  }

  /** Hands what waits to the transport. */
  flush(): void {
    const transport = this.#transport;
    const { length } = this.#outbox;
    if (length === 0 || !transport) return;
    this.#writesBegun++;
    this.#handedOver += length;
    this.#settings.counters.bytesSent += length;
    const frames = this.#waiting;
    this.#waiting = 0;
    // Kept for the next batch it would weigh on idle connections more than it weighs on this one. Writes end in order.
    const done = (error?: Error | null): void => this.#written(this.#writes!.shift()!, error);
    const end = transport.writeNow ? this.#outbox.end : 0;
    if (end === 0) {
      transport.write(this.#outbox.take(), done);
    } else {
      const isTaken = transport.writeNow!(this.#settings.codec.memory, BATCH, end, done);
      this.#outbox.clear();
      if (isTaken) return this.#wasTaken();
    }
    this.#writing += frames;
    (this.#writes ??= []).push(frames);
  }

  #wasTaken(): void {
    // Nobody may be called back from inside a call of theirs.
    if (this.#callbacks || this.isBehind) void Promise.resolve().then(() => this.#written(0));
    else this.#writesDone++;
  }

  /** The transport is gone: what was not taken will not be. Answers who is to be told. */
  abandon(): SendCallback[] {
    this.#outbox.clear();
    this.isBehind = false;
    const callbacks = this.#callbacks ?? [];
    this.#callbacks = undefined;
    return callbacks.map(({ callback }) => callback);
  }

  #written(frames: number, error?: Error | null): void {
    this.#writesDone++;
    this.#writing -= frames;
    while (this.#callbacks?.[0] && this.#callbacks[0].write <= this.#writesDone) {
      this.#callbacks.shift()!.callback(error ?? undefined);
    }
    if (this.#callbacks?.length === 0) this.#callbacks = undefined;
    const { sendMark, maxQueuedMessages } = this.#settings;
    const hasRoom = this.bufferedAmount <= sendMark / 2 && this.bufferedFrames <= maxQueuedMessages / 2;
    if (this.isBehind && !error && hasRoom) {
      this.isBehind = false;
      this.#owner.caughtUp();
    }
  }
}

/** Whose turn ends with the microtask that is under way: one serves all, since a broadcast writes to thousands. */
let turn: Sender[] = [];

function flushLater(sender: Sender): void {
  if (turn.push(sender) > 1) return;
  void Promise.resolve().then(() => {
    const senders = turn;
    turn = [];
    endTurns(senders, 0);
  });
}

function endTurns(senders: readonly Sender[], at: number): void {
  try {
    while (at < senders.length) senders[at++]!.turnEnded();
  } finally {
    // A transport threw, which none may; the others go on.
    if (at < senders.length) void Promise.resolve().then(() => endTurns(senders, at));
  }
}
