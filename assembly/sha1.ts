export function sha1(at: usize, length: u32, out: usize): void {}
