/**
 * The one map of the linear memory of the DEFLATE module (RFC 1951), compiled into it and imported by the host.
 *
 * One stream is inflated here at a time, and one deflated: whoever's turn it is brings its window. Every value is a byte
 * offset or a byte count unless its name says otherwise.
 */

/** Static data of the compiler (lookup tables) lies in [16, STATIC_END). */
export const STATIC_END = 8192;

/** The largest window (RFC 1951 §2): a match reaches back this far at most. */
export const MAX_WINDOW_BITS = 15;
export const MAX_WINDOW = 32768;

// --- inflate

/** State of the stream, its Huffman codes included: what must be put aside when it is left in the middle of a block. */
export const INFLATE_STATE = 8192;
export const INFLATE_STATE_SIZE = 7384;

/** What is the same for all streams: the fixed codes, what each symbol means, and scratch. */
export const INFLATE_SHARED = 16384;
export const INFLATE_SHARED_SIZE = 4608;

/** Compressed bytes to read; wide loads may look at the eight bytes behind them. */
export const INFLATE_IN = 24576;
export const INFLATE_IN_SIZE = 65536;

/** The window, and behind it the output; copies may write a few bytes too many, into the slack. */
export const INFLATE_OUT = 90624;
export const INFLATE_OUT_SIZE = 131072;
export const INFLATE_OUT_SLACK = 512;

// Fields of INFLATE_STATE, for the host.
export const INFLATE_CURSOR = 8192; // u32, offset of the first byte of input that is not read yet
export const INFLATE_END = 8196; // u32, offset behind the window and the output so far
export const INFLATE_BETWEEN = 8200; // u32, 1 between two blocks, with no bit left over

// What `inflate` answers.
export const INFLATE_NEEDS_INPUT = 0;
export const INFLATE_NEEDS_ROOM = 1;
export const INFLATE_FINAL = 2; // a block with BFINAL ended; the input goes on at the next byte, from INFLATE_CURSOR on
export const INFLATE_BAD_BLOCK = 3; // BTYPE 3 (§3.2.3)
export const INFLATE_BAD_STORED = 4; // LEN and NLEN differ (§3.2.4)
export const INFLATE_BAD_CODE = 5; // a set of code lengths that is no Huffman code, or a code that stands for nothing
export const INFLATE_BAD_DISTANCE = 6; // before the beginning, or beyond the window

// --- deflate

/** State of the stream, with the Huffman codes of the block at hand. */
export const DEFLATE_STATE = 222208;
export const DEFLATE_STATE_SIZE = 32768;

/** The window, and behind it what is to be compressed; wide loads may look at the eight bytes behind it. */
export const DEFLATE_IN = 254976;
export const DEFLATE_IN_SIZE = 98304;
export const DEFLATE_IN_SLACK = 512;

// Fields of DEFLATE_STATE, for the host.
export const DEFLATE_END = 222208; // u32, offset behind the window and the input so far: where the next input goes
export const DEFLATE_BIT_COUNT = 222212; // u32, how many bits do not fill a byte yet, 0 to 7
export const DEFLATE_BITS = 222216; // u32, these bits

// What `deflate` does behind its input.
export const FLUSH_NONE = 0;
export const FLUSH_SYNC = 1; // an empty stored block, whose last four bytes are 00 00 ff ff
export const FLUSH_FINISH = 2; // the last block has BFINAL

/** What `deflate` writes: at most its input and what stored blocks add. */
export const DEFLATE_OUT = 353792;
export const DEFLATE_OUT_SIZE = 69632;

/** The match finder's tables, and the tokens of the block at hand. */
export const MATCHES = 423424;

/** 18 pages of 64 KiB. asconfig.json says the same. */
export const MEMORY_PAGES = 18;
