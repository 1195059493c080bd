/** What the connections of one server have done so far, together. The numbers are never set back. */
export interface Counters {
  /** Messages that were complete. */
  messagesReceived: number;
  /** Messages that were handed over to be sent; dropped ones are not among them. */
  messagesSent: number;
  /** Bytes of frames, framing included. */
  bytesReceived: number;
  bytesSent: number;
  /** Messages that `slowConsumer` dropped. */
  dropped: number;
}

export function newCounters(): Counters {
  return { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0, dropped: 0 };
}
