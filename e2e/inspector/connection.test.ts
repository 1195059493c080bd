import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Server } from "hybi";
import { freePort, run, runtimes, type Program } from "../run.ts";
import { Inspector, hello } from "./inspector.ts";

const inspector = Inspector.forTests();
let page: Page;

describe("a connection", () => {
  beforeEach(async () => {
    page = await inspector.load();
  });

  async function connectTo(server: Server, subprotocols = ""): Promise<void> {
    await server.listen();
    await page.fill("[name=url]", `ws://127.0.0.1:${(server.address as { port: number }).port}/echo`);
    await page.fill("[name=subprotocols]", subprotocols);
    await page.click("#open");
    await page.waitForSelector("#state.open");
    await page.click("#clear");
  }

  test("shows messages as frames; an edited one is sent", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1", origins: "any", acceptProtocols: ["v1"] });
    const messages: unknown[] = [];
    server.on("connection", (ws) =>
      ws.on("message", (message) => {
        messages.push(message);
        ws.send(message);
      }),
    );
    await connectTo(server, "v1");
    expect(await inspector.text("#state")).toMatch(/^Connected to ws:\S+, subprotocol v1, no extensions\.$/);
    await page.fill("#payload", "Grüße");
    await page.click("#send");
    await page.waitForSelector("#frame-1");
    expect(await inspector.list()).toEqual([
      ["text", "Grüße", "7 B"],
      ["text", "Grüße", "7 B"],
    ]);
    expect(await page.locator("#frames .by .unseen").allTextContents()).toEqual(["from the client", "from the server"]);
    await page.click("#edit");
    await page.selectOption("[name=opcode]", "2");
    await page.selectOption("[name=form]", "hex");
    await page.fill("#payload", "00 ff 80");
    await page.click("#send");
    await page.waitForSelector("#frame-3");
    expect((await inspector.list())[3]).toEqual(["binary", "00 ff 80", "3 B"]);
    expect(messages).toEqual(["Grüße", Uint8Array.of(0, 255, 128)]);
    await page.selectOption("[name=opcode]", "9");
    await page.click("#send");
    expect(await inspector.text("#editor-error")).toMatch(/^A page can send text and binary messages only/);
    await page.click("#close");
    await inspector.says("#state", /^Closed cleanly, with 1000/);
    expect(await page.isDisabled("#send")).toBe(true);
  });

  test("says with which code the server closes", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1", origins: "any" });
    server.on("connection", (ws) => ws.on("message", () => void ws.close(4001, "enough")));
    await connectTo(server);
    await page.click("#send");
    await inspector.says("#state", /^Closed cleanly/);
    expect(await inspector.text("#state")).toBe("Closed cleanly, with 4001 “enough”.");
  });

  test("says that nobody is there, and what is no URL", async () => {
    await page.fill("[name=url]", `ws://127.0.0.1:${await freePort()}/`);
    await page.click("#open");
    await inspector.says("#state", /^Closed without/);
    expect(await inspector.text("#state")).toContain("with 1006");
    expect(inspector.said.splice(0).join()).toContain("ERR_CONNECTION_REFUSED");
    await page.fill("[name=url]", "ftp://x/");
    await page.click("#open");
    expect(await inspector.text("#state")).toContain("URL");
  });

  test("with a long message goes on, and draws it not", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1", origins: "any" });
    server.on("connection", (ws) => ws.send("x".repeat(100_000)));
    await connectTo(server);
    await inspector.says("#state", /too long to draw.$/);
  });
});

describe.each(runtimes)("npm start, on %s", (runtime) => {
  let program: Program;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    program = run(runtime, "examples/start.mjs", String(port));
    await program.printed(/Got: Hi\n/);
  });
  afterAll(async () => {
    program.child.kill("SIGKILL");
    await program.ended;
  });

  test("serves nothing but the page", async () => {
    for (const path of [
      "/../start.mjs",
      "/../../package.json",
      "/%2e%2e/package.json",
      "/nothing",
      "/..",
      "//etc/passwd",
    ]) {
      const [response] = (await once(get({ port, path, agent: false }), "response")) as [IncomingMessage];
      expect([path, response.resume().statusCode]).toEqual([path, 404]);
    }
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: "POST" })).status).toBe(405);
  });

  test("serves the page and the echo on one port, and ends with 1001", async () => {
    page = await inspector.open(`http://127.0.0.1:${port}/`);
    expect(await page.inputValue("[name=url]")).toBe(`ws://127.0.0.1:${port}/echo`);
    await page.click("#open");
    await page.waitForSelector("#state.open");
    await page.click("#clear");
    await page.click("#send");
    await page.waitForSelector("#frame-1");
    expect((await inspector.list())[1]).toEqual(hello);
    program.child.kill("SIGINT");
    await inspector.says("#state", "Closed cleanly, with 1001.");
    const { code, stdout } = await program.ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining("Closed with 1001.")]);
  });
});
