import { DEFLATE_STATE } from "./layout";

// Fields of DEFLATE_STATE that the host has no use for, all u32; the first 16 bytes are in layout.ts.
/** What turns an offset into a position: positions never come again, so what the tables say of old ones is known to be old. */
export const BIAS: usize = DEFLATE_STATE + 16;
/** No position from here on was ever in the tables. */
export const UNUSED: usize = DEFLATE_STATE + 20;
/** Offset of the first byte that is not in the tables: the last three of an input must wait for what follows them. */
export const INDEXED: usize = DEFLATE_STATE + 24;
/** The longest distance, 2^windowBits. */
export const REACH: usize = DEFLATE_STATE + 28;
export const LEVEL: usize = DEFLATE_STATE + 32;
/** Where the next byte of output goes. */
export const OUT: usize = DEFLATE_STATE + 36;
/** Offset behind the last token of the block at hand. */
export const TOKENS_END: usize = DEFLATE_STATE + 40;
/** Whether the tables of the fixed codes have been made. */
export const FIXED_MADE: usize = DEFLATE_STATE + 44;

// Everything else in DEFLATE_STATE outlives no block, but for the fixed codes.
export const LITERAL_COUNT: u32 = 286;
export const DISTANCE_COUNT: u32 = 30;
export const PRECODE_COUNT: u32 = 19;
const LITERALS_SIZE: u32 = 288 * 4;
const DISTANCES_SIZE: u32 = 32 * 4;
const PRECODE_SIZE: u32 = 20 * 4;
/** How often each literal or length, and each distance, occurs in the block: u32 each. */
export const LITERAL_FREQUENCIES: usize = DEFLATE_STATE + 1024;
export const DISTANCE_FREQUENCIES: usize = LITERAL_FREQUENCIES + LITERALS_SIZE;
export const FREQUENCIES_END: usize = DISTANCE_FREQUENCIES + DISTANCES_SIZE;
/** The codes: u32 each, see codes.ts. */
export const LITERAL_CODES: usize = FREQUENCIES_END;
export const DISTANCE_CODES: usize = LITERAL_CODES + LITERALS_SIZE;
export const FIXED_LITERAL_CODES: usize = DISTANCE_CODES + DISTANCES_SIZE;
export const FIXED_DISTANCE_CODES: usize = FIXED_LITERAL_CODES + LITERALS_SIZE;
/** The symbols that occur: how many, then a u32 for each, see codes.ts. */
export const LITERALS_USED: usize = FIXED_DISTANCE_CODES + DISTANCES_SIZE;
export const DISTANCES_USED: usize = LITERALS_USED + 4 + LITERALS_SIZE;
/** The same for the code lengths of a dynamic block (RFC 1951 §3.2.7), and the list of them. */
export const PRECODE_FREQUENCIES: usize = DISTANCES_USED + 4 + DISTANCES_SIZE;
export const PRECODE_CODES: usize = PRECODE_FREQUENCIES + PRECODE_SIZE;
export const PRECODE_USED: usize = PRECODE_CODES + PRECODE_SIZE;
export const LENGTHS: usize = PRECODE_USED + 4 + PRECODE_SIZE;
/** Room for codes.ts to work in. */
export const CODES_SCRATCH: usize = LENGTHS + 320 * 2;
