import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, type TestContext } from "vitest";

/** Runs a command; answers its exit code, and what it printed. */
async function run(
  { onTestFinished }: TestContext,
  command: string,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill());
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

describe("the soak, for a short time", () => {
  // They wait for timeouts most of the time.
  it.concurrent.for(["node", "deno", "bun"])(
    "keeps its rules on %s",
    { timeout: 120_000 },
    async (runtime, context) => {
      // So short a run sees a runtime that still grows into its memory: a leak of all that is sent would be far more.
      const options = ["--connections", "200", "--minutes", "0.1", "--runtime", runtime, "--slack", "64"];
      const { code, output } = await run(context, process.execPath, "bench/soak.mjs", ...options);
      expect(code, output).toBe(0);
    },
  );

  it("says what is wrong when it is asked for more connections than there are descriptors", async (context) => {
    const limited = 'ulimit -n 500 && exec "$0" bench/soak.mjs --connections 1000';
    const { code, output } = await run(context, "/bin/sh", "-c", limited, process.execPath);
    expect(code).toBe(1);
    expect(output).toContain("A process may open 500 files here at the most, and the server needs 1400");
  });
});
