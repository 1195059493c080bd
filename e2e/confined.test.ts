import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { everything, saysEverything, saysWithoutEvents, withoutEvents } from "./programs.ts";
import { ended, majors, nodeOf, Project } from "./project.ts";

let project: Project;
beforeAll(async () => {
  project = await Project.create();
  await project.write("echo.mjs", everything.esm);
  await project.write("eventless.mjs", withoutEvents);
  await project.write("workers.mjs", workers);
  await project.write("deflate.mjs", deflating);
});
afterAll(() => project.remove());

const deflating = `
  import { DeflateModule, deflate, inflate } from "hybi/deflate";
  console.log(new DeflateModule().build, inflate(deflate(new Uint8Array(100_000))).length);
`;

/** Each of several workers serves; the main thread is the client of all. */
const workers = `
  import { Worker, isMainThread, parentPort } from "node:worker_threads";
  import { Server, connect } from "hybi";
  import { defaultCodec } from "hybi/codec";
  if (isMainThread) {
    const threads = Array.from({ length: 4 }, () => new Worker(new URL(import.meta.url)));
    const ports = await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once("message", resolve))));
    const clients = await Promise.all(ports.map((port) => connect("ws://127.0.0.1:" + port)));
    for (const [i, ws] of clients.entries()) ws.send("Hi " + i);
    for (const ws of clients) console.log(await ws.read());
    for (const ws of clients) await ws.close();
    for (const thread of threads) await thread.terminate();
  } else {
    const server = new Server({ port: 0, host: "127.0.0.1" });
    server.on("connection", (ws) => ws.on("message", (message) => ws.send(message + " from " + defaultCodec.build)));
    parentPort.postMessage((await server.listen()).port);
  }
`;

describe.each(majors)("Node %d", (major) => {
  let node: string;
  beforeAll(async () => {
    node = await nodeOf(major);
  }, 120_000);

  test("without a compiler, which means without WebAssembly", async () => {
    const { code, stdout, stderr } = await project.run(node, "--jitless", "eventless.mjs");
    expect({ code, stdout }).toEqual({ code: 0, stdout: saysWithoutEvents("javascript") });
    expect(stderr).toMatch(/^(Warning: disabling flag --expose_wasm due to conflicting flags\n)?$/);
    expect(await project.run(node, "--jitless", "deflate.mjs")).toMatchObject({
      code: 0,
      stdout: "javascript 100000\n",
    });
  });

  test("with no permission but to read its files, and to use the network where that needs one", async () => {
    const flags = major < 22 ? ["--experimental-permission"] : ["--permission"];
    if (major >= 26) flags.push("--allow-net");
    const { code, stdout } = await project.run(node, ...flags, `--allow-fs-read=${project.folder}/*`, "echo.mjs");
    expect({ code, stdout }).toEqual({ code: 0, stdout: saysEverything() });
  });

  test("with servers in several workers", async () => {
    const said = [0, 1, 2, 3].map((i) => `Hi ${i} from simd\n`).join("");
    expect(await project.run(node, "workers.mjs")).toEqual(ended(said));
  });

  test("with frozen intrinsics, and no code from strings", async () => {
    const flags = ["--no-warnings", "--frozen-intrinsics", "--disallow-code-generation-from-strings"];
    expect(await project.run(node, ...flags, "echo.mjs")).toEqual(ended(saysEverything()));
  });

  test("in an address space that has no room for the reservations of WebAssembly", async () => {
    const run = `ulimit -v 4000000 && exec "$0" eventless.mjs`;
    const { code, stdout, stderr } = await project.run("bash", "-c", run, node);
    // A younger V8 does without the reservation, and with it the fast build.
    const build = /codec Hi (\w+)/.exec(stdout)?.[1] ?? "none";
    expect(["simd", "javascript"]).toContain(build);
    if (major === 20) expect(build).toBe("javascript");
    expect({ code, stdout, stderr }).toEqual(ended(saysWithoutEvents(build)));
  });
});

test("on a processor without the instructions for SIMD", async () => {
  const build = process.arch === "x64" ? "scalar" : "simd"; // the flag has a meaning on x64 alone
  expect(await project.run(await nodeOf(20), "--no-enable-sse4-1", "echo.mjs")).toEqual(ended(saysEverything(build)));
});
