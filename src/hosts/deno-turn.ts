/** A transport that has something to do at the end of a turn. */
interface Waiting {
  /** Writes what was gathered, and says when that is over. */
  sendStaged(broadcast: Broadcast | undefined): void;
  /** Reads on, behind a chunk that was handled. */
  readOn(): void;
}

/**
 * Deno reports the reads of many connections together. What is sent in answer to them leaves behind all of them, and
 * then all read on: the processor is quicker at many calls of one kind in a row than at one of each in turn. What is
 * long leaves at once, while it is in the processor's cache.
 */
let sending: Waiting[] = [];
let reading: Waiting[] = [];

export function sendLater(transport: Waiting): void {
  if (sending.length + reading.length === 0) queueMicrotask(turnEnded);
  sending.push(transport);
}

export function readLater(transport: Waiting): void {
  if (sending.length + reading.length === 0) queueMicrotask(turnEnded);
  reading.push(transport);
}

function turnEnded(): void {
  const [senders, readers] = [sending, reading];
  sending = [];
  reading = [];
  const isBroadcast = readers.length > 0 && senders.length > FEW * readers.length;
  const broadcast = isBroadcast ? new Broadcast(senders.length, readers) : undefined;
  for (const transport of senders) transport.sendStaged(broadcast);
  if (!broadcast) readOn(readers);
}

function readOn(readers: readonly Waiting[]): void {
  for (const transport of readers) transport.readOn();
}

/** What is sent to more connections than so many for each that was read from, is one message for many. */
const FEW = 2;
/** Milliseconds after which reading goes on though some have not taken what was sent: one that is behind holds up nobody. */
const LONGEST = 20;

/**
 * The writes of a turn that sends to many. Deno lets only some hundred of them through before it sees to other things; if
 * reading went on between these, each further message would leave by writes of its own, where several could share them.
 */
export class Broadcast {
  #left: number;
  #readers: readonly Waiting[];
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(writes: number, readers: readonly Waiting[]) {
    this.#left = writes;
    this.#readers = readers;
    this.#timer = setTimeout(() => this.#readOn(), LONGEST);
  }

  /** One of the writes is over. */
  wrote(): void {
    if (--this.#left > 0) return;
    clearTimeout(this.#timer);
    this.#readOn();
  }

  #readOn(): void {
    const readers = this.#readers;
    this.#readers = [];
    readOn(readers);
  }
}
