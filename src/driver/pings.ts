import { ConnectionError } from "../errors.ts";

/** Called with nothing when the peer answered, with an error when it no longer can. */
export type PingCallback = (error?: Error) => void;

interface Pending {
  readonly payload: Uint8Array;
  readonly callback: PingCallback;
}

/** Pings of ours that wait for their Pong. */
const MAX_PENDING_PINGS = 256;

/** In the order they were sent. */
export class Pings {
  #pending: Pending[] = [];

  /** @throws {ConnectionError} ERR_QUEUE_FULL when the peer owes {@link MAX_PENDING_PINGS} answers already. */
  checkRoom(): void {
    if (this.#pending.length >= MAX_PENDING_PINGS) {
      throw new ConnectionError(
        "ERR_QUEUE_FULL",
        `${MAX_PENDING_PINGS} pings are unanswered: the peer does not keep up.`,
      );
    }
  }

  add(payload: Uint8Array, callback: PingCallback): void {
    this.#pending.push({ payload: new Uint8Array(payload), callback });
  }

  /**
   * A Pong answers the oldest Ping with its payload, and those before it: a peer may answer only the most recent of
   * several (RFC 6455 §5.5.3). An unsolicited one answers nothing.
   */
  answered(payload: Uint8Array): PingCallback[] {
    const at = this.#pending.findIndex((ping) => equal(ping.payload, payload));
    return this.#pending.splice(0, at + 1).map((ping) => ping.callback);
  }

  /** Nobody waits for the answer to this one any more. */
  forget(callback: PingCallback): void {
    const at = this.#pending.findIndex((ping) => ping.callback === callback);
    if (at >= 0) this.#pending.splice(at, 1);
  }

  /** Those that will not be answered any more. */
  abandon(): PingCallback[] {
    return this.#pending.splice(0).map((ping) => ping.callback);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
