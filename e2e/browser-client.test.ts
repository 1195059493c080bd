import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type * as all from "hybi";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Listening } from "../test/helpers/peers.ts";
import { RawServer, op } from "../test/helpers/raw-peer.ts";
import { next, until } from "../test/helpers/until.ts";
import { freePort } from "./run.ts";
import { Site, ways } from "./site.ts";

/** In the page. */
declare const hybi: typeof all;
declare const inWorker: <R>(name: "evaluate", source: string, argument: unknown) => Promise<R>;

/** What a page keeps from one call to the next. */
interface Watched {
  readonly ws: all.Client;
  readonly events: unknown[];
  readonly closed: Promise<void>;
}

let site: Site;

beforeAll(async () => {
  site = await Site.create("client.mjs");
});
afterAll(() => site.remove());

test("a bundle has no part of Node in it, nor the codec", async () => {
  const assets = join(site.folder("a build of Vite"), "assets");
  const files = (await readdir(assets)).filter((name) => name.endsWith(".js"));
  // The page's, and the shared worker's.
  expect(files).toHaveLength(2);
  for (const file of files) {
    const source = await readFile(join(assets, file), "utf8");
    expect(source).toContain("ERR_UNSUPPORTED");
    expect(source).not.toMatch(/node:|WebAssembly|\bBuffer\b|\bprocess\b|\brequire\b/);
  }
});

describe.each(ways)("hybi's client in Chromium, as %s", (way) => {
  let page: Page;
  let errors: string[];
  let listening: Listening;
  let raw: RawServer;
  beforeAll(async () => {
    listening = await Listening.start({ origins: "any", acceptProtocols: ["v2.chat", "v1.chat"], path: "/" });
    raw = await RawServer.listen();
    ({ page, errors } = await site.open(way));
  });
  afterAll(async () => {
    await page.close();
    await listening[Symbol.asyncDispose]();
    await raw.close();
    expect(errors).toEqual([]);
  });
  let url: string;
  beforeEach(() => {
    url = listening.url;
  });

  /** Has the next connection echo. */
  const echo = async (): Promise<void> => {
    const server = await listening.connection();
    server.on("message", (message) => void server.send(message));
  };

  /** As `page.evaluate`, in a shared worker: for much, as pages/calls.mjs says. */
  const evaluateInWorker = <A, R>(work: (argument: A) => Promise<R>, argument: A): Promise<R> =>
    page.evaluate(([source, argument]) => inWorker<R>("evaluate", source, argument), [String(work), argument] as const);

  test("text, binary, and a close with its code", async () => {
    void echo();
    const result = await page.evaluate(async (url) => {
      const ws = await hybi.connect(url);
      const echoes: unknown[] = [];
      for (const message of ["Hello", "", "Grüße, 你好 😀", Uint8Array.of(0, 255, 128), new Uint8Array(0)]) {
        ws.send(message);
        const echo = await ws.read();
        echoes.push(echo instanceof Uint8Array ? [...echo] : echo);
      }
      return { echoes, info: await ws.close(4000, "théière"), state: ws.readyState };
    }, url);
    expect(result).toEqual({
      echoes: ["Hello", "", "Grüße, 你好 😀", [0, 255, 128], []],
      info: { code: 4000, reason: "théière", wasClean: true },
      state: "closed",
    });
  });

  test("1,000 small messages in order, sent before it is open", async () => {
    void echo();
    const isInOrder = await page.evaluate(async (url) => {
      const ws = new hybi.Client(url);
      for (let i = 0; i < 1000; i++) ws.send(`message ${i}`);
      let count = 0;
      for await (const message of ws) {
        if (message !== `message ${count}`) return false;
        if (++count === 1000) break;
      }
      await ws.close();
      return true;
    }, url);
    expect(isInOrder).toBe(true);
  });

  test("16 MiB", { timeout: 120_000 }, async () => {
    void echo();
    const isSame = await evaluateInWorker(async (url) => {
      const bytes = new Uint8Array(1 << 24).map((_, i) => (i * 31) >> 3);
      const ws = await hybi.connect(url);
      const taken = new Promise((resolve) => ws.send(bytes, { callback: resolve }));
      const echo = (await ws.read()) as Uint8Array;
      const error = await taken;
      await ws.close();
      return error === undefined && echo.length === bytes.length && echo.every((byte, i) => byte === bytes[i]);
    }, url);
    expect(isSame).toBe(true);
  });

  test("subprotocols", async () => {
    const connect = (acceptProtocols: string[]): Promise<string> =>
      page.evaluate(
        async ([url, acceptProtocols]) => {
          try {
            const ws = await hybi.connect(url, { acceptProtocols });
            const { protocol } = ws;
            await ws.close();
            return protocol;
          } catch (error) {
            return (error as { code: string }).code;
          }
        },
        [url, acceptProtocols] as const,
      );
    expect(await connect(["v1.chat", "v2.chat"])).toBe("v1.chat");
    expect(await connect(["v3.chat", "v2.chat"])).toBe("v2.chat");
    expect(await connect(["v9.chat"])).toBe("ERR_CONNECT");
    // The server takes a connection that Chromium then gives up.
    for (let i = 0; i < 3; i++) await listening.connection();
  });

  test.each([
    [1001, "going", true],
    [1011, "", true],
    [4000, "théière", true],
    [1006, "", false],
  ])("a close from the server, with %i", async (code, reason, wasClean) => {
    const ended = page.evaluate(async (url) => {
      const ws = await hybi.connect(url);
      const closed = new Promise((resolve) => ws.once("close", (...args) => resolve(args)));
      return [await closed, ws.wasClean];
    }, url);
    const server = await listening.connection();
    if (wasClean) await server.close(code, reason);
    else server.terminate();
    expect(await ended).toEqual([[code, reason], wasClean]);
  });

  /** What a client that never opens tells: its events, and the code of its error. */
  const failure = (url: string, options: object, abortAfter?: number): Promise<unknown[]> =>
    page.evaluate(
      ([url, options, abortAfter]) => {
        const signal = abortAfter === undefined ? {} : { signal: AbortSignal.timeout(abortAfter) };
        const ws = new hybi.Client(url, { ...options, ...signal });
        const events: unknown[] = [];
        for (const event of ["open", "message"] as const) ws.on(event, () => events.push(event));
        ws.on("error", (error) => events.push((error as Error & { code: string }).code, "status" in error));
        return new Promise<unknown[]>((resolve) => ws.on("close", (code) => resolve([...events, code])));
      },
      [url, options, abortAfter] as const,
    );

  test("a handshake that is refused, or that nobody answers, or in time", async () => {
    expect(await failure(`${url}elsewhere`, {})).toEqual(["ERR_CONNECT", false, 1006]);
    expect(await failure(`ws://127.0.0.1:${await freePort()}/`, {})).toEqual(["ERR_CONNECT", false, 1006]);
    const silent = await RawServer.listen();
    expect(await failure(silent.url, { handshakeTimeout: 100 })).toEqual(["ERR_HANDSHAKE_TIMEOUT", false, 1006]);
    expect(await failure(silent.url, {}, 100)).toEqual(["ERR_ABORTED", false, 1006]);
    expect(await failure(silent.url, {}, 0)).toEqual(["ERR_ABORTED", false, 1006]);
    await silent.close();
  });

  test("a closing handshake that the server does not answer", async () => {
    const ended = page.evaluate(async (url) => {
      const ws = await hybi.connect(url, { closeTimeout: 100 });
      return ws.close(3000);
    }, raw.url);
    const peer = await raw.open();
    expect(await ended).toEqual({ code: 1006, reason: "", wasClean: false });
    expect((await peer.readClose()).code).toBe(3000);
    peer.destroy();
  });

  test("streams", async () => {
    const ended = page.evaluate(async (url) => {
      const ws = await hybi.connect(url);
      const writer = ws.writable.getWriter();
      for (const message of ["One", "Two", "Three"]) await writer.write(message);
      const messages: unknown[] = [];
      const reader = ws.readable.getReader();
      while (messages.length < 3) messages.push((await reader.read()).value);
      await writer.close();
      return [messages, (await reader.read()).done, ws.wasClean];
    }, url);
    const server = await listening.connection();
    await server.readable.pipeTo(server.writable);
    expect(await ended).toEqual([["One", "Two", "Three"], true, true]);
  });

  test("a server that does not read: send answers false, and drain comes when it reads", async () => {
    // More than the buffers on the way take.
    const sent = 48;
    const filled = evaluateInWorker(
      async ([url, sent]) => {
        const ws = await hybi.connect(url);
        ws.send("begin");
        await ws.read();
        let goesOn = true;
        for (let i = 0; i < sent; i++) goesOn = ws.send(new Uint8Array(1 << 20));
        const drained = new Promise((resolve) => ws.once("drain", () => resolve(ws.bufferedAmount)));
        Object.assign(globalThis, { drained, ws });
        return [goesOn, ws.bufferedAmount >= 65_536];
      },
      [url, sent] as const,
    );
    const server = await listening.connection();
    await server.read();
    server.pause();
    server.send("go on");
    expect(await filled).toEqual([false, true]);
    let received = 0;
    server.on("message", () => received++);
    server.resume();
    const [left, info] = await evaluateInWorker(async () => {
      const { drained, ws } = globalThis as unknown as { drained: Promise<number>; ws: all.Client };
      return [await drained, await ws.close()] as const;
    }, undefined);
    expect(left).toBeLessThanOrEqual(32_768);
    expect([info, received]).toEqual([{ code: 1000, reason: "", wasClean: true }, sent]);
  });

  /** A paused client in the page, and the server's side of it. */
  const paused = async (options: object): ReturnType<Listening["connection"]> => {
    await page.evaluate(
      async ([url, options]) => {
        const ws = await hybi.connect(url, options);
        ws.pause();
        const events: unknown[] = [];
        ws.on("message", (message) => events.push(message.length));
        ws.on("error", (error) => events.push((error as Error & { code: string }).code));
        const closed = new Promise<void>((resolve) => ws.on("close", (code) => resolve(void events.push(code))));
        (globalThis as { watched?: Watched }).watched = { ws, events, closed };
      },
      [url, options] as const,
    );
    return listening.connection();
  };
  const events = (): Promise<unknown> => page.evaluate(() => (globalThis as unknown as { watched: Watched }).watched.events); // prettier-ignore

  test("what a page does not take waits there", async () => {
    const server = await paused({});
    for (let i = 0; i < 5; i++) server.send("x".repeat(1000));
    // Chromium answers a Ping once it has what was sent before.
    await new Promise<unknown>((resolve) => server.sendPing("", resolve));
    await server.close(4000);
    expect(await events()).toEqual([]);
    await page.evaluate(async () => {
      const { ws, closed } = (globalThis as unknown as { watched: Watched }).watched;
      ws.resume();
      await closed;
    });
    expect(await events()).toEqual([1000, 1000, 1000, 1000, 1000, 4000]);
  });

  test("but not without a limit", async () => {
    const server = await paused({ maxQueuedBytes: 2000 });
    const closed = next(server, "close");
    for (let i = 0; i < 5; i++) server.send("x".repeat(1000));
    expect((await closed)[0]).toBe(4008);
    await page.evaluate(() => (globalThis as unknown as { watched: Watched }).watched.closed);
    expect(await events()).toEqual(["ERR_SLOW_CONSUMER", 1006]);
  });

  test("a message over maxLength", async () => {
    const ended = page.evaluate(async (url) => {
      const ws = await hybi.connect(url, { maxLength: 10 });
      const errors: unknown[] = [];
      ws.on("error", (error) => errors.push((error as Error & { code: string }).code));
      const closed = new Promise((resolve) => ws.on("close", resolve));
      return [await closed, ...errors];
    }, url);
    const server = await listening.connection();
    const closed = next(server, "close");
    server.send("é".repeat(6));
    expect(await ended).toEqual([1006, "ERR_TOO_LONG"]);
    expect((await closed)[0]).toBe(4009);
  });

  test("a server that breaks the protocol", async () => {
    const ended = page.evaluate(async (url) => {
      const ws = await hybi.connect(url);
      const errors: unknown[] = [];
      ws.on("error", (error) => errors.push((error as Error & { code: string }).code));
      return [await new Promise((resolve) => ws.on("close", resolve)), ...errors];
    }, raw.url);
    const peer = await raw.open();
    peer.send(op.text, "masked");
    expect(await ended).toEqual([1006, "ERR_TRANSPORT"]);
    peer.destroy();
  });

  test("what a page cannot do is said before, and refused", async () => {
    const result = await page.evaluate(async (url) => {
      const codeOf = (work: () => unknown): string => {
        try {
          work();
          return "nothing";
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      const ws = await hybi.connect(url);
      const options: object[] = [
        { additionalHeaders: {} },
        { tls: {} },
        { dial: () => undefined },
        { extensions: [] },
        { codec: {} },
        { heartbeat: { interval: 1000 } },
        { maxFragments: 1 },
      ];
      const refused = [
        ...options.map((given) => codeOf(() => new hybi.Client(url, given))),
        codeOf(() => ws.sendPing()),
        codeOf(() => ws.sendPong()),
        codeOf(() => ws.setHeader("X-Room", "7")),
        codeOf(() => ws.send("", { fin: false })),
        codeOf(() => ws.send("", { type: "ping" })),
        codeOf(() => ws.send("", { compress: true })),
        codeOf(() => void ws.close(1001)),
        codeOf(() => new hybi.Server({ port: 5000 })),
      ];
      const isOpen = ws.readyState === "open";
      await ws.close();
      return { refused: [...new Set(refused)], isOpen, can: Object.values(hybi.capabilities).some((can) => can) };
    }, url);
    expect(result).toEqual({ refused: ["ERR_UNSUPPORTED"], isOpen: true, can: false });
  });

  test("connections leave nothing behind", async () => {
    await until(() => listening.server.connections.size === 0);
  });
});
