import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Program } from "./run.ts";

type Round = Readonly<Record<string, number>>;

interface Kept {
  readonly case: string;
  readonly runtime: string;
  readonly contenders: Readonly<Record<string, { readonly label: string }>>;
  readonly results: Readonly<Record<string, readonly Round[]>>;
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hybi-bench-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the bench as briefly as it goes, and answers what it keeps. */
async function bench(runtime: string, cases: string[]): Promise<Kept[]> {
  const json = join(folder, `${runtime}-${cases.join("-")}.json`);
  const brief = ["--rounds", "1", "--seconds", "0.1", "--connections", "4", "--json", json];
  const which = cases.flatMap((name) => ["--case", name]);
  const program = new Program(process.execPath, ["bench/run.mjs", ...brief, "--runtime", runtime, ...which], ".");
  const { code, stderr } = await program.ended;
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return (JSON.parse(await readFile(json, "utf8")) as { records: Kept[] }).records;
}

/** One round of each of these, of positive figures. */
function measured({ contenders, results }: Kept, names: string[]): void {
  expect(Object.keys(contenders).filter((name) => name !== "uws")).toEqual(names);
  for (const name of names) {
    expect(results[name], name).toHaveLength(1);
    for (const [what, figure] of Object.entries(results[name]![0]!))
      expect(figure, `${what} of ${name}`).toBeGreaterThan(0);
  }
}

describe("the bench runs, however fast", { timeout: 60_000 }, () => {
  const served = ["echo-64", "languages", "broadcast", "handshakes", "tls-64"];

  it("measures every server on Node", async () => {
    const records = await bench("node", served);
    expect(records.map((record) => record.case)).toEqual(served);
    for (const record of records) measured(record, ["hybi", "raw", "ws", "faye", "websocket"]);
  });

  it("measures every client on Node", async () => {
    const [record] = await bench("node", ["client"]);
    measured(record!, ["hybi", "ws", "undici", "global"]);
  });

  it("measures latency at half load on Node", async () => {
    const [record] = await bench("node", ["latency"]);
    measured(record!, ["hybi", "raw", "ws"]);
  });

  it.each([
    ["kept by something else", '{"results":[]}'],
    ["cut off", '{"records":['],
  ])("refuses a file that is %s before it measures, and leaves it as it is", async (_what, text) => {
    const json = join(folder, "other.json");
    await writeFile(json, text);
    for (const script of ["run", "curves"]) {
      const { code, stdout, stderr } = await new Program(process.execPath, [`bench/${script}.mjs`, "--json", json], ".")
        .ended;
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("other.json is not what the bench keeps: give --json another name, or remove the file.");
    }
    expect(await readFile(json, "utf8")).toBe(text);
  });

  it.each(["deno", "bun"])("measures servers and clients on %s", async (runtime) => {
    const [echo, client] = await bench(runtime, ["echo-64", "client"]);
    measured(echo!, ["hybi", "raw", "builtin"]);
    measured(client!, ["hybi", "global"]);
  });
});
