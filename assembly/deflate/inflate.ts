export function inflateOpen(history: u32, windowBits: u32): void {}
export function inflate(inEnd: u32, outEnd: u32): u32 {
  return 0;
}
export function inflateSlide(): void {}
