// How long the output is, beside zlib's.
import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { kinds, messages } from "../../bench/corpus.mjs";
import { Deflater, deflate } from "../../src/deflate/deflater.ts";
import { concat, splitAt } from "../helpers/bytes.ts";
import { zlibLength } from "../helpers/deflating.ts";

const limits = [
  { level: 6, most: 1.05 },
  { level: 1, most: 1.1 },
];

describe.each(limits)("level $level takes at most $most times as much as zlib", ({ level, most }) => {
  it("for files of every kind", () => {
    let [ours, zlibs] = [0, 0];
    for (const make of Object.values(kinds)) {
      for (const length of [100, 1000, 10_000, 100_000, 1_000_000]) {
        const bytes = make(length, 12);
        ours += deflate(bytes, { level }).length;
        zlibs += deflateRawSync(bytes, { level }).length;
      }
    }
    expect(ours / zlibs).toBeLessThanOrEqual(most);
  });

  it("for files of 1 KiB", () => {
    let [ours, zlibs] = [0, 0];
    for (const make of Object.values(kinds)) {
      for (let seed = 1; seed < 20; seed++) {
        const bytes = make(1024, seed);
        ours += deflate(bytes, { level }).length;
        zlibs += deflateRawSync(bytes, { level }).length;
      }
    }
    expect(ours / zlibs).toBeLessThanOrEqual(most);
  });

  it.each(["mixed", "chat", "ticker", "prose", "html", "records"] as const)(
    "for a log of messages: %s",
    async (kind) => {
      const all = kind === "mixed" ? concat(...messages(400, 3)) : kinds[kind](400_000, 5);
      const places = Array.from({ length: 399 }, (_, i) => (i + 1) * Math.floor(all.length / 400));
      const log = kind === "mixed" ? messages(400, 3) : splitAt(all, places);
      const deflater = new Deflater({ level });
      const ours = log.reduce((length, message) => length + deflater.fragment(message, true).length, 0);
      expect(ours / (await zlibLength(log, level))).toBeLessThanOrEqual(most);
    },
  );
});
