import { MAX_WINDOW } from "./layout";
import { BIAS, REACH } from "./stream";
import { TOKENS, TOKENS_SIZE } from "./tokens";

const HASH_BITS: u32 = 15;

/** The last position of each hash of four bytes: u32. */
const HEADS: usize = TOKENS + TOKENS_SIZE;
/** How far back from each position, modulo MAX_WINDOW, the one before it of the same hash is, less 1: u16. */
const PREVIOUS: usize = HEADS + (1 << HASH_BITS) * 4;
const TABLES_END: usize = PREVIOUS + MAX_WINDOW * 2;

/** More than any window: between the positions of two streams, so that neither reaches the other's. */
export const GAP: u32 = MAX_WINDOW + 1;

export function clearTables(): void {
  memory.fill(HEADS, 0, TABLES_END - HEADS);
}

// @ts-ignore: decorator
@inline
function slotOf(word: u32): usize {
  return HEADS + ((word * 0x9e3779b1) >> (32 - HASH_BITS)) * 4;
}

// @ts-ignore: decorator
@inline
function previousOf(position: u32): usize {
  return PREVIOUS + (position & (MAX_WINDOW - 1)) * 2;
}

/** Enters a position, where `word` is, and answers how far back the last one of the same hash is. */
// @ts-ignore: decorator
@inline
function enter(position: u32, word: u32): u32 {
  const slot = slotOf(word);
  const distance = position - load<u32>(slot);
  store<u32>(slot, position);
  // Less 1, because a chain must descend, come what may.
  store<u16>(previousOf(position), min<u32>(distance - 1, 65534));
  return distance;
}

/** Enters the offsets from `at` up to `end`, each `step`; three bytes behind `end` are there. */
export function enterAll(at: usize, end: usize, step: usize): void {
  const bias = load<u32>(BIAS);
  for (; at < end; at += step) enter(<u32>at + bias, load<u32>(at, 0, 1));
}

/** The same for the parser of level 1. */
export function enterHeads(at: usize, end: usize): void {
  const bias = load<u32>(BIAS);
  for (; at < end; at++) store<u32>(slotOf(load<u32>(at, 0, 1)), <u32>at + bias);
}

/** How long a match of at least four bytes is, up to `room`. Reads up to eight bytes behind it. */
// @ts-ignore: decorator
@inline
function matchLength(at: usize, there: usize, room: u32): u32 {
  for (let length: u32 = 4; length < room; length += 8) {
    const differ = load<u64>(at + length, 0, 1) ^ load<u64>(there + length, 0, 1);
    if (differ != 0) return min(length + (<u32>ctz(differ) >> 3), room);
  }
  return room;
}

/** Enters the offset, and answers a match of at least four bytes as length << 16 | distance, or 0. */
// @ts-ignore: decorator
@inline
export function probe(at: usize, room: u32, bias: u32, reach: u32): u32 {
  const word = load<u32>(at, 0, 1);
  const slot = slotOf(word);
  const distance = <u32>at + bias - load<u32>(slot);
  store<u32>(slot, <u32>at + bias);
  if (distance - 1 >= reach) return 0;
  const there = at - distance;
  if (load<u32>(there, 0, 1) != word) return 0;
  return (matchLength(at, there, room) << 16) | distance;
}

/**
 * Enters the offset, and answers the longest match of up to `room` bytes that is longer than `best`, as
 * length << 16 | distance, or 0. At most `depth` places are compared; with `enough` bytes the search ends.
 */
export function search(at: usize, room: u32, best: u32, depth: u32, enough: u32): u32 {
  const reach = load<u32>(REACH);
  const position = <u32>at + load<u32>(BIAS);
  const word = load<u32>(at, 0, 1);
  let distance = enter(position, word);
  if (room <= best) return 0;
  let found: u32 = 0;
  // Distances that are none, of what lies before the stream or was taken back, are beyond reach as unsigned numbers.
  while (distance - 1 < reach) {
    const there = at - distance;
    if (
      load<u32>(there + best - 3, 0, 1) == load<u32>(at + best - 3, 0, 1) &&
      load<u32>(there, 0, 1) == word
    ) {
      const length = matchLength(at, there, room);
      if (length > best) {
        best = length;
        found = (length << 16) | distance;
        if (length >= enough || length == room) break;
      }
    }
    if (--depth == 0) break;
    distance += <u32>load<u16>(previousOf(position - distance)) + 1;
  }
  return found;
}
