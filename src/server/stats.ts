import type { Counters } from "../driver/counters.ts";
import type { RefusalError, RefusalReason } from "../protocol/refusal.ts";

/** What a server has done since it was made, and what it holds now. Plain data: ready for JSON, and for a metrics library. */
export interface ServerStats extends Readonly<Counters> {
  /** Connections now. */
  readonly open: number;
  /** Opening handshakes under way now. */
  readonly opening: number;
  /** Connections that were opened. */
  readonly opened: number;
  /** Connections that were closed, by close code (RFC 6455 §7.1.5). */
  readonly closes: Readonly<Record<number, number>>;
  /** Requests that were refused, by reason. */
  readonly refusals: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Bytes that wait for their peers now, over all connections. */
  readonly queuedBytes: number;
  /** Messages that wait for their peers now, over all connections. */
  readonly queuedMessages: number;
  /** Bytes that wait for the peer that is furthest behind. */
  readonly longestQueue: number;
}

/** What a queue is asked about. */
interface Queued {
  readonly bufferedAmount: number;
  readonly queuedMessages: number;
}

/** A server's own part of the counting; the connections do the other. */
export class Ledger {
  opened = 0;
  readonly #closes: Record<number, number> = {};
  readonly #refusals: Partial<Record<RefusalReason, number>> = {};

  closed(code: number): void {
    this.#closes[code] = (this.#closes[code] ?? 0) + 1;
  }

  refused({ reason }: RefusalError): void {
    this.#refusals[reason] = (this.#refusals[reason] ?? 0) + 1;
  }

  stats(connections: ReadonlySet<Queued>, opening: number, counters: Counters): ServerStats {
    let queuedBytes = 0;
    let queuedMessages = 0;
    let longestQueue = 0;
    for (const connection of connections) {
      const { bufferedAmount } = connection;
      queuedBytes += bufferedAmount;
      queuedMessages += connection.queuedMessages;
      longestQueue = Math.max(longestQueue, bufferedAmount);
    }
    const { opened } = this;
    const closes = { ...this.#closes };
    const refusals = { ...this.#refusals };
    return {
      open: connections.size,
      opening,
      opened,
      closes,
      refusals,
      ...counters,
      queuedBytes,
      queuedMessages,
      longestQueue,
    };
  }
}
