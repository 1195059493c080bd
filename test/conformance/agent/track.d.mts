import type { Log, Script } from "../party.ts";

/** A connection in the words of a script. */
export interface Face {
  /** The connection itself, where it is hybi's. */
  readonly connection?: unknown;
  send(data: string | Uint8Array, options?: { type?: "continuation"; fin: boolean }): boolean;
  /** Sends, and calls back once that is done or has failed. */
  tell(data: string | Uint8Array, callback: () => void): unknown;
  ping(payload: string): unknown;
  pong(payload: string): unknown;
  close(code?: number, reason?: string): unknown;
  terminate(): void;
  pause(): void;
  resume(): void;
  /** Resolves once the peer has caught up after {@link send} answered false. */
  drained(): Promise<unknown>;
  readonly messages: AsyncIterable<string | Uint8Array>;
  readonly bufferedAmount: number;
}

export class Track {
  readonly log: Log;
  readonly counts: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly most: number;
  readonly signals: Set<string>;
  isDone: boolean;
  face: Face;
  add(kind: string, ...rest: unknown[]): void;
  message(message: string | Uint8Array): void;
  do(step: string, ...args: unknown[]): unknown;
  run(script: Script): Promise<void>;
}
