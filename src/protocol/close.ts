/**
 * Close frames: the status codes that are used here, and their payload.
 *
 * @module
 */
import { isCloseCode } from "../codec/close-codes.ts";
import { MAX_CONTROL_LENGTH } from "./opcode.ts";

// RFC 6455 §7.4.1, and the registry of §11.7 for 1013.
export const NORMAL_CLOSURE = 1000;
export const GOING_AWAY = 1001;
export const PROTOCOL_ERROR = 1002;
/** Never on the wire: the peer's Close frame carried no code (§7.1.5). */
const NO_STATUS_RECEIVED = 1005;
/** Never on the wire: no Close frame came (§7.1.5). */
export const ABNORMAL_CLOSURE = 1006;
export const INVALID_PAYLOAD = 1007;
export const POLICY_VIOLATION = 1008;
export const MESSAGE_TOO_BIG = 1009;
export const INTERNAL_ERROR = 1011;
export const TRY_AGAIN_LATER = 1013;

/** Most bytes of a reason: a control frame's payload less the code (§5.5.1). */
export const MAX_REASON_LENGTH = MAX_CONTROL_LENGTH - 2;

/** Whether a script may close with `code`: 1000, and 3000 to 4999 (WebSockets Standard §3.1). */
export function isScriptCloseCode(code: number): boolean {
  return code === NORMAL_CLOSURE || (code >= 3000 && code <= 4999);
}

/** The payload of a Close frame (§5.5.1). The caller has checked the code, and the reason's length in bytes. */
export function encodeClose(code: number, reason: Uint8Array): Uint8Array {
  const payload = new Uint8Array(2 + reason.length);
  payload[0] = code >> 8;
  payload[1] = code;
  payload.set(reason, 2);
  return payload;
}

/** What a Close frame's payload says; the reason's UTF-8, if there is one, is still to be validated. */
export function decodeClose(payload: Uint8Array): { code: number; reason: Uint8Array | undefined } | undefined {
  if (payload.length === 0) return { code: NO_STATUS_RECEIVED, reason: undefined };
  if (payload.length === 1) return undefined;
  const code = (payload[0]! << 8) | payload[1]!;
  return isCloseCode(code) ? { code, reason: payload.length > 2 ? payload.subarray(2) : undefined } : undefined;
}
