import { expect } from "vitest";
import { request } from "../helpers/raw-peer.ts";
import { Peer } from "../helpers/wire.ts";
import type { PartyOptions } from "../conformance/party.ts";
import type { Arena, Attack, Table } from "./arena.ts";
import type { RowName } from "./rows.ts";

/** Rows of the table of the opening handshake, as a server. */
export type Rows = Partial<Table<RowName<"Opening handshake, as a server">>>;

type Changes = Parameters<typeof request>[0];

/** What the head of the answer must hold. */
type Answer = readonly [status: number, ...fields: RegExp[]];

export const NOT_GET: Answer = [405, /^Allow: GET\r$/m];
export const UPGRADE: Answer = [426, /^Upgrade: websocket\r$/m, /^Connection: close, Upgrade\r$/m];
export const VERSION: Answer = [...UPGRADE, /^Sec-WebSocket-Version: 13\r$/m];
export const BAD: Answer = [400];
export const BUSY: Answer = [503, /^Retry-After: \d+\r$/m];

/** Far above what linear time takes, and far below what any other does. */
const LINEAR = 2000;

export function check(head: string, [status, ...fields]: Answer): void {
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toContain("\r\nConnection: close");
  for (const field of fields) expect(head).toMatch(field);
}

/** These bytes get that answer, whole and also by halves. */
export function refused(name: string, bytes: string, answer: Answer, options?: PartyOptions): Attack {
  return {
    name,
    request: { bytes, options, status: answer[0] },
    async play(arena: Arena): Promise<void> {
      const serving = await arena.serve(options);
      const half = bytes.length >> 1;
      const from = performance.now();
      check(await arena.refusal(serving, bytes), answer);
      check(await arena.refusal(serving, bytes.slice(0, half), bytes.slice(half)), answer);
      expect(performance.now() - from).toBeLessThan(LINEAR);
    },
  };
}

export const changed = (name: string, changes: Changes, answer: Answer, line?: string): Attack =>
  refused(name, request(changes, line), answer);

/** These bytes open a connection, on which nothing of what the field asks for is taken. */
export function declined(name: string, changes: Changes, options?: PartyOptions): Attack {
  const bytes = request(changes, "GET /declined HTTP/1.1");
  return {
    name,
    request: { bytes, options, status: 101 },
    async play(arena: Arena): Promise<void> {
      const serving = await arena.serve(options);
      const raw = await arena.connect(serving);
      const peer = new Peer("server");
      const from = performance.now();
      await raw.write(bytes);
      expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
      expect(raw.head).not.toMatch(/^Sec-WebSocket-(?:Extensions|Protocol)/im);
      await raw.write(peer.close(1000));
      await raw.until(() => raw.hasEnded);
      expect(performance.now() - from).toBeLessThan(LINEAR);
      raw.end();
    },
  };
}

export const tokens = (count: number): string => Array.from({ length: count }, (_, i) => `v${i}`).join(",");
