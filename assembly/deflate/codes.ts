import { CODES_SCRATCH } from "./stream";

// A code in a table: the length in bits from bit 16 on, and the code itself, its first bit lowest; 0 for no code.

const MAX_LENGTH: u32 = 15;

// How CODES_SCRATCH is divided: the symbols in use, the rarest first, each below its frequency; the nodes of the tree;
// how many codes there are of each length, and the next of each.
const SYMBOL_BITS: u32 = 9;
const SYMBOL_MASK: u32 = (1 << SYMBOL_BITS) - 1;
const SORTED: usize = CODES_SCRATCH;
const NODES: usize = SORTED + 288 * 4;
const COUNTS: usize = NODES + 288 * 4;
const NEXT: usize = COUNTS + 32 * 4;
const BUCKETS: usize = NEXT + 32 * 4;
const BUCKET_COUNT: u32 = 64;

/** Makes the best code with lengths up to `limit` for `count` symbols of these frequencies, all below 2^23. */
export function makeCodes(frequencies: usize, count: u32, limit: u32, codes: usize): void {
  const used = sort(frequencies, count, codes);
  if (used == 0) return;
  memory.fill(COUNTS, 0, 16 * 4);
  // A lone symbol has one bit, not none (RFC 1951 §3.2.7).
  if (used == 1) store<u32>(COUNTS + 4, 1);
  else {
    countLengths(used, limit);
    limitLengths(limit);
  }
  let symbol = SORTED;
  for (let length = limit; length != 0; length--) {
    for (let left = load<u32>(COUNTS + length * 4); left != 0; left--) {
      store<u32>(codes + (load<u32>(symbol) & SYMBOL_MASK) * 4, length << 16);
      symbol += 4;
    }
  }
  assignCodes(count, codes);
}

/** Gives each symbol that has a length its code (§3.2.2). COUNTS says how many there are of each length. */
export function assignCodes(count: u32, codes: usize): void {
  let code: u32 = 0;
  for (let length: u32 = 1; length <= MAX_LENGTH; length++) {
    store<u32>(NEXT + length * 4, code);
    code = (code + load<u32>(COUNTS + length * 4)) << 1;
  }
  const end = codes + count * 4;
  for (; codes < end; codes += 4) {
    const length = load<u32>(codes) >> 16;
    if (length == 0) continue;
    const next = NEXT + length * 4;
    const own = load<u32>(next);
    store<u32>(next, own + 1);
    store<u32>(codes, (length << 16) | (reverse(own) >> (16 - length)));
  }
}

/** Tells `assignCodes` how many codes there are of a length. */
export function setCount(length: u32, count: u32): void {
  store<u32>(COUNTS + length * 4, count);
}

// @ts-ignore: decorator
@inline
function reverse(bits: u32): u32 {
  bits = ((bits & 0x5555) << 1) | ((bits >> 1) & 0x5555);
  bits = ((bits & 0x3333) << 2) | ((bits >> 2) & 0x3333);
  bits = ((bits & 0x0f0f) << 4) | ((bits >> 4) & 0x0f0f);
  return ((bits & 0xff) << 8) | (bits >> 8);
}

/** Fills SORTED, clears the codes of all symbols, and answers how many are in use. */
function sort(frequencies: usize, count: u32, codes: usize): u32 {
  // Low frequencies, which most symbols have, by counting; the others are all in the last bucket.
  memory.fill(BUCKETS, 0, BUCKET_COUNT * 4);
  for (let i: u32 = 0; i < count; i++) {
    const bucket = BUCKETS + min<u32>(load<u32>(frequencies + i * 4), BUCKET_COUNT - 1) * 4;
    store<u32>(bucket, load<u32>(bucket) + 1);
  }
  let used: u32 = 0;
  for (let i: u32 = 1; i < BUCKET_COUNT; i++) {
    const inBucket = load<u32>(BUCKETS + i * 4);
    store<u32>(BUCKETS + i * 4, used);
    used += inBucket;
  }
  const large = load<u32>(BUCKETS + (BUCKET_COUNT - 1) * 4);
  for (let i: u32 = 0; i < count; i++) {
    const frequency = load<u32>(frequencies + i * 4);
    store<u32>(codes + i * 4, 0);
    if (frequency == 0) continue;
    const bucket = BUCKETS + min<u32>(frequency, BUCKET_COUNT - 1) * 4;
    const at = load<u32>(bucket);
    store<u32>(bucket, at + 1);
    store<u32>(SORTED + at * 4, (frequency << SYMBOL_BITS) | i);
  }
  for (let i = large + 1; i < used; i++) {
    const value = load<u32>(SORTED + i * 4);
    let at = i;
    for (; at > large; at--) {
      const before = load<u32>(SORTED + at * 4 - 4);
      if (before <= value) break;
      store<u32>(SORTED + at * 4, before);
    }
    store<u32>(SORTED + at * 4, value);
  }
  return used;
}

/**
 * Counts the leaves at each depth of the Huffman tree, those below `limit` as if they were at it: after Moffat and
 * Katajainen, "In-Place Calculation of Minimum-Redundancy Codes" (1995).
 */
function countLengths(used: u32, limit: u32): void {
  // A node is its weight until it has a parent, then its parent. They come in the order of their weights.
  let leaf: u32 = 0;
  let root: u32 = 0;
  for (let next: u32 = 0; next < used - 1; next++) {
    let weight: u32 = 0;
    for (let child = 0; child < 2; child++) {
      const ofLeaf = leaf < used ? load<u32>(SORTED + leaf * 4) >> SYMBOL_BITS : u32.MAX_VALUE;
      const ofRoot = root < next ? load<u32>(NODES + root * 4) : u32.MAX_VALUE;
      if (ofRoot < ofLeaf) {
        weight += ofRoot;
        store<u32>(NODES + root * 4, next);
        root++;
      } else {
        weight += ofLeaf;
        leaf++;
      }
    }
    store<u32>(NODES + next * 4, weight);
  }
  // From the root down: the depth of each node. Two places below each node of a depth are for nodes or leaves.
  let node = <i32>used - 2;
  store<u32>(NODES + node * 4, 0);
  let places: u32 = 1;
  for (let depth: u32 = 0; places != 0; depth++) {
    let nodes: u32 = 0;
    while (node >= 0) {
      const at = NODES + node * 4;
      const own = node == <i32>used - 2 ? 0 : load<u32>(NODES + load<u32>(at) * 4) + 1;
      if (own != depth) break;
      store<u32>(at, own);
      nodes++;
      node--;
    }
    const counter = COUNTS + min(depth, limit) * 4;
    store<u32>(counter, load<u32>(counter) + places - nodes);
    places = 2 * nodes;
  }
}

/** Makes COUNTS a code again after lengths over `limit` were cut down to it. */
function limitLengths(limit: u32): void {
  // In units of a code of the limit's length.
  let sum: u32 = 0;
  for (let length: u32 = 1; length <= limit; length++) sum += load<u32>(COUNTS + length * 4) << (limit - length);
  const last = COUNTS + limit * 4;
  for (let over = sum - (1 << limit); over != 0; over--) {
    // A shorter code becomes two that are a bit longer: one for its own symbol, one for a symbol from the limit.
    let shorter = last - 4;
    while (load<u32>(shorter) == 0) shorter -= 4;
    store<u32>(shorter, load<u32>(shorter) - 1);
    store<u32>(shorter, load<u32>(shorter, 4) + 2, 4);
    store<u32>(last, load<u32>(last) - 1);
  }
}
