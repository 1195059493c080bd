/**
 * What hybi promises about hostile input: a row for each, in four tables. Each row names the answer; and whatever is
 * answered, what was held is free again, and the process lives, with nobody listening to an `error`.
 *
 * @module
 */
export const rows = {
  "Opening handshake, as a server": [
    "method other than GET: 405 with Allow",
    "HTTP/1.0, no upgrade in Connection, no websocket in Upgrade: 426 with Upgrade, or 400 when malformed",
    "version absent, 7, 8, 14, 13 twice, 777: 426 with Sec-WebSocket-Version: 13",
    "key missing, twice, not of 16 bytes: 400",
    "2,000 headers, one of 20 KiB, a request line of 1 MiB: 431, 431, 414",
    "a byte now and then, or silence: 408 at the deadline",
    "obs-fold, bare LF, NUL, space before the colon, two framings, a body: 400",
    "Sec-WebSocket-Protocol with 32,000 spaces, 5,000 tokens, duplicates: 400, in linear time",
    "Sec-WebSocket-Extensions with names of objects, unclosed quotes, wrong window bits: 400 or declined, in linear time",
    "a foreign Origin: 403",
    "no such path, absolute form, two slashes: 404, 400",
    "bytes right behind the request: held, and delivered in order",
    "draining, or at the connection limit: 503 with Retry-After",
    "plaintext on the TLS port, the client gone halfway: freed, nothing unhandled",
  ],
  "Opening handshake, as a client": [
    "wrong or missing accept",
    "a subprotocol or an extension that was not offered",
    "bad window bits",
    "bytes 0x80 to 0xFF in the fields of the reply",
    "endless headers",
    "an endless body behind a 200",
    "a 101 with a body",
    "silence",
    "CR, LF or NUL in URL, header or subprotocol: thrown before anything is sent",
    "redirects are not followed, and credentials stay",
  ],
  Frames: [
    "control frame over 125 bytes, or fragmented: 1002",
    "RSV1 without an extension, on a continuation or control frame; RSV2, RSV3: 1002",
    "opcodes 3 to 7, 11 to 15: 1002",
    "unmasked at the server, masked at the client: 1002",
    "a length not in its shortest form: 1002",
    "a length of 64 bits with its top bit: 1002; 2^53, 2^32 + 10, 2^31: 1009, before any memory is taken",
    "continuation with nothing open, new data frame inside a message: 1002",
    "endless fragments, of one byte or none: memory in proportion, then 1008",
    "1 MiB in segments of one byte: accepted",
    "compressed garbage: 1007; a bomb: 1009 at the first byte too many",
    "UTF-8 that is none, split anywhere: 1007",
    "Close with one byte, or a code that may not be sent: 1002",
    "Close whose reason is not UTF-8: 1007",
    "data after Close, a second Close, no answer to ours: ignored, ignored, terminated at closeTimeout",
    "100,000 pings from a peer that does not read: pongs coalesce, then 1008",
    "a header cut at every byte: the same as whole",
    "a slow reader under a broadcast: nobody else stalls",
    "a fast sender to a slow handler: reading pauses",
    "half-open TCP, a stalled TLS handshake: ended by the heartbeat or the deadline",
    "many connections, each with a message unfinished: 1013 by a budget",
    "two masking keys alike: never",
  ],
  "Misuse of the API": [
    "maxLength given as 0, 2^31, 2^32 + 5, Infinity, NaN, -1: honoured or refused",
    "wrong arguments, shared, resizable and detached memory, getters that throw: TypeError, or exactly the bytes of the view",
    "a handler that throws or rejects: 1011, and the others are unharmed",
    "send, ping, pong, close, pause or terminate inside any handler: defined",
  ],
} as const;

export type TableName = keyof typeof rows;
export type RowName<Name extends TableName = TableName> = (typeof rows)[Name][number];
