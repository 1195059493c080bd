import { cp } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { Project } from "./project.ts";
import { Site } from "./site.ts";
import { serve } from "./static.ts";
import { vectors } from "./vectors.ts";

type Kind = keyof typeof vectors;
const kinds = Object.keys(vectors) as Kind[];
let project: Project;
let site: Site;
let browser: Browser;
const servers: Awaited<ReturnType<typeof serve>>[] = [];

beforeAll(async () => {
  [project, browser] = await Promise.all([Project.create(), launch()]);
  for (const kind of kinds) await project.write(`public/vectors/${kind}.json`, JSON.stringify(vectors[kind]));
  site = await Site.write(project, "e2e/pages/main.mjs");
  await vite.build({
    root: project.folder,
    configFile: false,
    logLevel: "silent",
    // Workers are modules here, as they are in browsers of today.
    worker: { format: "es" },
    build: { outDir: "vite", modulePreload: false },
  });
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await browser.close();
  await project.remove();
});

/** The page without a bundler, which serves the vectors from where Vite puts them. */
async function plainFolder(): Promise<string> {
  await cp(`${project.folder}/public`, project.folder, { recursive: true });
  return site.plain();
}

const folders = { "plain modules": plainFolder, "a build of Vite": () => Promise.resolve(`${project.folder}/vite`) };
type Thread = "here" | "inWorker";

/** A page that has loaded, and what it says on its console. */
async function open(folder: string, policy?: string): Promise<{ page: Page; said: string[] }> {
  const server = await serve(folder, policy);
  servers.push(server);
  const page = await browser.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  await page.goto(server.url);
  await page.waitForSelector("html[data-ready]");
  return { page, said };
}

const call = (page: Page, thread: Thread, ...args: unknown[]): Promise<unknown> =>
  page.evaluate(
    ([thread, args]) => (globalThis as unknown as { hybi: Record<Thread, (...args: unknown[]) => unknown> }).hybi[thread](...args), // prettier-ignore
    [thread, args] as const,
  );

const passes = (kind: Kind, builds: readonly [string, string]): unknown => ({
  builds,
  count: vectors[kind].length,
  failures: [],
});

describe.each(Object.keys(folders) as (keyof typeof folders)[])("in Chromium, as %s", (how) => {
  let page: Page;
  let said: string[];
  beforeAll(async () => {
    ({ page, said } = await open(await folders[how]()));
  });
  afterAll(async () => {
    await page.close();
    expect(said).toEqual([]);
  });

  describe.each(["here", "inWorker"] as const)("%s", (thread) => {
    test("SIMD and WebAssembly are chosen", async () => {
      expect(await call(page, thread, "builds")).toEqual(["simd", "wasm"]);
    });

    describe.each(["simd", "scalar", "javascript"] as const)("%s", (build) => {
      test.each(kinds)("%s", async (kind) => {
        const module = build === "javascript" ? "javascript" : "wasm";
        expect(await call(page, thread, "check", kind, build)).toEqual(passes(kind, [build, module]));
      });
    });
  });
});

describe("under a policy without 'wasm-unsafe-eval'", () => {
  let page: Page;
  beforeAll(async () => {
    ({ page } = await open(await plainFolder(), "default-src 'self'; img-src data:"));
  });
  afterAll(() => page.close());

  describe.each(["here", "inWorker"] as const)("%s", (thread) => {
    test("JavaScript is chosen, and the others are refused by name", async () => {
      expect(await call(page, thread, "builds")).toEqual(["javascript", "javascript"]);
      for (const build of ["simd", "scalar"]) expect(await call(page, thread, "refusal", build)).toBe("ERR_CODEC");
    });

    test.each(kinds)("%s", async (kind) => {
      expect(await call(page, thread, "check", kind)).toEqual(passes(kind, ["javascript", "javascript"]));
    });
  });
});

test("under one with it, the policy says nothing against SIMD", async () => {
  const { page, said } = await open(
    await plainFolder(),
    "default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'",
  );
  expect(await call(page, "here", "builds")).toEqual(["simd", "wasm"]);
  expect(said).toEqual([]);
  await page.close();
});
