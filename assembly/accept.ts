export function accept(at: usize, out: usize): void {}
