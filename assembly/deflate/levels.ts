// What each level from 2 on looks for, at most.

/** How many earlier places are compared. */
// @ts-ignore: decorator
@inline
export function depth(level: u32): u32 {
  return load<u16>(memory.data<u16>([0, 0, 4, 6, 8, 12, 16, 64, 256, 1024]) + level * 2);
}

/** A match of this length is not tried to be bettered. */
// @ts-ignore: decorator
@inline
export function enough(level: u32): u32 {
  return load<u16>(memory.data<u16>([0, 0, 8, 12, 16, 32, 64, 130, 258, 258]) + level * 2);
}

/** Behind a shorter match a better one is looked for. */
// @ts-ignore: decorator
@inline
export function lazy(level: u32): u32 {
  return load<u16>(memory.data<u16>([0, 0, 4, 6, 8, 10, 16, 32, 128, 258]) + level * 2);
}
