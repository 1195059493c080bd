/** One thing that a user should not do, and what comes of it. */
export interface Misuse {
  readonly name: string;
  /** The name and the code of what is thrown. */
  readonly throws?: readonly [name: string, code: string];
  /** The opcode and the payload, one character for each byte, of the one frame that is sent. */
  readonly sent?: readonly [opcode: number, payload: string];
}

export const misuses: readonly Misuse[];
export const refusals: readonly Misuse[];
export function attempt(connection: unknown, name: string): [name: string, ...thrown: string[]];
export function upon(connection: unknown, event: string, what: string): void;
