import { BATCH, type Outbox } from "../codec/outbox.ts";
import type { Link } from "./link.ts";

/** Called with nothing once the system has taken the bytes, with an error when they will not be sent. */
export type SendCallback = (error?: Error) => void;

/** From this many bytes on a batch does not wait for its end. */
const FULL_BATCH = 65536;

/** Frames that leave in one write, and who waits for its end. */
interface Write {
  readonly frames: number;
  readonly callbacks: readonly SendCallback[] | undefined;
}

/** Who a sender reports to. */
export interface SenderOwner {
  /** The peer has caught up after {@link Sender.wrote} answered false. */
  caughtUp(): void;
}

/** Whose frames a sender sends. */
type SenderLink = SenderOwner & Pick<Link, "protocol" | "settings" | "transport">;

/** What leaves a connection: it joins the frames of one turn into one write, and knows what the system has taken. */
export class Sender {
  readonly #link: SenderLink;
  /** What is sent now leaves with something else: with what a read has caused, or at the end of this turn. */
  #willFlush = false;
  /** The peer is behind, and {@link SenderOwner.caughtUp} will tell when it no longer is. */
  isBehind = false;
  /** Who waits for what lies in the outbox to be written. */
  #callbacks: SendCallback[] | undefined;
  /** The writes under way, in the order that they end in, and the frames of all of them. */
  #writes: Write[] | undefined;
  #writing = 0;
  /** Bytes that the transport was given in all. */
  #handedOver = 0;

  constructor(link: SenderLink) {
    this.#link = link;
  }

  get #outbox(): Outbox | undefined {
    return this.#link.protocol.outbox;
  }

  /** Bytes, framing included, that the system has not taken yet. */
  get bufferedAmount(): number {
    return (this.#outbox?.length ?? 0) + this.#givenAmount;
  }

  /** Frames that the system has not taken yet, those of a write under way among them. */
  get bufferedFrames(): number {
    return this.bufferedAmount === 0 ? 0 : this.#frames;
  }

  /** Frames in the outbox, and those with the transport. */
  get #frames(): number {
    return (this.#outbox?.frames ?? 0) + this.#writing;
  }

  /** Something waits for room in the buffers of the system: once those are full, what it takes the peer has taken. */
  get isHeldUp(): boolean {
    return this.#givenAmount > 0;
  }

  /** Bytes that the system has taken in all, counted when a write ends. */
  get taken(): number {
    return this.#handedOver - this.#givenAmount;
  }

  /** Bytes left of a write under way, where the runtime tells. */
  get unsent(): number {
    return this.#link.transport?.unsent ?? 0;
  }

  /** Bytes that the transport has, and the system has not taken yet; the opening handshake's are not counted. */
  get #givenAmount(): number {
    const { protocol, transport } = this.#link;
    return transport && protocol.readyState !== "connecting" ? transport.bufferedAmount : 0;
  }

  /** The peer is behind. */
  get isFull(): boolean {
    const { sendMark, maxQueuedMessages } = this.#link.settings;
    const outbox = this.#outbox;
    const frames = this.#frames;
    // Nothing is with the transport: spares asking it.
    if (this.#writing === 0 && (!outbox || outbox.atLeast < sendMark) && frames < maxQueuedMessages) return false;
    const amount = this.bufferedAmount;
    return amount > 0 && (amount >= sendMark || frames >= maxQueuedMessages);
  }

  /** Frames were added to the outbox: they leave at the end of this turn. Answers whether to go on sending. */
  wrote(callback?: SendCallback): boolean {
    if (callback) (this.#callbacks ??= []).push(callback);
    const outbox = this.#outbox;
    if (outbox && outbox.atLeast >= FULL_BATCH) {
      this.flush();
    } else if (!this.#willFlush) {
      this.#willFlush = true;
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
    this.#willFlush = true;
  }

  /** The read, or the turn, that what was sent has waited for is over. */
  release(): void {
    this.#willFlush = false;
    this.flush();
  }

  /** Hands what waits to the transport. */
  flush(): void {
    const { protocol, settings, transport } = this.#link;
    const { outbox } = protocol;
    if (!outbox || outbox.length === 0 || !transport) return;
    const { length, frames } = outbox;
    const callbacks = this.#callbacks;
    // The next frame gets another: kept for it, this one would weigh on an idle connection, and so would `done`.
    protocol.outbox = undefined;
    this.#callbacks = undefined;
    this.#handedOver += length;
    settings.counters.bytesSent += length;
    const done = (error?: Error | null): void => this.#written(error);
    const end = transport.writeNow ? outbox.end : 0;
    let isTaken = false;
    if (end === 0) {
      transport.write(outbox.take(), done);
    } else {
      isTaken = transport.writeNow!(settings.codec.memory, BATCH, end, done);
      outbox.clear();
    }
    if (isTaken && !callbacks && !this.isBehind) return;
    const write = { frames: isTaken ? 0 : frames, callbacks };
    this.#writing += write.frames;
    if (this.#writes) this.#writes.push(write);
    else this.#writes = [write];
    // Nobody may be called back from inside a call of theirs.
    if (isTaken) void Promise.resolve().then(() => done());
  }

  /** The transport is gone: what was not taken will not be. Answers who is to be told. */
  abandon(): SendCallback[] {
    const writes = [...(this.#writes ?? []), { callbacks: this.#callbacks }];
    this.#writes = this.#callbacks = undefined;
    this.#writing = 0;
    this.isBehind = false;
    return writes.flatMap(({ callbacks = [] }) => callbacks);
  }

  #written(error?: Error | null): void {
    const write = this.#writes?.shift();
    // It was abandoned.
    if (!write) return;
    this.#writing -= write.frames;
    if (this.#writes!.length === 0) this.#writes = undefined;
    for (const callback of write.callbacks ?? []) callback(error ?? undefined);
    const { sendMark, maxQueuedMessages } = this.#link.settings;
    const hasRoom = this.bufferedAmount <= sendMark / 2 && this.bufferedFrames <= maxQueuedMessages / 2;
    if (this.isBehind && !error && hasRoom) {
      this.isBehind = false;
      this.#link.caughtUp();
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
    while (at < senders.length) senders[at++]!.release();
  } finally {
    // A transport threw, which none may; the others go on.
    if (at < senders.length) void Promise.resolve().then(() => endTurns(senders, at));
  }
}
