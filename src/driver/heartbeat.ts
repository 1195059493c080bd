/** When a peer counts as dead: it stays silent for `timeout` milliseconds after a Ping, which it gets every `interval`. */
export interface HeartbeatOptions {
  /** Milliseconds from one Ping to the next, from 1 (default 30,000); up to a quarter is taken off, so that they spread. */
  readonly interval?: number;
  /** Milliseconds that a Ping may go without any sign of life, from 1 (default 10,000). */
  readonly timeout?: number;
}

/** What the system has taken of what we send; a peer that is gone takes nothing. */
export interface Progress {
  /** Bytes that it has taken in all, counted when a write ends. */
  readonly taken: number;
  /** Bytes left of a write under way, where the runtime tells. */
  readonly unsent: number;
}

/** The Pings that hybi sends of itself (RFC 6455 §5.5.2): they keep a connection alive, and tell whether it is. */
export class Heartbeat {
  /** Milliseconds that the latest answered Ping took; undefined before the first. */
  roundTripTime: number | undefined = undefined;
  /** A Ping went out, and nobody has looked yet whether the peer lives. */
  isAwaiting = false;
  #count = 0;
  #taken = 0;
  #unsent = 0;
  #sentAt = 0;

  /** The payload of the next Ping; it differs from that of the one before, whose Pong may come late. */
  next(now: number, { taken, unsent }: Progress): Uint8Array {
    this.isAwaiting = true;
    this.#taken = taken;
    this.#unsent = unsent;
    this.#sentAt = now;
    this.#count = (this.#count + 1) >>> 0;
    return this.#payload();
  }

  /** Whether the system has taken anything since that Ping. */
  hasMoved({ taken, unsent }: Progress): boolean {
    return taken > this.#taken || unsent < this.#unsent;
  }

  /** Whether this is the Pong of the latest Ping. */
  isAnsweredBy(payload: Uint8Array): boolean {
    const expected = this.#payload();
    return payload.length === expected.length && payload.every((byte, i) => byte === expected[i]);
  }

  /** The latest Ping was answered; answers how many milliseconds it took. */
  answered(now: number): number {
    this.isAwaiting = false;
    return (this.roundTripTime = now - this.#sentAt);
  }

  #payload(): Uint8Array {
    // "hybi" and a number: nobody else's.
    const payload = new Uint8Array([0x68, 0x79, 0x62, 0x69, 0, 0, 0, 0]);
    new DataView(payload.buffer).setUint32(4, this.#count);
    return payload;
  }
}
