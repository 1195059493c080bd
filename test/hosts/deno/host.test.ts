import { createPrivateKey } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bin, Program } from "../../../e2e/run.ts";
import { certificates } from "../../helpers/certificates.ts";

const file = "test/hosts/deno/programs/host.mjs";
const source = await readFile(file, "utf8");
const names = Array.from(source.matchAll(/^ {2}async "(.*)"\(\)/gm), ([, name]) => name!);

let folder: string;
let pem: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hybi-"));
  const { ca, server, client, unknown } = await certificates();
  const encrypted = createPrivateKey(server.key)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open sesame" })
    .toString();
  await writeFile(join(folder, "ca.pem"), ca);
  pem = JSON.stringify({ ...server, ca, otherKey: client.key, otherCa: unknown.cert, encrypted });
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a program on Deno that must end of its own, and with nothing to say. */
async function passes(...args: string[]): Promise<void> {
  const env = `DENO_CERT=${join(folder, "ca.pem")}`;
  const program = new Program("env", [env, bin("deno"), "run", "--quiet", "--allow-all", ...args], process.cwd());
  onTestFinished(() => void program.child.kill());
  expect(await program.ended).toEqual({ code: 0, stdout: "", stderr: "" });
}

describe("the host for Deno", () => {
  it("has checks", () => expect(names.length).toBeGreaterThan(15));

  it.each(names)("%s", async (name) => {
    await passes(file, name, join(folder, `${names.indexOf(name)}.sock`), pem);
  });
});
