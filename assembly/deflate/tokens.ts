import { MATCHES } from "./layout";
import { DISTANCE_FREQUENCIES, LITERAL_FREQUENCIES } from "./stream";

// A token is a literal, which is its byte, or a match: MATCH, the symbol of its distance from bit 23 on, the distance
// less 1 from bit 8 on, and its length less 3.
export const MATCH: u32 = 1 << 31;
export const DISTANCE_SYMBOL_SHIFT: u32 = 23;
export const DISTANCE_SHIFT: u32 = 8;

/** The tokens of the block at hand. A parser may go on for a longest match behind the limit. */
export const TOKENS: usize = MATCHES;
export const TOKENS_LIMIT: usize = TOKENS + 16384 * 4;
export const TOKENS_SIZE: usize = 16384 * 4 + 2048;

/** RFC 1951 §3.2.5: the symbol, less 257, of a length less 3. */
// @ts-ignore: decorator
@inline
export function lengthSymbol(length: u32): u32 {
  if (length < 8) return length;
  if (length == 255) return 28;
  const top = 31 - clz(length);
  return (top - 1) * 4 + ((length >> (top - 2)) & 3);
}

/** How many extra bits follow the symbol of a length, less 257. */
// @ts-ignore: decorator
@inline
export function lengthExtra(symbol: u32): u32 {
  return symbol < 8 || symbol == 28 ? 0 : (symbol >> 2) - 1;
}

/** The symbol of a distance less 1. */
// @ts-ignore: decorator
@inline
export function distanceSymbol(distance: u32): u32 {
  if (distance < 4) return distance;
  const top = 31 - clz(distance);
  return top * 2 + ((distance >> (top - 1)) & 1);
}

// @ts-ignore: decorator
@inline
export function distanceExtra(symbol: u32): u32 {
  return symbol < 4 ? 0 : (symbol >> 1) - 1;
}

// @ts-ignore: decorator
@inline
function count(frequency: usize): void {
  store<u32>(frequency, load<u32>(frequency) + 1);
}

/** Adds a literal behind the other tokens, and answers where the next one goes. */
// @ts-ignore: decorator
@inline
export function addLiteral(token: usize, byte: u32): usize {
  store<u32>(token, byte);
  count(LITERAL_FREQUENCIES + byte * 4);
  return token + 4;
}

/** Whether the token is one. */
// @ts-ignore: decorator
@inline
export function isLiteral(token: usize): bool {
  return (load<u32>(token) & MATCH) == 0;
}

/** Takes the last token, a literal, off again. */
// @ts-ignore: decorator
@inline
export function takeLiteral(token: usize): usize {
  const frequency = LITERAL_FREQUENCIES + load<u32>(token - 4) * 4;
  store<u32>(frequency, load<u32>(frequency) - 1);
  return token - 4;
}

/** The same for a match of `length`, 3 to 258, `distance` back, 1 to 32768. */
// @ts-ignore: decorator
@inline
export function addMatch(token: usize, length: u32, distance: u32): usize {
  const symbol = distanceSymbol(distance - 1);
  store<u32>(token, MATCH | (symbol << DISTANCE_SYMBOL_SHIFT) | ((distance - 1) << DISTANCE_SHIFT) | (length - 3));
  count(LITERAL_FREQUENCIES + (257 + lengthSymbol(length - 3)) * 4);
  count(DISTANCE_FREQUENCIES + symbol * 4);
  return token + 4;
}
