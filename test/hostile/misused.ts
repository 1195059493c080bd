import { expect } from "vitest";
import type { Misuse } from "../conformance/agent/misuse.mjs";
import type { Arena, Attack } from "./arena.ts";

/** Each of these throws as it says, and nobody is dialed. */
export const misused = (name: string, all: readonly Misuse[]): Attack => ({
  name,
  async play(arena: Arena): Promise<void> {
    const key = arena.newKey();
    const url = arena.clients.url(key);
    const thrown = await Promise.all(all.map(async ({ name }) => [name, await arena.agent.refusal(name, url)]));
    expect(Object.fromEntries(thrown)).toEqual(Object.fromEntries(all.map(({ name, throws }) => [name, throws])));
    await arena.check();
    expect(arena.clients.has(key)).toBe(false);
  },
});
