import type { Extension, ExtensionSession } from "../../../src/protocol/extension.ts";

export class Reversing implements ExtensionSession {
  readonly rsv: number;
  constructor(rsv?: number, name?: string, log?: string[]);
  encode(opcode: number, data: Uint8Array): Uint8Array | undefined;
  decode(opcode: number, data: Uint8Array, maxLength: number): Uint8Array;
  close(): void;
}

export const reversing: Extension;
