export type Content =
  | string
  | { text: number }
  | { ascii: number }
  | { prose: number; seed?: number }
  | { parts: readonly Content[] }
  | { bytes: number; seed?: number };

export function noise(length: number, seed?: number): Uint8Array;
export function messageOf(content: Content): string | Uint8Array;
export function joined(parts: readonly Uint8Array[]): Uint8Array;
export function joined(parts: readonly string[]): string;
export function shown(message: string | ArrayLike<number>): string;
export function block(i: number, size: number, memory?: Uint8Array): Uint8Array;
export function isBlock(bytes: unknown, i: number, size: number): boolean;
