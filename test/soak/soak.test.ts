import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";

const file = "bench/soak.mjs";

/** Runs the soak; answers its exit code, and what it printed. */
async function soak(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill());
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

describe("the soak, for a short time", () => {
  it.concurrent.each(["node", "deno", "bun"])("keeps its rules on %s", { timeout: 120_000 }, async (runtime) => {
    const { code, output } = await soak("--connections", "200", "--minutes", "0.1", "--runtime", runtime);
    expect(code, output).toBe(0);
  });

  it("says what is wrong when it is asked for more connections than there are descriptors", async () => {
    const { code, output } = await soak("--connections", "1000000000");
    expect(code).toBe(1);
    expect(output).toContain("A process may open");
  });
});
