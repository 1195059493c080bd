import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificates } from "../test/helpers/certificates.ts";
import { launch } from "./browser.ts";
import { freePort, run, runtimes, type Program } from "./run.ts";
import { serve } from "./static.ts";

let browser: Browser;
let page: Page;
let folder: string;
let site: Awaited<ReturnType<typeof serve>>;
const said: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hybi-peers-"));
  // The certificates are signed by an authority of the tests' own; contexts can be told so, shared workers cannot.
  browser = await launch("--ignore-certificate-errors");
  page = await browser.newPage();
  page.on("pageerror", ({ message }) => said.push(message));
  const html = `<!doctype html><link rel="icon" href="data:," /><script type="module" src="/relay.mjs"></script>`;
  await writeFile(join(folder, "index.html"), html);
  for (const name of ["relay.mjs", "calls.mjs", "socket.mjs"]) await copyFile(`e2e/pages/${name}`, join(folder, name));
  site = await serve(folder);
  await page.goto(site.url);
  await page.waitForSelector("html[data-ready]");
});
afterAll(async () => {
  await browser.close();
  await site.close();
  await rm(folder, { recursive: true });
  expect(said).toEqual([]);
});

/** Calls one of the functions of pages/socket.mjs. */
const call = (...args: unknown[]): Promise<unknown> =>
  page.evaluate((args) => (globalThis as unknown as { call(...args: unknown[]): unknown }).call(...args), args);
const open = (
  url: string,
  subprotocols?: string[],
): Promise<{ number: number; protocol: string; extensions: string }> =>
  call("open", url, ...(subprotocols ? [subprotocols] : [])) as ReturnType<typeof open>;

describe.each(runtimes)("Chromium's own WebSocket and hybi on %s", (runtime) => {
  describe.each(["ws", "wss"] as const)("over %s", (scheme) => {
    const programs: Program[] = [];
    const start = async (options: object): Promise<string> => {
      const tls = scheme === "wss" ? { tls: (({ server }) => server)(await certificates()) } : {};
      const file = join(folder, `${runtime}-${scheme}-${programs.length}.json`);
      await writeFile(file, JSON.stringify({ ...tls, ...options }));
      const program = run(runtime, "e2e/peer.mjs", file);
      programs.push(program);
      const [, port] = await program.printed(/^Listening on (\d+)\n/);
      return `${scheme}://127.0.0.1:${port}/`;
    };
    let plain: string;
    let compressing: string;
    beforeAll(async () => {
      plain = await start({ acceptProtocols: ["v2.chat", "v1.chat"] });
      compressing = await start({ deflate: true });
    });
    afterAll(async () => {
      for (const { child, ended } of programs) {
        child.kill();
        await ended;
      }
    });

    test("text and binary", async () => {
      const { number, protocol, extensions } = await open(plain);
      expect([protocol, extensions]).toEqual(["", ""]);
      for (const message of [
        "Hello",
        "",
        "Grüße, 你好 😀",
        [0, 255, 128],
        [],
        Array.from({ length: 300 }, (_, i) => i % 256),
      ])
        expect(await call("echo", number, message)).toEqual(message);
      expect(await call("close", number, 1000, "done")).toEqual([1000, "done", true]);
    });

    test.each(["plain", "compressing"])("16 MiB of binary, 1 MiB of text, %s", { timeout: 120_000 }, async (which) => {
      const { number } = await open(which === "plain" ? plain : compressing);
      expect(await call("echoMany", number, 1 << 24, false)).toBe(true);
      expect(await call("echoMany", number, 1 << 20, true)).toBe(true);
      expect(await call("close", number, 1000, "")).toEqual([1000, "", true]);
    });

    test.each(["plain", "compressing"])("1,000 small messages in a burst, each way, %s", async (which) => {
      const { number } = await open(which === "plain" ? plain : compressing);
      expect(await call("burst", number, 1000, false)).toBe(true);
      expect(await call("burst", number, 1000, true)).toBe(true);
      expect(await call("close", number, 1000, "")).toEqual([1000, "", true]);
    });

    test("subprotocols: the first of the server's that the page offers, or none", async () => {
      for (const [offered, agreed] of [
        [["v1.chat", "v2.chat"], "v1.chat"],
        [["v3.chat", "v2.chat"], "v2.chat"],
      ] as const)
        expect((await open(plain, [...offered])).protocol).toBe(agreed);
      // Chromium fails a connection whose offers are all passed over (RFC 6455 §4.1 lets it go on).
      expect(await call("refused", plain, ["v9.chat"])).toBe(1006);
    });

    test("close codes, from either side", async () => {
      for (const [code, reason] of [
        [1000, ""],
        [3000, "a library"],
        [4999, "ours: é"],
      ] as const) {
        const { number } = await open(plain);
        expect(await call("close", number, code, reason)).toEqual([code, reason, true]);
        const witness = await open(plain);
        expect(JSON.parse((await call("echo", witness.number, "/closed")) as string)).toEqual([code, reason, true]);
      }
      for (const [code, reason] of [
        [1001, "going"],
        [1011, ""],
        [4000, "théière"],
      ] as const) {
        const { number } = await open(plain);
        expect(await call("close", number, 0, "", `/close ${code} ${reason}`)).toEqual([code, reason, true]);
      }
      const { number } = await open(plain);
      expect(await call("close", number, 0, "", "/terminate")).toEqual([1006, "", false]);
    });

    test("compression, as Chromium offers it", async () => {
      const { number, extensions } = await open(compressing);
      expect(extensions).toMatch(/^permessage-deflate(; client_max_window_bits=\d+)?$/);
      const text = "Again and again, and over again. ".repeat(100);
      for (const message of [text, "short", text, "Größe ".repeat(300)])
        expect(await call("echo", number, message)).toBe(message);
      expect(await call("close", number, 1000, "")).toEqual([1000, "", true]);
    });
  });

  test("nobody is there", async () => {
    expect(await call("refused", `ws://127.0.0.1:${await freePort()}/`)).toBe(1006);
  });
});
