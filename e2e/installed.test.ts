import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { everything, saysEverything } from "./programs.ts";
import { bin, ended, majors, nodeOf, Project } from "./project.ts";
import { echoOfWorkerd, worker } from "./workerd.ts";

let project: Project;
beforeAll(async () => {
  project = await Project.create();
  await project.write("echo.mjs", everything.esm);
  await project.write("echo.cjs", everything.cjs);
  await project.write("npm.mjs", everything.esm.replaceAll('from "hybi', 'from "npm:hybi'));
});
afterAll(() => project.remove());

test("the package brings nothing but itself", async () => {
  const lock = JSON.parse(await readFile(join(project.folder, "package-lock.json"), "utf8")) as { packages: object };
  expect(Object.keys(lock.packages)).toEqual(["", "node_modules/hybi"]);
});

describe.each(majors)("on Node %d", (major) => {
  let node: string;
  beforeAll(async () => {
    node = await nodeOf(major);
  }, 120_000);

  test.each(["echo.mjs", "echo.cjs"])("%s", async (file) => {
    expect(await project.run(node, file)).toEqual(ended(saysEverything()));
  });
});

describe("on Deno", () => {
  const deno = (...args: string[]): ReturnType<Project["run"]> =>
    project.run(bin("deno"), "run", "--no-prompt", "--no-remote", "--allow-net=127.0.0.1", ...args);

  test("by the dependency of package.json", async () => {
    expect(await deno("echo.mjs")).toEqual(ended(saysEverything()));
  });

  test("by npm: specifiers and a node_modules folder of one's own", async () => {
    expect(await deno("--node-modules-dir=manual", "npm.mjs")).toEqual(ended(saysEverything()));
  });

  test("by require", async () => {
    // CommonJS gets the build for Node there, and its loader looks around in the file system.
    expect(await deno("--allow-read=.", "echo.cjs")).toEqual(ended(saysEverything()));
  });
});

describe("on Bun", () => {
  test.each(["echo.mjs", "echo.cjs"])("%s", async (file) => {
    expect(await project.run(bin("bun"), file)).toEqual(ended(saysEverything()));
  });
});

describe("on workerd, by the files of the package", () => {
  const shared = ["shared/codec.js", "shared/common.js"];
  const driven = ["shared/driver.js", ...shared];
  const modules = (folder: string, files: string[]): Record<string, string> =>
    Object.fromEntries(files.map((file) => [`${folder}/${file}`, `node_modules/hybi/dist/${folder}/${file}`]));

  test("its own", async () => {
    await project.write("worker.mjs", worker("workerd/index.js"));
    const files = modules("workerd", ["index.js", "deflate.js", ...driven]);
    expect(await echoOfWorkerd(project, { worker: "worker.mjs", ...files })).toBe("Hi");
  });

  test("those of hybi/streams, with the codec of its own", async () => {
    await project.write("streaming.mjs", worker("streams/streams.js", "workerd/codec.js"));
    const files = {
      ...modules("streams", ["streams.js", "index.js", ...driven]),
      ...modules("workerd", ["codec.js", ...shared]),
    };
    expect(await echoOfWorkerd(project, { worker: "streaming.mjs", ...files })).toBe("Hi");
  });
});
