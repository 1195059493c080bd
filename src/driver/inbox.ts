import type { Message } from "../protocol/data.ts";

interface Reader {
  resolve(message: Message | undefined): void;
  reject(error: Error): void;
}

/** What a waiting message counts beside its length, so that a flood of empty ones fills the inbox too. */
const MESSAGE_COST = 32;

/** Messages that nobody has taken yet, for whoever pulls them. */
export class Inbox {
  /** What waits here, in bytes or UTF-16 units. */
  size = 0;
  #messages: Message[] = [];
  #readers: Reader[] = [];
  #ended = false;
  #error: Error | undefined;

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  push(message: Message): void {
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve(message);
      return;
    }
    this.#messages.push(message);
    this.size += message.length + MESSAGE_COST;
  }

  shift(): Message | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.size -= message.length + MESSAGE_COST;
    return message;
  }

  /** The next message; undefined once the connection has ended cleanly and all are taken. */
  async read(): Promise<Message | undefined> {
    if (!this.isEmpty) return this.shift();
    if (this.#ended) {
      if (this.#error) throw this.#error;
      return undefined;
    }
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
