import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Program } from "./run.ts";

// The tarball that npm would publish, installed into an empty folder.
let folder: string;

const run = (command: string, ...args: string[]): Program["ended"] => new Program(command, args, folder).ended;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hybi-package-"));
  const packed = await new Program("npm", ["pack", "--silent", "--pack-destination", folder], process.cwd()).ended;
  expect(packed.code, packed.stderr).toBe(0);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  const install = await run("npm", "install", "--offline", "--silent", `./${packed.stdout.trim()}`);
  expect(install.code, install.stderr).toBe(0);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the package", () => {
  test("brings nothing but itself", async () => {
    const lock = JSON.parse(await readFile(join(folder, "package-lock.json"), "utf8")) as { packages: object };
    expect(Object.keys(lock.packages)).toEqual(["", "node_modules/hybi"]);
  });

  test("all its entries work", async () => {
    await writeFile(
      join(folder, "use.mjs"),
      `import { Server, connect } from "hybi";
       import { isWebSocket, makeClient, makeServer } from "hybi/driver";
       import { defaultCodec } from "hybi/codec";
       const server = new Server({ port: 0, host: "127.0.0.1" });
       server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
       const { port } = await server.listen();
       const ws = await connect("ws://127.0.0.1:" + port);
       ws.send("from " + defaultCodec.build);
       console.log(await ws.read(), typeof isWebSocket, typeof makeClient, typeof makeServer);
       await server.close();`,
    );
    const { code, stdout, stderr } = await run(process.execPath, "use.mjs");
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "from simd function function function\n", stderr: "" });
  });

  test("its types hold in a strict project, and catch mistakes", async () => {
    await writeFile(
      join(folder, "use.ts"),
      `import { Server, connect, type Message } from "hybi";
       import { Decoder } from "hybi/codec";
       import { makeServer } from "hybi/driver";
       const server = new Server({ port: 0, maxLength: 1000 });
       server.on("connection", (ws, request) => {
         ws.on("message", (message) => void ws.send(message satisfies Message));
         ws.on("close", (code, reason) => console.log(code.toFixed(), reason.trim(), request.path.trim()));
       });
       export const first: Promise<string | Uint8Array | undefined> = connect("ws://x").then((ws) => ws.read());
       export { Decoder, makeServer };
       // @ts-expect-error there is no such event
       server.on("conection", () => undefined);
       // @ts-expect-error there is no such option
       new Server({ prot: 5000 });`,
    );
    const options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom"];
    const { code, stdout } = await run(
      process.execPath,
      resolve("node_modules/typescript/bin/tsc"),
      ...options,
      "use.ts",
    );
    expect(stdout).toBe("");
    expect(code).toBe(0);
  });
});
