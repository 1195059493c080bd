import type { Message } from "../protocol/data.ts";

interface Reader {
  resolve(message: Message | undefined): void;
  reject(error: Error): void;
}

interface Held {
  readonly message: Message;
  /** Listeners had it when it came. */
  readonly wasHeard: boolean;
}

/** What a waiting message counts beside its length, so that a flood of empty ones fills the inbox too. */
export const MESSAGE_COST = 32;

/** Messages that nobody has taken yet, for whoever pulls them. */
export class Inbox {
  /** What waits here, in bytes or UTF-16 units. */
  size = 0;
  /** Loops over the messages that are under way. */
  loops = 0;
  /** Someone has read a message, and so may read the next. */
  wasRead = false;
  #held: Held[] = [];
  #readers: Reader[] = [];
  #ended = false;
  #error: Error | undefined;

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Someone waits for the next message. */
  get isAwaited(): boolean {
    return this.#readers.length > 0;
  }

  push(message: Message, wasHeard: boolean): void {
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve(message);
      return;
    }
    this.#held.push({ message, wasHeard });
    this.size += message.length + MESSAGE_COST;
  }

  shift(): Held | undefined {
    const held = this.#held.shift();
    if (held) this.size -= held.message.length + MESSAGE_COST;
    return held;
  }

  /** The next message; undefined once the connection has ended cleanly and all are taken. */
  read(): Promise<Message | undefined> {
    // Not an async function: its promises would settle later than those of the readers, and so out of order.
    if (!this.isEmpty) return Promise.resolve(this.shift()?.message);
    if (this.#ended) return this.#error ? Promise.reject(this.#error) : Promise.resolve(undefined);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** No message will come any more; `error` when some may be missing. What waits can still be taken. */
  end(error: Error | undefined): void {
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) {
      if (error) reader.reject(error);
      else reader.resolve(undefined);
    }
  }
}
