/** RFC 6455 §11.8. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** FIN, in the first byte of a frame (§5.2). */
export const FIN = 0x80;

/** Most bytes of a control frame's payload (§5.5). */
export const MAX_CONTROL_LENGTH = 125;
