import type { Client } from "#client";
import { closeCodeFor } from "./closing.ts";

/** What `send` takes once it is converted. */
export type Outgoing = string | Uint8Array | Blob;

interface Waiting {
  readonly data: Outgoing;
  readonly size: number;
}

/** Who a queue reports to. */
interface SendQueueOwner {
  /** The system has taken a message of this size. */
  sent(size: number): void;
  /** A Blob could not be read. */
  failed(error: Error): void;
}

/**
 * What was sent, in its order. The bytes of a Blob have to be waited for; what is sent behind it waits with it, and so
 * does the Close frame.
 */
export class SendQueue {
  readonly #client: Client;
  readonly #owner: SendQueueOwner;
  #waiting: Waiting[] = [];
  #isReading = false;
  /** Sends the Close frame once nothing waits any more. */
  #close: (() => void) | undefined;

  constructor(client: Client, owner: SendQueueOwner) {
    this.#client = client;
    this.#owner = owner;
  }

  /** Sends bytes as they are at this moment. */
  send(data: Outgoing, size: number): void {
    if (!this.#isReading && !(data instanceof Blob)) return this.#send(data, size);
    this.#waiting.push({ data: data instanceof Uint8Array ? new Uint8Array(data) : data, size });
    if (!this.#isReading) void this.#read();
  }

  /** Starts the closing handshake, behind what was sent. Without a code and a reason the Close frame is empty. */
  close(code: number | undefined, reason: string): void {
    const close = (): void => this.#client.closeWith(closeCodeFor(code, reason), reason);
    if (this.#isReading) this.#close = close;
    else close();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        const { data, size } = next;
        this.#send(data instanceof Blob ? new Uint8Array(await data.arrayBuffer()) : data, size);
      }
      this.#close?.();
    } catch (error) {
      this.#waiting = [];
      this.#owner.failed(error as Error);
    }
    this.#isReading = false;
  }

  #send(data: string | Uint8Array, size: number): void {
    this.#client.send(data, { callback: (error) => error ?? this.#owner.sent(size) });
  }
}
