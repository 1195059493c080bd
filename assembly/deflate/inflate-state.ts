import { INFLATE_SHARED, INFLATE_STATE } from "./layout";

// How INFLATE_STATE is divided, behind the fields that the host knows: what one stream is in the middle of.

/** u32, PHASE_* */
export const PHASE: usize = INFLATE_STATE + 12;
/** u64, the bits that were read and not used yet, the next one lowest; those above BIT_COUNT are zero. */
export const BITS: usize = INFLATE_STATE + 16;
/** u32, how many they are. Between two calls they all belong to one item that is cut, or are fewer than eight. */
export const BIT_COUNT: usize = INFLATE_STATE + 24;
/** u32, BFINAL of the block at hand. */
export const IS_FINAL: usize = INFLATE_STATE + 28;
/** u32, bytes that a distance may reach back: 2^windowBits. */
export const WINDOW: usize = INFLATE_STATE + 32;
/** u32, what is still to come of a stored block or of a match, in bytes. */
export const LENGTH: usize = INFLATE_STATE + 36;
/** u32, of that match. */
export const DISTANCE: usize = INFLATE_STATE + 40;
/** u32, how many code lengths a dynamic block gives for literals and lengths, for both codes, and for its own code. */
export const LITERAL_COUNT: usize = INFLATE_STATE + 44;
export const BOTH_COUNT: usize = INFLATE_STATE + 48;
export const CODE_LENGTH_COUNT: usize = INFLATE_STATE + 52;
/** u32, how many of those at hand were read. */
export const READ: usize = INFLATE_STATE + 56;
/** u32, where CURSOR was when the call began. */
export const START: usize = INFLATE_STATE + 60;
/** u32, the tables of the block at hand, and by how many bits each is looked up first. */
export const LITERALS: usize = INFLATE_STATE + 64;
export const LITERAL_BITS: usize = INFLATE_STATE + 68;
export const DISTANCES: usize = INFLATE_STATE + 72;
export const DISTANCE_BITS: usize = INFLATE_STATE + 76;
/** u32, by how many bits the code of code lengths is looked up. */
export const CODE_LENGTH_BITS: usize = INFLATE_STATE + 80;

/** A byte for each code length of both codes, and 19 for the code that those are sent in. */
export const LENGTHS: usize = INFLATE_STATE + 96;
export const CODE_LENGTH_LENGTHS: usize = LENGTHS + 320;

// The tables of a dynamic block, u32 for each entry: so many as the worst set of lengths asks for. That is 1332 for 286
// symbols at 10 bits, and 402 for 32 at 8 (a search over all sets of lengths gives them).
export const LITERAL_ROOT: u32 = 10;
export const DISTANCE_ROOT: u32 = 8;
export const CODE_LENGTH_ROOT: u32 = 7;
export const LITERAL_TABLE: usize = CODE_LENGTH_LENGTHS + 32;
export const DISTANCE_TABLE: usize = LITERAL_TABLE + 4 * 1332;
/** It is done with before the table of distances is made. */
export const CODE_LENGTH_TABLE: usize = DISTANCE_TABLE;
/** The first byte behind the state. */
export const STATE_END: usize = DISTANCE_TABLE + 4 * 402;

// How INFLATE_SHARED is divided.

/** u32, 1 once what follows is made. */
export const IS_MADE: usize = INFLATE_SHARED;
/** The entry of each symbol, less its code: of literals and lengths, of distances, of code lengths. */
export const LITERAL_MEANINGS: usize = INFLATE_SHARED + 16;
export const DISTANCE_MEANINGS: usize = LITERAL_MEANINGS + 4 * 288;
export const CODE_LENGTH_MEANINGS: usize = DISTANCE_MEANINGS + 4 * 32;
/** The fixed codes (§3.2.6): 9 bits at most, and 5. */
export const FIXED_LITERAL_TABLE: usize = CODE_LENGTH_MEANINGS + 4 * 20;
export const FIXED_DISTANCE_TABLE: usize = FIXED_LITERAL_TABLE + 4 * 512;
/** Scratch of whoever makes a table: a u32 for each length, twice, and the symbols in the order of their codes, u16. */
export const COUNTS: usize = FIXED_DISTANCE_TABLE + 4 * 32;
export const OFFSETS: usize = COUNTS + 4 * 16;
export const SORTED: usize = OFFSETS + 4 * 16;
/** Scratch for the lengths of the fixed codes. */
export const FIXED_LENGTHS: usize = SORTED + 2 * 320;

// What comes next in the stream.
export const PHASE_BLOCK: u32 = 0; // the three bits of a block's header (§3.2.3)
export const PHASE_STORED_LENGTH: u32 = 1; // LEN and NLEN (§3.2.4)
export const PHASE_STORED: u32 = 2; // LENGTH bytes
export const PHASE_COUNTS: u32 = 3; // HLIT, HDIST and HCLEN (§3.2.7)
export const PHASE_CODE_LENGTH_CODE: u32 = 4; // three bits for each length
export const PHASE_CODE_LENGTHS: u32 = 5;
export const PHASE_CODES: u32 = 6; // literals and matches
export const PHASE_MATCH: u32 = 7; // the rest of a match that had no room

/** What the steps between PHASE_* answer when the stream goes on; else they answer INFLATE_*. */
export const GO_ON: u32 = 0xff;
