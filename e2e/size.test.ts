import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { loadedBy } from "./loaded.ts";

/** Kibibytes after gzip, of an entry with all that it loads: what a user downloads, or a server parses at start. */
const budgets: readonly (readonly [file: string, most: number])[] = [
  ["dist/node/index.js", 42.5],
  ["dist/node/index.cjs", 42.5],
  ["dist/deno/index.js", 43.5],
  ["dist/bun/index.js", 43],
  ["dist/workerd/index.js", 40.5],
  ["dist/streams/index.js", 39.5],
  ["dist/browser/index.js", 14],
  ["dist/browser/index.cjs", 14],
  ["dist/browser/websocket.js", 16],
  ["dist/browser/websocket.cjs", 16],
  ["dist/browser/websocketstream.js", 16],
  ["dist/browser/websocketstream.cjs", 16],
  ["dist/streams/streams.js", 39.5],
  ...["node", "deno", "bun", "workerd", "streams"].map((runtime) => [`dist/${runtime}/codec.js`, 14.5] as const),
  ["dist/node/codec.cjs", 14.5],
  ...["node", "deno", "bun", "workerd", "streams"].map((runtime) => [`dist/${runtime}/deflate.js`, 24] as const),
  ...["node", "deno", "bun", "workerd", "streams"].flatMap((runtime) => [
    [`dist/${runtime}/websocket.js`, 46.5] as const,
    [`dist/${runtime}/websocketstream.js`, 46.5] as const,
  ]),
  ["dist/node/websocket.cjs", 46.5],
  ["dist/node/websocketstream.cjs", 46.5],
  ["dist/streams/websocket.cjs", 46.5],
  ["dist/streams/websocketstream.cjs", 46.5],
  ["dist/node/deflate.cjs", 24],
  ["dist/streams/deflate.cjs", 24],
  ["dist/streams/codec.cjs", 14.5],
];

test("the module of DEFLATE is at most 16 KB after gzip", async () => {
  expect(gzipSync(await readFile("build/deflate/wasm.wasm"), { level: 9 }).length).toBeLessThanOrEqual(16 * 1024);
  // As it is embedded, too.
  expect(gzipSync(await readFile("build/deflate/wasm.js"), { level: 9 }).length).toBeLessThanOrEqual(16 * 1024);
});

describe("the size after gzip", () => {
  const lines: string[] = [];
  afterAll(() => console.log(lines.join("\n")));

  test.each(budgets)("of %s is at most %s KB", async (file, most) => {
    const { files } = await loadedBy(file);
    const text = (await Promise.all(files.map((name) => readFile(name, "utf8")))).join("\n");
    const size = gzipSync(text, { level: 9 }).length / 1024;
    lines.push(`${file}: ${size.toFixed(1)} KB of ${most}, ${(text.length / 1024).toFixed(1)} KB before`);
    expect(size).toBeLessThanOrEqual(most);
  });
});
