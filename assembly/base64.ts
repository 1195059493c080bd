export function base64Encode(at: usize, length: u32, out: usize): u32 { return 0; }
