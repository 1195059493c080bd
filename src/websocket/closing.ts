import { isScriptCloseCode, MAX_REASON_LENGTH, NORMAL_CLOSURE } from "../protocol/close.ts";
import { syntaxError } from "./establish.ts";

const encoder = new TextEncoder();

/** Bytes of UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/**
 * "Validate close code and reason" (WebSockets Standard §3.1).
 *
 * @throws {DOMException} InvalidAccessError, SyntaxError
 */
export function checkClosing(code: number | undefined, reason: string): void {
  if (code !== undefined && !isScriptCloseCode(code))
    throw new DOMException(`A close code must be 1000, or from 3000 to 4999, not ${code}.`, "InvalidAccessError");
  if (utf8Length(reason) > MAX_REASON_LENGTH)
    throw syntaxError(`A close reason has at most ${MAX_REASON_LENGTH} bytes of UTF-8.`);
}

/** The code for a Close frame: one with a reason must have a code, and one without either is empty. */
export function closeCodeFor(code: number | undefined, reason: string): number | undefined {
  return code ?? (reason === "" ? undefined : NORMAL_CLOSURE);
}
