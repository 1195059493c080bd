import type { Message } from "../protocol/data.ts";

/** What a connection tells its listeners, and with which arguments. */
export interface ConnectionEvents {
  /** The opening handshake is done. */
  open: [];
  /** A message: text is a string, binary a `Uint8Array` of its own. */
  message: [message: Message];
  /** A Ping came, and was answered. */
  ping: [payload: Uint8Array];
  /** A Pong came, asked for or not. */
  pong: [payload: Uint8Array];
  /** The peer has caught up after `send` answered false. */
  drain: [];
  /** What went wrong; a `close` follows. */
  error: [error: Error];
  /** The connection is over, with the code and reason of RFC 6455 §7.1.5, §7.1.6: comes exactly once, and last. */
  close: [code: number, reason: string];
}
