import type { Outcome, Sent } from "../helpers/outcome.ts";
import type { Peer } from "../helpers/wire.ts";
import type { Limits } from "../../src/protocol/limits.ts";

/** The extensions of cases, by what `PartyOptions` calls them, with their registered names. */
export const extensionNames = {
  reversing: "x-reversing",
  careless: "x-careless",
  deflate: "permessage-deflate",
} as const;

/** What a peer sends on an open connection, and what that comes to, whichever side the connection is. */
export interface Case {
  readonly name: string;
  readonly frames: (peer: Peer) => Uint8Array[];
  readonly expected: Outcome;
  readonly limits?: Partial<Limits>;
  /** The extension that was negotiated. */
  readonly extension?: "reversing" | "deflate";
  /** The bytes end inside a frame, so that nothing can be sent behind them. */
  readonly isCut?: boolean;
}

/** The cases of one part of the standard. */
export interface Section {
  readonly title: string;
  readonly cases: readonly Case[];
}

/**
 * What the peer sends behind a case, and what it comes to with that: it is heard if the connection is open, and otherwise
 * not looked at (§1.4, §7.1.7).
 */
export function followed(peer: Peer, { expected, isCut }: Case): { late: Uint8Array[]; outcome: Outcome } {
  if (expected.readyState !== "open") {
    const late = [peer.ping("late"), peer.text("late"), peer.close(1001, "again"), Uint8Array.of(0xff, 0xff, 0xff)];
    return { late, outcome: expected };
  }
  if (isCut) return { late: [], outcome: expected };
  return { late: [peer.ping("late")], outcome: { ...expected, events: [...expected.events, ["ping", "late"]] } };
}

/** What a connection sends: each Ping is answered (RFC 6455 §5.5.2), and then comes its Close frame, if there is one. */
export function answersOf({ events, sent }: Outcome): Sent[] {
  const pongs = events.flatMap((event): Sent[] => (event[0] === "ping" ? [[0x8a, event[1]]] : []));
  return [...pongs, ...sent];
}
