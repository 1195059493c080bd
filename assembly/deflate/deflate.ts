export function deflateOpen(history: u32, windowBits: u32, level: u32): void {}
export function deflate(length: u32, flush: u32): u32 {
  return 0;
}
export function deflateSlide(): void {}
