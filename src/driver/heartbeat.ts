/** When a peer counts as dead: it stays silent for `timeout` milliseconds after a Ping, which it gets every `interval`. */
export interface HeartbeatOptions {
  /** Milliseconds from one Ping to the next, from 1 (default 30,000); up to a quarter is taken off, so that they spread. */
  readonly interval?: number;
  /** Milliseconds that a Ping may go without any sign of life, from 1 (default 10,000). */
  readonly timeout?: number;
}

/** What the system has taken of what we send; once its buffers are full, that is what the peer has taken. */
export interface Progress {
  /** Something waits for room in the buffers of the system. */
  readonly isHeldUp: boolean;
  /** Bytes that it has taken in all, counted when a write ends. */
  readonly taken: number;
  /** Bytes left of a write under way, where the runtime tells. */
  readonly unsent: number;
}

/** What stands in front of the payload of hybi's own Pings. */
const MARK = [0x68, 0x79, 0x62, 0x69];

/** Whether a Pong answers a Ping of hybi's own. */
export function isHeartbeat(payload: Uint8Array): boolean {
  return payload.length === MARK.length + 4 && MARK.every((byte, i) => payload[i] === byte);
}

/** The Pings that hybi sends of itself (RFC 6455 §5.5.2): they keep a connection alive, and tell whether it is. */
export class Heartbeat {
  /** Milliseconds that the latest answered Ping took; undefined before the first. */
  roundTripTime: number | undefined = undefined;
  /** A Ping went out, and nobody has looked yet whether the peer lives. */
  isAwaiting = false;
  /** Its time is nearly over, and what still comes is looked for. */
  isLastLook = false;
  #count = 0;
  #isHeldUp = false;
  #taken = 0;
  #unsent = 0;

  /** The payload of the next Ping; no other has the same, since a Pong may come late. */
  next({ isHeldUp, taken, unsent }: Progress): Uint8Array {
    this.isAwaiting = true;
    this.isLastLook = false;
    this.#isHeldUp = isHeldUp;
    this.#taken = taken;
    this.#unsent = unsent;
    const payload = new Uint8Array([...MARK, 0, 0, 0, 0]);
    new DataView(payload.buffer).setUint32(MARK.length, this.#count++);
    return payload;
  }

  /** A Ping was answered after `ms` milliseconds. */
  answered(ms: number): void {
    this.isAwaiting = false;
    this.roundTripTime = ms;
  }

  /** Whether the peer has taken anything since the latest Ping. A system with room takes all, also for one that is gone. */
  hasMoved({ taken, unsent }: Progress): boolean {
    return this.#isHeldUp && (taken > this.#taken || unsent < this.#unsent);
  }
}
