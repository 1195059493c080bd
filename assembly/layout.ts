/**
 * The one map of the codec's linear memory.
 *
 * AssemblyScript compiles this file into the codec, and the host imports the same file, so an offset or a size has one
 * source. Every value is a byte offset or a byte count unless its name says otherwise.
 */

/** Static data of the compiler (lookup tables) lies in [16, STATIC_END). */
export const STATIC_END = 2048;

/** Work space: SHA-1 has the first half, the accept key the other, of which the GUID stays where it is. */
export const SCRATCH = 2048;
export const SCRATCH_SIZE = 2048;

/** Where `decode` stopped: a byte offset into the window. Differs from the chunk's end only when the event table is full. */
export const CURSOR = 4096;

/**
 * What lies outside of the memory is masked and validated here, piece by piece: it may be so in the middle of a walk over
 * the window. A multiple of four, so that a piece ends where the masking key begins anew.
 */
export const STAGE = 4352;
export const STAGE_SIZE = 3840;

/** The event table, written by `decode`: EVENT_CAPACITY records of EVENT_WORDS 32-bit words. */
export const EVENTS = 8192;
export const EVENT_CAPACITY = 1024;
export const EVENT_WORDS = 4;

/**
 * The receive window: a chunk of transport bytes is decoded in place here. Four messages of 16 KiB fit with their headers,
 * or one of 64 KiB at any place: what does not come whole costs a copy more. What holds a peer back does so a chunk late.
 */
export const WINDOW = 24576;
export const WINDOW_SIZE = 131072;

/**
 * The send region: frames that leave in one write are encoded here, one behind the other. With 64 KiB a batch is full, and
 * has room for one more frame, since it may be known only then.
 */
export const OUTBOX = 155648;
export const OUTBOX_SIZE = 98304;

/** Here a text of at most a window's bytes becomes UTF-16, to make a string of; a kernel may write a little more behind it. */
export const UNITS = 253952;
export const UNITS_SIZE = 262144;
export const UNITS_SLACK = 64;

/** One connection's decoder state. Slot 0 is never handed out, so 0 can say "none left". */
export const SLOTS = 516160;
export const SLOT_SIZE = 64;
export const SLOT_COUNT = 131072;

/** 136 pages of 64 KiB: SLOTS + SLOT_COUNT * SLOT_SIZE, rounded up. asconfig.json says the same. */
export const MEMORY_PAGES = 136;

// Fields of a slot.
export const SLOT_NEXT_FREE = 0; // u32, while the slot is free
export const SLOT_STATE = 4; // u8, STATE_*
export const SLOT_EXPECT_MASKED = 5; // u8, 1 at a server (RFC 6455 §5.1)
export const SLOT_ALLOWED_RSV = 6; // u8, RSV bits that extensions have taken, in place (0x40, 0x20, 0x10)
export const SLOT_HEADER_LENGTH = 7; // u8, bytes of a cut header gathered so far
export const SLOT_MAX_LENGTH = 8; // f64, bytes per message
export const SLOT_MESSAGE_LENGTH = 16; // f64, payload bytes declared by the message's frames so far
export const SLOT_REMAINING = 24; // f64, payload bytes of the current frame still to come
export const SLOT_MAX_FRAGMENTS = 32; // u32, frames per message
export const SLOT_FRAGMENTS = 36; // u32, frames of the open message so far
export const SLOT_MASKING_KEY = 40; // u32, as the bytes lie on the wire, turned so that the next payload byte meets its first
export const SLOT_UTF8 = 44; // u16, the validator's state over the open text message
export const SLOT_EMPTY_RUN = 46; // u8, empty non-final fragments in a row
export const SLOT_FRAME_STARTED = 47; // u8, 1 once a piece of the current frame was reported
export const SLOT_FIRST_BYTE = 48; // u8, FIN, RSV and opcode of the current frame
export const SLOT_MESSAGE = 49; // u8, opcode and RSV of the open message's first frame, 0 when none is open
export const SLOT_HEADER = 50; // 14 bytes

// Values of SLOT_STATE.
export const STATE_HEADER = 0;
export const STATE_PAYLOAD = 1;
export const STATE_FAILED = 2;

// Word 0 of an event: what the piece of payload at (word 1: offset, word 2: length) is.
// Word 3 is how many bytes of the same frame are still to come, at most 2^32 - 1.
export const EVENT_OPCODE = 0x0f; // of the message or the control frame, never 0
export const EVENT_FIRST = 0x100; // the first piece of a message or a control frame
export const EVENT_LAST = 0x200; // the last one
export const EVENT_ASCII = 0x400; // with EVENT_LAST: the whole text message is ASCII
export const EVENT_RSV = 0x70; // RSV bits of the message's first frame
export const EVENT_FAIL = 0x800; // no payload: word 1 is a VIOLATION_*

// Why a connection is failed. The host's table (src/codec/violation.ts) has the Close code and the section of each.
export const VIOLATION_RESERVED_BITS = 1;
export const VIOLATION_OPCODE = 2;
export const VIOLATION_UNMASKED = 3;
export const VIOLATION_MASKED = 4;
export const VIOLATION_LENGTH_NOT_MINIMAL = 5;
export const VIOLATION_LENGTH_TOP_BIT = 6;
export const VIOLATION_CONTROL_TOO_LONG = 7;
export const VIOLATION_CONTROL_FRAGMENTED = 8;
export const VIOLATION_NOTHING_TO_CONTINUE = 9;
export const VIOLATION_MESSAGE_UNFINISHED = 10;
export const VIOLATION_UTF8 = 11;
export const VIOLATION_TOO_LONG = 12;
export const VIOLATION_TOO_MANY_FRAGMENTS = 13;
export const VIOLATION_EMPTY_FRAGMENTS = 14;

/** Empty non-final fragments in a row that a message may have; they cost the peer two bytes and move nothing forward. */
export const MAX_EMPTY_RUN = 16;

// The UTF-8 validator's state: the low byte is the automaton's, UTF8_NON_ASCII sticks once a byte over 0x7F was seen.
export const UTF8_ACCEPT = 0;
export const UTF8_REJECT = 0xff;
export const UTF8_STATE = 0xff;
export const UTF8_NON_ASCII = 0x100;
