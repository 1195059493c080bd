/**
 * The state machine of a connection: all of it, as a table.
 *
 * @module
 */

/** What users see (RFC 6455 §4.1, §7.1). */
export type ReadyState = "connecting" | "open" | "closing" | "closed";

/**
 * - `connecting`: the opening handshake is under way (§4)
 * - `open`: data may flow both ways
 * - `closeSent`: our Close frame is out, the peer may still send (§7.1.2)
 * - `closeReceived`: the peer's is in, ours is about to go out (§5.5.1)
 * - `closeDone`: both; the closing handshake is complete, the transport is still there (§7.1.4)
 * - `failed`: "_Fail the WebSocket Connection_" was done; input is discarded (§7.1.7)
 * - `closed`: the transport is gone (§7.1.4)
 */
export type State = "connecting" | "open" | "closeSent" | "closeReceived" | "closeDone" | "failed" | "closed";

export type Transition = "opened" | "closeSent" | "closeReceived" | "failed" | "transportClosed";

const table: Record<State, Partial<Record<Transition, State>>> = {
  connecting: { opened: "open", failed: "failed", transportClosed: "closed" },
  open: { closeSent: "closeSent", closeReceived: "closeReceived", failed: "failed", transportClosed: "closed" },
  closeSent: { closeReceived: "closeDone", failed: "failed", transportClosed: "closed" },
  closeReceived: { closeSent: "closeDone", transportClosed: "closed" },
  closeDone: { transportClosed: "closed" },
  failed: { transportClosed: "closed" },
  closed: {},
};

/** The state behind a transition. A transition that the table does not have is a bug in hybi, so it throws. */
export function next(state: State, transition: Transition): State {
  const to = table[state][transition];
  if (!to) throw new Error(`No transition ${transition} from ${state}.`);
  return to;
}

export function readyStateOf(state: State): ReadyState {
  switch (state) {
    case "connecting":
    case "open":
    case "closed":
      return state;
    default:
      return "closing";
  }
}
