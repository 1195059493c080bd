/**
 * Subprotocols: `Sec-WebSocket-Protocol` (RFC 6455 §1.9, §4.1, §4.2.2, §11.3.4).
 *
 * @module
 */

import { typeError } from "../errors.ts";
import { isToken, shown, tokenList } from "./headers.ts";

/**
 * The subprotocols that a client offers, in its order of preference; takes time in proportion to the text.
 *
 * @param value  the field's value, several fields joined by ", " (§11.3.4)
 * @returns undefined when the value is not a list of one or more distinct tokens, or is past the limits of a list
 */
export function parseSubprotocols(value: string): string[] | undefined {
  const subprotocols = tokenList(value);
  if (!subprotocols || subprotocols.length === 0) return undefined;
  // §4.1, item 10 of the request: the elements "MUST all be unique strings".
  return new Set(subprotocols).size === subprotocols.length ? subprotocols : undefined;
}

/**
 * Checks the subprotocols that a user lists in an option.
 *
 * @throws TypeError ERR_SUBPROTOCOL when the list is not one of distinct tokens
 */
export function checkSubprotocols(list: readonly string[]): string[] {
  if (!Array.isArray(list)) throw typeError("ERR_SUBPROTOCOL", "Subprotocols are given as an array of strings.");
  const seen = new Set<string>();
  for (const subprotocol of list as readonly unknown[]) {
    if (typeof subprotocol !== "string" || !isToken(subprotocol)) {
      throw typeError("ERR_SUBPROTOCOL", `The subprotocol ${shown(subprotocol)} is not an HTTP token.`);
    }
    if (seen.has(subprotocol)) {
      throw typeError("ERR_SUBPROTOCOL", `The subprotocol ${shown(subprotocol)} is listed twice.`);
    }
    seen.add(subprotocol);
  }
  return [...seen];
}

/** The first of the client's subprotocols that the server accepts (§4.2.2, item 5); undefined when there is none. */
export function selectSubprotocol(offered: readonly string[], accepted: readonly string[]): string | undefined {
  return offered.find((subprotocol) => accepted.includes(subprotocol));
}
