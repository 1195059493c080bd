import type { Outcome } from "../helpers/outcome.ts";
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
