import { afterAll, beforeAll, describe, it } from "vitest";
import { certificates } from "../helpers/certificates.ts";
import type { RuntimeName } from "../conformance/runtimes.ts";
import { Arena, type Table } from "./arena.ts";
import { rows, type TableName } from "./rows.ts";
import { tables } from "./tables.ts";

/** Attacks hybi on a runtime in all the ways of the tables, and sees after each that it stands. */
export function attackOn(name: RuntimeName): void {
  let arena: Arena;
  beforeAll(async () => {
    arena = await Arena.start(name, (await certificates()).server);
  });
  afterAll(() => arena.stop());

  describe.each(Object.keys(rows) as TableName[])("%s", (title) => {
    const table = tables[title] as Table<string>;
    describe.each(rows[title])("%s", (row) => {
      it.each(table[row]!)("$name", async ({ play, complaint }) => {
        arena.begin();
        await play(arena);
        await arena.check(complaint);
      });
    });
  });
}
