import { DEFLATE_BITS, DEFLATE_BIT_COUNT } from "./layout";
import { OUT } from "./stream";

/** Writes the low `count` bits of `bits`, at most 32, which has no others, the lowest first (RFC 1951 §3.1.1). */
export function put(bits: u32, count: u32): void {
  const held = load<u32>(DEFLATE_BIT_COUNT);
  const all = (<u64>bits << held) | load<u32>(DEFLATE_BITS);
  const out: usize = load<u32>(OUT);
  const total = held + count;
  store<u64>(out, all, 0, 1);
  store<u32>(OUT, <u32>out + (total >> 3));
  store<u32>(DEFLATE_BITS, <u32>(all >> (total & ~7)));
  store<u32>(DEFLATE_BIT_COUNT, total & 7);
}

/** Fills the byte up with zeros. */
export function align(): void {
  const held = load<u32>(DEFLATE_BIT_COUNT);
  if (held != 0) put(0, 8 - held);
}
