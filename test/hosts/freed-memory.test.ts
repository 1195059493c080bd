import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { buildSync } from "esbuild";
import { expect, it } from "vitest";
import { keepFreedMemory } from "../../src/hosts/freed-memory.ts";

const run = promisify(execFile);

/** Only glibc's version is in the report. */
const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;

/** As a bundler leaves it, which may think that an allocation is of no use. */
const bundled = buildSync({
  entryPoints: [new URL("../../src/hosts/freed-memory.ts", import.meta.url).pathname],
  format: "esm",
  minify: true,
  bundle: true,
  write: false,
}).outputFiles[0]!.text;

/** Bytes that a process gives back to the system when it frees 16 MiB, after a large read. */
async function givenBack(): Promise<number> {
  const program = `
    const { keepFreedMemory } = await import("data:text/javascript," + encodeURIComponent(${JSON.stringify(bundled)}));
    const { arrayBuffers } = process.memoryUsage();
    const collect = async () => {
      do {
        gc();
        await new Promise(setImmediate);
      } while (process.memoryUsage().arrayBuffers > arrayBuffers + 1e6);
    };
    keepFreedMemory(16384);
    await collect();
    let messages = Array.from({ length: 256 }, () => new Uint8Array(65_536).fill(1));
    const before = process.memoryUsage.rss();
    messages = undefined;
    await collect();
    console.log(before - process.memoryUsage.rss());
  `;
  const { stdout } = await run(process.execPath, ["--expose-gc", "--input-type=module", "--eval", program]);
  return Number(stdout);
}

it("allocates once, at the first read of 16 KiB", () => {
  const allocated = (read: number): number => {
    const { arrayBuffers } = process.memoryUsage();
    keepFreedMemory(read);
    return process.memoryUsage().arrayBuffers - arrayBuffers;
  };
  expect(allocated(16_383)).toBe(0);
  expect(allocated(16_384)).toBe(2 ** 25 - 8192);
  expect(allocated(16_384)).toBe(0);
});

it.runIf(glibcVersionRuntime)("has glibc keep what is freed", async () => {
  // Without it, what happens to lie at the end of the heap may keep it once, but not three times.
  for (let i = 0; i < 3; i++) expect(await givenBack()).toBeLessThan(2 ** 23);
});
