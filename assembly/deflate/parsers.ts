import { DEFLATE_IN } from "./layout";
import { depth as depthOf, enough as enoughOf, lazy as lazyOf } from "./levels";
import { enterAll, enterHeads, probe, search } from "./match-finder";
import { BIAS, LEVEL, REACH, TOKENS_END } from "./stream";
import { addLiteral, addMatch, isLiteral, takeLiteral, TOKENS, TOKENS_LIMIT } from "./tokens";

/** The longest match (RFC 1951 §2). */
const MAX_MATCH: u32 = 258;

/** Makes tokens of what lies from `at` up to `end`, or of what fills a block, and answers how far that is. */
export function parse(at: usize, end: usize): usize {
  return load<u32>(LEVEL) == 1 ? parseFast(at, end) : parseLazy(at, end);
}

/** Takes the first match that it sees. */
function parseFast(at: usize, end: usize): usize {
  const bias = load<u32>(BIAS);
  const reach = load<u32>(REACH);
  let token = TOKENS;
  let misses: u32 = 0;
  while (at + 4 <= end && token < TOKENS_LIMIT) {
    const found = probe(at, min(<u32>(end - at), MAX_MATCH), bias, reach);
    if (found != 0) {
      const length = found >> 16;
      token = addMatch(token, length, found & 0xffff);
      enterHeads(at + 1, min(at + length, end - 3));
      at += length;
      misses = 0;
      continue;
    }
    // Where nothing repeats, look less and less often.
    for (let skip = misses++ >> 6; ; skip--) {
      token = addLiteral(token, load<u8>(at));
      at++;
      if (skip == 0 || at == end) break;
    }
  }
  return last(at, end, token);
}

/** Looks at the next byte before it takes a match: there may be a longer one. */
function parseLazy(at: usize, inputEnd: usize): usize {
  const level = load<u32>(LEVEL);
  const depth = depthOf(level);
  const enough = enoughOf(level);
  const lazy = lazyOf(level);
  let token = TOKENS;
  let misses: u32 = 0;
  while (at + 4 <= inputEnd && token < TOKENS_LIMIT) {
    let found = search(at, min(<u32>(inputEnd - at), MAX_MATCH), 3, depth, enough);
    if (found == 0) {
      for (let skip = misses++ >> 6; ; skip--) {
        token = addLiteral(token, load<u8>(at));
        at++;
        if (skip == 0 || at == inputEnd) break;
      }
      continue;
    }
    misses = 0;
    let entered = at + 1;
    while (found >> 16 < lazy && at + 5 <= inputEnd) {
      const less = depth >> (found >> 16 < 8 ? 1 : 2);
      const next = search(at + 1, min(<u32>(inputEnd - at) - 1, MAX_MATCH), found >> 16, less, enough);
      entered = at + 2;
      if (next == 0) break;
      token = addLiteral(token, load<u8>(at));
      at++;
      found = next;
    }
    // Of the history only a part is in the tables, so a match may have begun earlier, in bytes that became literals.
    const distance = found & 0xffff;
    const end = at + (found >> 16);
    while (
      token > TOKENS &&
      at + MAX_MATCH > end &&
      at - distance > <usize>DEFLATE_IN &&
      load<u8>(at - 1) == load<u8>(at - distance - 1) &&
      isLiteral(token - 4)
    ) {
      token = takeLiteral(token);
      at--;
    }
    token = addMatch(token, <u32>(end - at), distance);
    at = end;
    enterAll(entered, min(at, inputEnd - 3), 1);
  }
  return last(at, inputEnd, token);
}

/** What is too short for a match, unless the block is full before. */
function last(at: usize, end: usize, token: usize): usize {
  while (at < end && token < TOKENS_LIMIT) {
    token = addLiteral(token, load<u8>(at));
    at++;
  }
  store<u32>(TOKENS_END, <u32>token);
  return at;
}
