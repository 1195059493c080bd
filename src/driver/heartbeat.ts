import type { Link } from "./link.ts";
import type { PingCallback } from "./pings.ts";

/** When a peer counts as dead: it stays silent for `timeout` milliseconds after a Ping, which it gets every `interval`. */
export interface HeartbeatOptions {
  /** Milliseconds from one Ping to the next, from 1 (default 30,000); up to a quarter is taken off, so that they spread. */
  readonly interval?: number;
  /** Milliseconds that a Ping may go without any sign of life, from 1 (default 10,000). */
  readonly timeout?: number;
}

/** What stands in front of the payload of hybi's own Pings. */
const MARK = [0x68, 0x79, 0x62, 0x69];

/** Whether a Pong answers a Ping of hybi's own. */
export function isHeartbeat(payload: Uint8Array): boolean {
  return payload.length === MARK.length + 4 && MARK.every((byte, i) => payload[i] === byte);
}

/** The part of the timeout that is left for the last look. */
const LAST_LOOK = 8;

/** Whose peer a heartbeat looks after. */
export interface HeartbeatLink extends Pick<
  Link,
  "settings" | "sender" | "isReading" | "pings" | "sendPing" | "limit"
> {
  /** The peer lives: {@link Heartbeat.due} is to be called for the next Ping, and the latest was `ago` milliseconds ago. */
  awaitBeat(ago: number): void;
  peerIsDead(timeout: number): void;
}

/** The Pings that hybi sends of itself (RFC 6455 §5.5.2): they keep a connection alive, and tell whether it is. */
export class Heartbeat {
  /** Milliseconds that the latest answered Ping took; undefined before the first. */
  roundTripTime: number | undefined = undefined;
  /** Something came since the latest Ping. */
  wasHeard = false;
  readonly #link: HeartbeatLink;
  /** A Ping went out, and nobody has looked yet whether the peer lives. */
  #isAwaiting = false;
  /** Its time is nearly over, and what still comes is looked for. */
  #isLastLook = false;
  #count = 0;
  /** Called when the latest Ping is answered. */
  #answered: PingCallback | undefined;
  /** How far the system had come with what we send. */
  #isHeldUp = false;
  #taken = 0;
  #unsent = 0;

  constructor(link: HeartbeatLink) {
    this.#link = link;
  }

  /** The next Ping is due, or the peer's time to give a sign of life is over, or nearly; `late` is in milliseconds. */
  due(late: number): void {
    const { heartbeat } = this.#link.settings;
    if (!heartbeat) return;
    const { timeout } = heartbeat;
    const lastLook = timeout / LAST_LOOK;
    if (!this.#isAwaiting) {
      this.#ping();
      this.#link.limit(timeout - lastLook);
    } else if (this.wasHeard || this.#hasMoved || !this.#link.isReading) {
      // Bytes are life, but also that the peer takes ours; and while we do not read we cannot know.
      this.#isAwaiting = false;
      this.#link.awaitBeat(timeout);
    } else if (this.#isLastLook && late < lastLook) {
      this.#link.peerIsDead(timeout);
    } else {
      // When this process was busy, what the peer sent lies unread in the system still.
      this.#isLastLook = true;
      this.#link.limit(lastLook);
    }
  }

  #ping(): void {
    const { settings, sender, pings } = this.#link;
    this.#isAwaiting = true;
    this.#isLastLook = this.wasHeard = false;
    this.#isHeldUp = sender.isHeldUp;
    this.#taken = sender.taken;
    this.#unsent = sender.unsent;
    const sentAt = settings.host.now();
    // A peer that answers none is owed by one only, however long it lives.
    if (this.#answered) pings.forget(this.#answered);
    this.#answered = (error) => {
      if (error) return;
      this.#isAwaiting = false;
      this.roundTripTime = settings.host.now() - sentAt;
      this.#link.awaitBeat(this.roundTripTime);
    };
    this.#link.sendPing(this.#nextPayload(), this.#answered);
    sender.wrote();
  }

  /** No other has the same, since a Pong may come late. */
  #nextPayload(): Uint8Array {
    const payload = new Uint8Array([...MARK, 0, 0, 0, 0]);
    new DataView(payload.buffer).setUint32(MARK.length, this.#count++);
    return payload;
  }

  /** Whether the peer has taken anything since the latest Ping. A system with room takes all, also for one that is gone. */
  get #hasMoved(): boolean {
    const { taken, unsent } = this.#link.sender;
    return this.#isHeldUp && (taken > this.#taken || unsent < this.#unsent);
  }
}
