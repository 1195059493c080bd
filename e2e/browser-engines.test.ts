import type * as all from "hybi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Listening } from "../test/helpers/peers.ts";
import { next } from "../test/helpers/until.ts";
import type { Driven } from "./driven.ts";
import { Comparison, usesOf, type Use } from "./faces.ts";
import { Firefox, firefoxProgram } from "./firefox.ts";
import { Project } from "./project.ts";
import { PageFiles } from "./page-files.ts";
import { serve } from "./static.ts";
import { kinds, kindsFor, vectors } from "./vectors.ts";
import { WebKit, webkitPrograms } from "./webkit.ts";

/** In the page. */
declare const hybi: typeof all & Record<"here" | "inWorker", (...args: unknown[]) => Promise<unknown>>;
declare const faces: { use(...use: Use): Promise<unknown> };

declare const document: { readonly documentElement: { readonly dataset: { readonly ready?: string } } };
declare const location: { readonly href: string };

/** Loads a page, and waits until its modules have run. */
async function open(browser: Driven, url: string): Promise<void> {
  await browser.open(url);
  await browser.evaluate(
    (url) =>
      new Promise<void>((resolve) => {
        const look = (): unknown =>
          location.href === url && document.documentElement.dataset.ready === "" ? resolve() : setTimeout(look, 10);
        look();
      }),
    url,
  );
}

/** Browsers that Playwright cannot drive as they are installed: those that are there, and how one gets the others. */
const engines = {
  Firefox: { isThere: firefoxProgram !== undefined, launch: () => Firefox.launch(), packages: "firefox-esr" },
  WebKit: { isThere: webkitPrograms !== undefined, launch: () => WebKit.launch(), packages: "webkit2gtk-driver xvfb" },
};
const names = Object.keys(engines) as (keyof typeof engines)[];

let project: Project | undefined;
let server: Awaited<ReturnType<typeof serve>> | undefined;
beforeAll(async () => {
  if (!names.some((name) => engines[name].isThere)) return;
  project = await Project.create();
  for (const kind of kinds) await project.write(`vectors/${kind}.json`, JSON.stringify(vectors[kind]));
  for (const [main, page] of [
    ["main.mjs", "index.html"],
    ["client.mjs", "client.html"],
    ["faces.mjs", "faces.html"],
  ] as const) {
    const files = await PageFiles.write(project, main, page);
    await files.resolve();
  }
  server = await serve(project.folder);
});
afterAll(async () => {
  await server?.close();
  await project?.remove();
});

describe.each(names)("in %s", (name) => {
  const { isThere, launch, packages } = engines[name];
  if (!isThere) {
    test("is not installed", ({ skip }) => skip(`There is no ${name}: apt-get install ${packages}.`));
    return;
  }
  let browser: Driven;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  describe("the package", () => {
    beforeAll(() => open(browser, server!.url));

    describe.each(["here", "inWorker"] as const)("%s", (thread) => {
      const call = (...args: unknown[]): Promise<unknown> =>
        browser.evaluate((thread, args) => hybi[thread](...args), thread, args);

      test("SIMD and WebAssembly are chosen", async () => {
        expect(await call("builds")).toEqual(["simd", "wasm"]);
      });

      describe.each(["simd", "scalar", "javascript"] as const)("%s", (build) => {
        test.each(kindsFor(thread === "inWorker" && build !== "simd"))("%s", { timeout: 120_000 }, async (kind) => {
          const builds = [build, build === "javascript" ? "javascript" : "wasm"];
          expect(await call("check", kind, build)).toEqual({ builds, count: vectors[kind].length, failures: [] });
        });
      });
    });
  });

  describe("the standard's WebSocket", () => {
    let comparison: Comparison;
    beforeAll(async () => {
      comparison = await Comparison.start();
      await open(browser, `${server!.url}faces.html`);
    });
    afterAll(() => comparison.close());
    const inPage = (use: Use): Promise<unknown> => browser.evaluate((...use) => faces.use(...use), ...use);

    test.each(usesOf(name))("%s: as the browser has it", async (use) => {
      expect(await comparison.differences(inPage, use, name)).toEqual([]);
    });
  });

  describe("the client", () => {
    let listening: Listening;
    beforeAll(async () => {
      listening = await Listening.start({ origins: "any", acceptProtocols: ["v1.chat"], path: "/" });
      await open(browser, `${server!.url}client.html`);
    });
    afterAll(() => listening[Symbol.asyncDispose]());

    test("echo, and a close with its code", async () => {
      const connected = listening.connection().then((one) => one.on("message", (message) => void one.send(message)));
      const ended = browser.evaluate(async (url) => {
        const ws = await hybi.connect(url, { acceptProtocols: ["v2.chat", "v1.chat"] });
        const echoes: unknown[] = [];
        for (const message of ["Hello", "", "Grüße, 你好 😀", Uint8Array.of(0, 255, 128), new Uint8Array(0)]) {
          ws.send(message);
          const echo = await ws.read();
          echoes.push(echo instanceof Uint8Array ? [...echo] : echo);
        }
        const bytes = new Uint8Array(1 << 20).map((_, i) => (i * 31) >> 3);
        ws.send(bytes);
        const echo = (await ws.read()) as Uint8Array;
        const isSame = echo.length === bytes.length && echo.every((byte, i) => byte === bytes[i]);
        return { protocol: ws.protocol, echoes, isSame, info: await ws.close(4000, "théière"), state: ws.readyState };
      }, listening.url);
      const closed = connected.then((one) => next(one, "close"));
      expect(await ended).toEqual({
        protocol: "v1.chat",
        echoes: ["Hello", "", "Grüße, 你好 😀", [0, 255, 128], []],
        isSame: true,
        info: { code: 4000, reason: "théière", wasClean: true },
        state: "closed",
      });
      expect(await closed).toEqual([4000, "théière"]);
    });

    test("a close from the server", async () => {
      const ended = browser.evaluate(async (url) => {
        const ws = await hybi.connect(url);
        const closed = new Promise<unknown[]>((resolve) => ws.once("close", (...args) => resolve(args)));
        return [...(await closed), ws.wasClean];
      }, listening.url);
      const one = await listening.connection();
      await one.close(1001, "going");
      expect(await ended).toEqual([1001, "going", true]);
    });

    test("a message over maxLength", async () => {
      const ended = browser.evaluate(async (url) => {
        const ws = await hybi.connect(url, { maxLength: 10 });
        const errors: unknown[] = [];
        ws.on("error", (error) => errors.push((error as Error & { code: string }).code));
        return [await new Promise((resolve) => ws.on("close", resolve)), ...errors];
      }, listening.url);
      const one = await listening.connection();
      const closed = next(one, "close");
      one.send("é".repeat(6));
      expect(await ended).toEqual([1006, "ERR_TOO_LONG"]);
      expect((await closed)[0]).toBe(4009);
    });

    test("a server that refuses", async () => {
      const code = await browser.evaluate(
        (url) => hybi.connect(url).catch((error: unknown) => (error as { code: string }).code),
        `${listening.url}elsewhere`,
      );
      expect(code).toBe("ERR_CONNECT");
    });
  });
});
