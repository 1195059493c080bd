import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { MemoryWatch, memoryOf } from "../conformance/memory.ts";
import { until } from "../helpers/until.ts";

const helper = join(import.meta.dirname, "../helpers/ends-with-us.mjs");

/** Starts a process that would last, with its end tied to its own, and says which. */
const program = `
  import { spawn } from "node:child_process";
  import { endsWithUs } from ${JSON.stringify(helper)};
  const child = spawn("sleep", ["60"]);
  endsWithUs(child);
  console.log(child.pid);
`;

describe("a process that the tests have started", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)("ends when who started it is ended by %s", async (signal) => {
    const starter = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(starter.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(memoryOf(pid)).toBeGreaterThan(0);
    starter.kill(signal);
    await until(() => memoryOf(pid) === undefined);
  });

  it("may end while its memory is watched", async () => {
    const child = spawn("sleep", ["60"]);
    onTestFinished(() => void child.kill("SIGKILL"));
    using memory = new MemoryWatch(child.pid!);
    expect(memory.growth).toBeGreaterThanOrEqual(0);
    child.kill("SIGKILL");
    await once(child, "exit");
    // Several of its looks: what one of them throws fails the run.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(() => memory.growth).toThrow("no process");
    expect(() => new MemoryWatch(child.pid!)).toThrow("no process");
  });
});
