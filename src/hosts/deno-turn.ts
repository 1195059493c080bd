/** A transport that has something to do at the end of a turn. */
interface Waiting {
  /** Writes what was gathered. */
  sendStaged(): void;
  /** Reads on, behind a chunk that was handled. */
  readOn(): void;
}

/**
 * Deno reports the reads of many connections together. What is sent in answer to them leaves behind all of them, and
 * then all read on: the processor is quicker at many calls of one kind in a row than at one of each in turn. What is
 * long leaves at once, while it is in the processor's cache.
 */
let sending: Waiting[] = [];
let reading: Waiting[] = [];

export function sendLater(transport: Waiting): void {
  if (sending.length + reading.length === 0) queueMicrotask(turnEnded);
  sending.push(transport);
}

export function readLater(transport: Waiting): void {
  if (sending.length + reading.length === 0) queueMicrotask(turnEnded);
  reading.push(transport);
}

function turnEnded(): void {
  const [senders, readers] = [sending, reading];
  sending = [];
  reading = [];
  for (const transport of senders) transport.sendStaged();
  for (const transport of readers) transport.readOn();
}
