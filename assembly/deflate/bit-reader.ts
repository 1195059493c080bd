import { INFLATE_CURSOR } from "./layout";
import { BIT_COUNT, BITS, START } from "./inflate-state";

/** Takes in as many bytes as come before `end` and have room, and answers how many bits there are: 56 or more, unless all were taken. */
// @ts-ignore: decorator
@inline
export function refill(end: usize): u32 {
  const cursor = load<u32>(INFLATE_CURSOR);
  const count = load<u32>(BIT_COUNT);
  const bytes = min((63 - count) >> 3, <u32>end - cursor);
  if (bytes == 0) return count;
  const filled = count + (bytes << 3);
  const bits = load<u64>(BITS) | (load<u64>(cursor, 0, 1) << count);
  store<u64>(BITS, bits & (((<u64>1) << filled) - 1));
  store<u32>(BIT_COUNT, filled);
  store<u32>(INFLATE_CURSOR, cursor + bytes);
  return filled;
}

/** The next `count` bits, up to 32, which there must be. */
// @ts-ignore: decorator
@inline
export function take(count: u32): u32 {
  const bits = load<u64>(BITS);
  store<u64>(BITS, bits >> count);
  store<u32>(BIT_COUNT, load<u32>(BIT_COUNT) - count);
  return <u32>bits & <u32>(((<u64>1) << count) - 1);
}

/** Gives the whole bytes back that this call took and nobody used. */
export function giveBack(): void {
  const cursor = load<u32>(INFLATE_CURSOR);
  const count = load<u32>(BIT_COUNT);
  const bytes = min(count >> 3, cursor - load<u32>(START));
  const left = count - (bytes << 3);
  store<u64>(BITS, load<u64>(BITS) & (((<u64>1) << left) - 1));
  store<u32>(BIT_COUNT, left);
  store<u32>(INFLATE_CURSOR, cursor - bytes);
}
