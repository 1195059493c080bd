/**
 * Memory that serves again: what is new for each read or write may cost a server half of its time. Whoever borrows it owns
 * it until it is given back, or for good.
 *
 * @module
 */

/** Bytes that are kept of each size. */
const MOST = 2 ** 23;

/** What is spare, by the power of two that it has bytes. */
const spare: Uint8Array[][] = [];

/** Answers memory for `length` bytes, 1 or more, which is less than twice as large. */
export function borrow(length: number): Uint8Array {
  const power = 32 - Math.clz32(length - 1);
  return spare[power]?.pop() ?? new Uint8Array(2 ** power);
}

/** Takes back, whole, what {@link borrow} answered. */
export function giveBack(memory: Uint8Array): void {
  const { length } = memory;
  const same = (spare[31 - Math.clz32(length)] ??= []);
  if ((same.length + 1) * length <= MOST) same.push(memory);
}
