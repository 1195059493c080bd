import { afterEach, describe, expect, it } from "vitest";
import { run, type Program } from "../../../e2e/run.ts";

let program: Program | undefined;
afterEach(() => void program?.child.kill());

describe("the host for Bun, in programs of Bun's that end by themselves", () => {
  it.each(["sockets", "hosting", "text"])("%s", async (name) => {
    program = run("bun", `test/hosts/bun/programs/${name}.ts`, process.execPath);
    const { code, stdout, stderr } = await program.ended;
    const lines = stdout.trim().split("\n");
    expect({ failed: lines.filter((line) => !line.startsWith("ok ")), stderr, code }).toEqual({
      failed: [expect.stringMatching(/^all \d+ done$/)],
      stderr: "",
      code: 0,
    });
  });
});
