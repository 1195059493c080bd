/** Numbers that look random and come again with the seed. */
export interface Chance {
  /** From 0 up to, but not including, `below`. */
  integer(below: number): number;
  one<T>(choices: readonly T[]): T;
  early<T>(choices: readonly T[]): T;
  hex(length: number): string;
  list<T>(length: number, make: (i: number) => T): T[];
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

export type Kind =
  | "chat"
  | "ticker"
  | "prose"
  | "foreign"
  | "html"
  | "source"
  | "records"
  | "floats"
  | "random"
  | "zeros"
  | "repeats"
  | "echoes"
  | "skewed";

export interface Sample {
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function chance(seed?: number): Chance;
export function messages(count?: number, seed?: number): Uint8Array<ArrayBuffer>[];
export const kinds: Readonly<Record<Kind, (length: number, seed?: number) => Uint8Array<ArrayBuffer>>>;
export const lengths: readonly number[];
export function samples(some?: readonly number[], seed?: number): Sample[];
