export function validate(state: u32, at: usize, length: u32): u32 { return state; }
