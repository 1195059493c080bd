import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Site, ways } from "./site.ts";
import { kinds, kindsFor, vectors, type Kind } from "./vectors.ts";

type Thread = "here" | "inWorker";
let site: Site;

beforeAll(async () => {
  const assets = kinds.map((kind) => [`vectors/${kind}.json`, JSON.stringify(vectors[kind])] as const);
  site = await Site.create("main.mjs", Object.fromEntries(assets));
});
afterAll(() => site.remove());

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

describe.each(ways)("in Chromium, as %s", (way) => {
  let page: Page;
  let said: string[];
  let errors: string[];
  beforeAll(async () => {
    ({ page, said, errors } = await site.open(way));
  });
  afterAll(async () => {
    await page.close();
    expect([...said, ...errors]).toEqual([]);
  });

  describe.each(["here", "inWorker"] as const)("%s", (thread) => {
    test("SIMD and WebAssembly are chosen", async () => {
      expect(await call(page, thread, "builds")).toEqual(["simd", "wasm"]);
    });

    describe.each(["simd", "scalar", "javascript"] as const)("%s", (build) => {
      const isElsewhere =
        build !== "simd" && (thread === "inWorker" || (build === "scalar" && way !== "plain modules"));
      test.each(kindsFor(isElsewhere))("%s", async (kind) => {
        const module = build === "javascript" ? "javascript" : "wasm";
        expect(await call(page, thread, "check", kind, build)).toEqual(passes(kind, [build, module]));
      });
    });
  });
});

describe("under a policy without 'wasm-unsafe-eval'", () => {
  let page: Page;
  beforeAll(async () => {
    ({ page } = await site.open("plain modules", "default-src 'self'; img-src data:"));
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
  const policy = "default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'";
  const { page, said, errors } = await site.open("plain modules", policy);
  expect(await call(page, "here", "builds")).toEqual(["simd", "wasm"]);
  expect([...said, ...errors]).toEqual([]);
  await page.close();
});
