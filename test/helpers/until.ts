import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { HandshakeError } from "../../src/index.ts";
import type { Connection, ConnectionEvents, Server, ServerEvents } from "../../src/index.ts";

/** The arguments of the next `event`. */
export function next<K extends keyof ConnectionEvents>(emitter: Connection, event: K): Promise<ConnectionEvents[K]>;
export function next<K extends keyof ServerEvents>(emitter: Server, event: K): Promise<ServerEvents[K]>;
export function next(
  emitter: { once: (event: never, listener: (...args: unknown[]) => void) => unknown },
  event: string,
): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(event as never, (...args) => resolve(args)));
}

/** So many rounds of the event loop take some milliseconds. What takes longer mostly waits for another process. */
const EAGER = 1000;

/**
 * Goes round the event loop, and so reads and writes what can be, until `condition` holds; in time no longer at full
 * speed, since the one that is waited for needs the processor more.
 */
export async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) await (round < EAGER ? turn() : sleep(1));
}

/** Goes round the event loop `count` times: what was to come of its own by then has come. */
export async function turns(count = 100): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Resolves with the value of `read` once that has stayed the same for `count` rounds of the event loop. */
export async function plateau(read: () => number, count = 100): Promise<number> {
  let value = read();
  for (let same = 0; same < count; same++) {
    await turn();
    if (read() === value) continue;
    value = read();
    same = 0;
  }
  return value;
}

type Entry = { [K in keyof ConnectionEvents]: [event: K, ...args: ConnectionEvents[K]] }[keyof ConnectionEvents];

const events: readonly (keyof ConnectionEvents)[] = ["open", "message", "ping", "pong", "drain", "error", "close"];

/** All that a connection emits, in order. */
export class Recording {
  readonly entries: Entry[] = [];

  constructor(connection: Connection, which = events) {
    for (const event of which) {
      connection.on(event, (...args: unknown[]) => void this.entries.push([event, ...args] as Entry));
    }
  }

  /** The first argument of each `event` so far. */
  of<K extends keyof ConnectionEvents>(event: K): ConnectionEvents[K][0][] {
    return this.entries.filter((entry) => entry[0] === event).map((entry) => entry[1] as ConnectionEvents[K][0]);
  }

  get names(): string[] {
    return this.entries.map(([event]) => event);
  }

  get messages(): (string | Uint8Array)[] {
    return this.of("message");
  }

  get errors(): Error[] {
    return this.of("error");
  }

  /** The arguments of the `close` events: one, if all is well. */
  get closes(): [code: number, reason: string][] {
    return this.entries.flatMap((entry) => (entry[0] === "close" ? [[entry[1], entry[2]]] : []));
  }

  /** Waits for the end, and for what wrongly would come behind it. */
  async closed(): Promise<[code: number, reason: string][]> {
    await until(() => this.closes.length > 0);
    await turns(20);
    return this.closes;
  }
}

/** A promise, and what settles it. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** What a call throws, or a promise is rejected with. */
export async function thrownBy(work: () => unknown): Promise<Error & { code?: string }> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("Nothing was thrown.");
}

/** The error, if it is one of a handshake that was answered. */
export function asHandshakeError(error: Error): HandshakeError {
  if (error instanceof HandshakeError) return error;
  throw error;
}
