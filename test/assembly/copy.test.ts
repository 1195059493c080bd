import { describe, expect, it } from "vitest";
import { OUTBOX, WINDOW, WINDOW_SIZE } from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";
import { equal, noise } from "../helpers/bytes.ts";

describe.each(builds)("copy, $name", ({ exports: { copy }, memory }) => {
  it("copies every length, from and to every alignment, and touches nothing around it", () => {
    const margin = 32;
    const wrong: string[] = [];
    for (let length = 0; length <= 100; length++) {
      const source = noise(length, length + 1);
      const before = noise(margin + 16 + length + margin, length);
      for (let from = 0; from < 16; from++) {
        memory.set(source, WINDOW + from);
        for (let to = 0; to < 16; to++) {
          memory.set(before, OUTBOX);
          copy(OUTBOX + margin + to, WINDOW + from, length);
          const after = before.slice();
          after.set(source, margin + to);
          if (!equal(memory.subarray(OUTBOX, OUTBOX + after.length), after))
            wrong.push(`length ${length}, from ${from}, to ${to}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("copies half of the window", () => {
    const source = noise(WINDOW_SIZE / 2);
    memory.set(source, WINDOW + 1);
    copy(OUTBOX, WINDOW + 1, source.length);
    expect(equal(memory.subarray(OUTBOX, OUTBOX + source.length), source)).toBe(true);
  });
});
