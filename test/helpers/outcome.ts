import type { ReadyState } from "../../src/protocol/state.ts";

/** What a protocol reported; bytes as a string of one character each. */
export type Event =
  | readonly ["text" | "binary" | "ping" | "pong", string]
  | readonly ["closeDone"]
  | readonly ["failed", closeCode: number, code: string];

/** A frame that was sent. A Close that fails the connection has WHY for its reason, which the RFC leaves open. */
export type Sent = readonly ["close", code: number | undefined, reason: string] | readonly [opcode: number, string];
export const WHY = "(why)";

/** What a connection has come to, once it has seen some bytes. */
export interface Outcome {
  events: readonly Event[];
  sent: readonly Sent[];
  readyState: ReadyState;
  closeCode: number;
  closeReason: string;
  /** Once the transport is closed, which comes last. */
  wasClean: boolean;
}

/** The connection stays open. */
export const stays = (...events: Event[]): Outcome => ({
  events,
  sent: [],
  readyState: "open",
  // §7.1.5: no Close frame was received
  closeCode: 1006,
  closeReason: "",
  wasClean: false,
});

const codeOf = { 1002: "ERR_PROTOCOL", 1007: "ERR_INVALID_DATA", 1008: "ERR_POLICY", 1009: "ERR_TOO_LONG" };

/** The connection is failed: one Close frame is sent, and nothing is heard any more (§7.1.7). */
export const fails = (closeCode: keyof typeof codeOf, ...events: Event[]): Outcome => ({
  ...stays(...events, ["failed", closeCode, codeOf[closeCode]]),
  sent: [["close", closeCode, WHY]],
  readyState: "closing",
});

/** The peer closes; its Close frame is answered with the same (§5.5.1). */
export const closes = (code: number | undefined, reason = "", ...events: Event[]): Outcome => ({
  events: [...events, ["closeDone"]],
  sent: [["close", code, reason]],
  readyState: "closing",
  closeCode: code ?? 1005,
  closeReason: reason,
  wasClean: true,
});
