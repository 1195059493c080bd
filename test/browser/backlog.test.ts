import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Client } from "../../src/browser.ts";
import type { ServerConnection } from "../../src/index.ts";
import { closePayload, frame, op } from "../helpers/raw-peer.ts";
import { Recording, next, turns, until } from "../helpers/until.ts";
import { Servers } from "./servers.ts";
import { sockets } from "./sockets.ts";

describe.each(sockets)("what a page's client over %s does not take", (_name, WebSocket) => {
  let servers: Servers;
  beforeEach(async () => {
    servers = await Servers.start(WebSocket);
  });
  afterEach(() => servers.stop());

  const record = (client: Client): Recording => new Recording(client);
  /** Resolves when the client has what was sent to it: whatever answers its Pings does so in order. */
  const arrived = (server: ServerConnection): Promise<unknown> =>
    new Promise((resolve) => server.sendPing("", resolve));

  it("waits while the client is paused, and the end waits behind it", async () => {
    const { client, server } = await servers.pair();
    const recording = record(client);
    client.pause();
    expect(client.isPaused).toBe(true);
    for (let i = 0; i < 100; i++) server.send(`${i}`);
    await server.close(4000);
    await turns();
    expect(recording.names).toEqual([]);
    client.resume();
    expect(await recording.closed()).toEqual([[4000, ""]]);
    expect(recording.messages).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  it("waits while a loop is busy", async () => {
    const { client, server } = await servers.pair({ highWaterMark: 1000 });
    for (let i = 0; i < 500; i++) server.send(`${i}`.padEnd(100));
    void server.close();
    const messages: number[] = [];
    for await (const message of client) {
      messages.push(Number(message));
      if (messages.length % 50 === 0) await turns(5);
    }
    expect(messages).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it.each([
    ["bytes", { maxQueuedBytes: 10_000 }],
    ["messages", { maxQueuedMessages: 10 }],
  ] as const)("costs the connection past so many %s", async (_what, options) => {
    const { client, server } = await servers.pair(options);
    const recording = record(client);
    client.pause();
    for (let i = 0; i < 20; i++) server.send("x".repeat(1000));
    const [code] = await next(server, "close");
    expect(code).toBe(4008);
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(recording.errors).toMatchObject([{ code: "ERR_SLOW_CONSUMER" }]);
    expect(recording.messages).toEqual([]);
  });

  it("is given to who resumes in order, also when a listener pauses again", async () => {
    const { client, peer } = await servers.rawPair();
    const messages: unknown[] = [];
    client.on("message", (message) => {
      messages.push(message);
      client.pause();
    });
    for (const text of ["1", "2", "3"]) peer.write(frame(op.text, text, { mask: false }));
    for (const count of [1, 2, 3]) {
      await until(() => messages.length === count);
      await turns();
      expect(messages).toHaveLength(count);
      client.resume();
    }
    peer.write(frame(op.close, closePayload(1000), { mask: false }));
    peer.end();
    await until(() => client.readyState !== "open");
    expect(messages).toEqual(["1", "2", "3"]);
  });

  it.each([
    ["bytes, each message counting 32 more than its own", { maxQueuedBytes: 4 * (68 + 32) }, "x".repeat(68)],
    ["bytes, of empty messages too", { maxQueuedBytes: 5 * 32 - 1 }, ""],
    ["messages", { maxQueuedMessages: 4 }, "x"],
  ])("may be just so many %s", async (_what, options, message) => {
    const { client, server } = await servers.pair(options);
    const recording = record(client);
    client.pause();
    for (let i = 0; i < 4; i++) server.send(message);
    await arrived(server);
    expect(recording.names).toEqual([]);
    client.resume();
    await until(() => recording.messages.length === 4);
    client.pause();
    for (let i = 0; i < 5; i++) server.send(message);
    const [code] = await next(server, "close");
    expect(code).toBe(4008);
    await recording.closed();
    expect(recording.names).toEqual([...Array<string>(4).fill("message"), "error", "close"]);
  });

  it("is not given to anyone once the client has been terminated, and then it was not closed cleanly", async () => {
    const { client, server } = await servers.pair();
    const recording = record(client);
    client.pause();
    server.send("x");
    await server.close(4000);
    client.resume();
    client.terminate();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(recording.names).toEqual(["close"]);
  });

  it("is not given to anyone behind a listener that throws", async () => {
    const { client, server } = await servers.pair();
    const recording = record(client);
    client.on("message", () => {
      throw new Error("oops");
    });
    client.pause();
    for (const message of ["1", "2", "3"]) server.send(message);
    await arrived(server);
    client.resume();
    expect((await next(server, "close"))[0]).toBe(4011);
    await recording.closed();
    expect(recording.names).toEqual(["message", "error", "close"]);
  });

  it("is given to who closes, before the connection ends as the server ended it", async () => {
    const { client, server } = await servers.pair();
    const recording = record(client);
    client.pause();
    server.send("x");
    await server.close(4000, "over");
    expect(await client.close()).toEqual({ code: 4000, reason: "over", wasClean: true });
    expect(recording.names).toEqual(["message", "close"]);
  });

  it("is lost to who listens when it costs the connection, and who is told of it can send nothing", async () => {
    for (const options of [{ maxLength: 10 }, { maxQueuedMessages: 1 }]) {
      const { client, server } = await servers.pair(options);
      const told: unknown[] = [];
      client.on("error", () => told.push(client.readyState, client.send("too late")));
      client.pause();
      for (let i = 0; i < 2; i++) server.send("x".repeat(11));
      await next(server, "close");
      await until(() => client.readyState === "closed");
      expect(told).toEqual(["closing", false]);
    }
  });
});
