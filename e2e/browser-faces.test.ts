import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Server } from "hybi";
import { permessageDeflate } from "hybi/deflate";
import { Site, ways } from "./site.ts";

type Whose = "own" | "hybi";
/** In the page. */
declare const faces: { use(name: string, whose: Whose, url: string): Promise<unknown> };

let site: Site;
let server: Server;
let url: string;
beforeAll(async () => {
  const extensions = [permessageDeflate()];
  server = new Server({
    port: 0,
    host: "127.0.0.1",
    path: "/",
    origins: "any",
    acceptProtocols: ["v1.chat"],
    extensions,
  });
  server.on("connection", (ws) =>
    ws.on("message", (message) => {
      const [, how] = /^\/close (\w+)$/.exec(String(message)) ?? [];
      if (how === undefined) ws.send(message);
      else if (how === "terminate") ws.terminate();
      else void ws.close(how === "nothing" ? undefined : Number(how), how === "nothing" ? "" : "done");
    }),
  );
  const { port } = (await server.listen()) as { port: number };
  url = `ws://127.0.0.1:${port}/`;
  site = await Site.create("faces.mjs");
});
afterAll(async () => {
  await site.remove();
  await server.close();
});

describe.each(ways)("the standard's faces in Chromium, as %s", (way) => {
  let page: Page;
  let errors: string[];
  beforeAll(async () => {
    ({ page, errors } = await site.open(way));
  });
  afterAll(async () => {
    await page.close();
    expect(errors).toEqual([]);
  });
  const use = (name: string, whose: Whose): Promise<unknown> =>
    page.evaluate(([name, whose, url]) => faces.use(name, whose, url), [name, whose, url] as const);

  test.each(["messages", "endings", "closing", "failing", "making", "streams", "streamEndings"])(
    "%s: as the browser has them",
    async (name) => {
      const own = await use(name, "own");
      expect(await use(name, "hybi")).toEqual(own);
    },
  );
});
