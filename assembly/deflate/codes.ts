import { CODES_SCRATCH } from "./stream";

// A code in a table: the length in bits from bit 16 on, and the code itself, its first bit lowest; 0 for no code.
// A list of the symbols in use, in their order: their number, then for each its frequency from bit 9 on, and the symbol.
const SYMBOL_BITS: u32 = 9;
const SYMBOL_MASK: u32 = (1 << SYMBOL_BITS) - 1;

const MAX_LENGTH: u32 = 15;

// How CODES_SCRATCH is divided: the symbols in use, the rarest first; the nodes of the tree; how many codes there are of
// each length, and the next of each.
const SORTED: usize = CODES_SCRATCH;
const NODES: usize = SORTED + 288 * 4;
const COUNTS: usize = NODES + 288 * 4;
const NEXT: usize = COUNTS + 32 * 4;
const BUCKETS: usize = NEXT + 32 * 4;
const BUCKET_COUNT: u32 = 64;

// @ts-ignore: decorator
@inline
export function symbolOf(entry: u32): u32 {
  return entry & SYMBOL_MASK;
}

// @ts-ignore: decorator
@inline
export function frequencyOf(entry: u32): u32 {
  return entry >> SYMBOL_BITS;
}

/** Lists which of `count` symbols, an even number, occur. Frequencies are below 2^23. */
export function listUsed(frequencies: usize, count: u32, used: usize): void {
  let entry = used + 4;
  for (let symbol: u32 = 0; symbol < count; symbol += 2) {
    const at = frequencies + symbol * 4;
    if (load<u64>(at) == 0) continue;
    const first = load<u32>(at);
    const second = load<u32>(at, 4);
    if (first != 0) {
      store<u32>(entry, (first << SYMBOL_BITS) | symbol);
      entry += 4;
    }
    if (second != 0) {
      store<u32>(entry, (second << SYMBOL_BITS) | (symbol + 1));
      entry += 4;
    }
  }
  store<u32>(used, <u32>(entry - used - 4) >> 2);
}

/** Makes the best code of at most `limit` bits a symbol for those in use, and answers how many bits they all take. */
export function makeCodes(used: usize, limit: u32, codes: usize): u32 {
  const count = load<u32>(used);
  if (count == 0) return 0;
  memory.fill(COUNTS, 0, 16 * 4);
  sort(used + 4, count);
  // A lone symbol has one bit, not none (RFC 1951 §3.2.7).
  if (count == 1) store<u32>(COUNTS, 1, 4);
  else {
    countLengths(count, limit);
    limitLengths(limit);
  }
  let bits: u32 = 0;
  let sorted = SORTED;
  for (let length = limit; length != 0; length--) {
    for (let left = load<u32>(COUNTS + length * 4); left != 0; left--) {
      const entry = load<u32>(sorted);
      store<u32>(codes + symbolOf(entry) * 4, length << 16);
      bits += frequencyOf(entry) * length;
      sorted += 4;
    }
  }
  setNext();
  const end = used + 4 + count * 4;
  for (let at = used + 4; at < end; at += 4) assign(codes + symbolOf(load<u32>(at)) * 4);
  return bits;
}

/** Gives all `count` symbols, which have their lengths, their codes. `counts` says of how many bits how many are: u8. */
export function assignCodes(codes: usize, count: u32, counts: usize): void {
  for (let length: u32 = 0; length < 16; length++) store<u32>(COUNTS + length * 4, load<u8>(counts + length));
  setNext();
  for (let i: u32 = 0; i < count; i++) assign(codes + i * 4);
}

/** The first code of each length (RFC 1951 §3.2.2). */
function setNext(): void {
  let code: u32 = 0;
  for (let length: u32 = 1; length <= MAX_LENGTH; length++) {
    store<u32>(NEXT + length * 4, code);
    code = (code + load<u32>(COUNTS + length * 4)) << 1;
  }
}

/** Gives the symbol that has a length the next code of that length. */
// @ts-ignore: decorator
@inline
function assign(code: usize): void {
  const length: u32 = load<u16>(code, 2);
  const next = NEXT + length * 4;
  const own = load<u32>(next);
  store<u32>(next, own + 1);
  store<u16>(code, reverse(own) >> (16 - length));
}

// @ts-ignore: decorator
@inline
function reverse(bits: u32): u32 {
  bits = ((bits & 0x5555) << 1) | ((bits >> 1) & 0x5555);
  bits = ((bits & 0x3333) << 2) | ((bits >> 2) & 0x3333);
  bits = ((bits & 0x0f0f) << 4) | ((bits >> 4) & 0x0f0f);
  return ((bits & 0xff) << 8) | (bits >> 8);
}

/** Fills SORTED with the list. */
function sort(list: usize, count: u32): void {
  // Low frequencies, which most symbols have, by counting; the others are all in the last bucket.
  const end = list + count * 4;
  memory.fill(BUCKETS, 0, BUCKET_COUNT * 4);
  for (let at = list; at < end; at += 4) {
    const bucket = bucketOf(load<u32>(at));
    store<u32>(bucket, load<u32>(bucket) + 4);
  }
  let place = <u32>SORTED;
  for (let bucket = BUCKETS; bucket < BUCKETS + BUCKET_COUNT * 4; bucket += 4) {
    const size = load<u32>(bucket);
    store<u32>(bucket, place);
    place += size;
  }
  const large: usize = load<u32>(BUCKETS + (BUCKET_COUNT - 1) * 4);
  for (let at = list; at < end; at += 4) {
    const entry = load<u32>(at);
    const bucket = bucketOf(entry);
    const to: usize = load<u32>(bucket);
    store<u32>(bucket, <u32>to + 4);
    store<u32>(to, entry);
  }
  for (let at = large + 4; at < SORTED + count * 4; at += 4) {
    const entry = load<u32>(at);
    let to = at;
    for (; to > large; to -= 4) {
      const before = load<u32>(to - 4);
      if (before <= entry) break;
      store<u32>(to, before);
    }
    store<u32>(to, entry);
  }
}

// @ts-ignore: decorator
@inline
function bucketOf(entry: u32): usize {
  return BUCKETS + min<u32>(frequencyOf(entry), BUCKET_COUNT - 1) * 4;
}

/**
 * Counts the leaves at each depth of the Huffman tree, those below `limit` as if they were at it: after Moffat and
 * Katajainen, "In-Place Calculation of Minimum-Redundancy Codes" (1995).
 */
function countLengths(count: u32, limit: u32): void {
  // A node is its weight until it has a parent, then its parent. They come in the order of their weights.
  let leaf: u32 = 0;
  let root: u32 = 0;
  for (let next: u32 = 0; next < count - 1; next++) {
    let weight: u32 = 0;
    for (let child = 0; child < 2; child++) {
      const ofLeaf = leaf < count ? frequencyOf(load<u32>(SORTED + leaf * 4)) : u32.MAX_VALUE;
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
  let node = <i32>count - 2;
  store<u32>(NODES + node * 4, 0);
  let places: u32 = 1;
  for (let depth: u32 = 0; places != 0; depth++) {
    let nodes: u32 = 0;
    while (node >= 0) {
      const at = NODES + node * 4;
      const own = node == <i32>count - 2 ? 0 : load<u32>(NODES + load<u32>(at) * 4) + 1;
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
