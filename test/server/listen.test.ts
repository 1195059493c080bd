import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Codec } from "../../src/codec/index.ts";
import { Client, connect, Server, type Message, type RefusalError, type ServerConnection } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { RawPeer, closePayload, op, request } from "../helpers/raw-peer.ts";
import { Recording, next, thrownBy, turns, until } from "../helpers/until.ts";

const port = (server: Server): number => (server.address as { port: number }).port;

/** Whether anyone answers there. */
async function isListening(where: number): Promise<boolean> {
  const socket = net.connect(where, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe("listen", () => {
  it("lets the system choose a port, and tells which", async () => {
    const server = new Server({ port: 0, host: "127.0.0.1" });
    expect(server.address).toBeUndefined();
    const listening = next(server, "listening");
    const address = await server.listen();
    expect(address).toEqual({ hostname: "127.0.0.1", port: expect.any(Number) as number });
    expect((address as { port: number }).port).toBeGreaterThan(0);
    expect(server.address).toEqual(address);
    expect(await listening).toEqual([address]);
    await server.close();
    expect(server.address).toBeUndefined();
  });

  it("listens on a given port of a given address, and on all addresses without one", async () => {
    await using first = new Server({ port: 0 });
    await first.listen();
    const chosen = port(first);
    await using client = await connect(`ws://127.0.0.1:${chosen}/`);
    expect(client.readyState).toBe("open");
    await client.close();
    await first.close();
    await using second = new Server({ port: chosen, host: "127.0.0.1" });
    expect(await second.listen()).toEqual({ hostname: "127.0.0.1", port: chosen });
  });

  it("rejects with the runtime's error when the port is taken, and may then be closed", async () => {
    await using first = await Listening.start();
    const second = new Server({ port: first.port, host: "127.0.0.1" });
    expect(await thrownBy(() => second.listen())).toMatchObject({ code: "EADDRINUSE" });
    expect(second.address).toBeUndefined();
    await second.close();
  });

  it("refuses to listen twice, or nowhere, or once closed", async () => {
    const wrong = { name: "TypeError", code: "ERR_STATE" };
    const server = new Server({ port: 0, host: "127.0.0.1" });
    const both = await Promise.allSettled([server.listen(), server.listen()]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((both[1] as PromiseRejectedResult).reason).toMatchObject(wrong);
    const taken = port(server);
    expect(await thrownBy(() => server.listen())).toMatchObject(wrong);
    await server.close();
    expect(await isListening(taken)).toBe(false);
    expect(await thrownBy(() => server.listen())).toMatchObject(wrong);
    expect(await thrownBy(() => new Server().listen())).toMatchObject(wrong);
  });

  it("listens on a Unix domain socket, which ws+unix: dials", async () => {
    const directory = await mkdtemp(join(tmpdir(), "hybi-"));
    try {
      const path = join(directory, "a.sock");
      await using server = new Server({ unix: path });
      const opened = next(server, "connection");
      expect(await server.listen()).toEqual({ path });
      const client = await connect(`ws+unix:${path}:/chat?room=1`);
      const [connection, { target, host }] = await opened;
      expect([target, host]).toEqual(["/chat?room=1", "localhost"]);
      connection.on("message", (message: Message) => connection.send(message));
      client.send("over a file");
      expect(await client.read()).toBe("over a file");
      await client.close();
      await server.close();
      expect(existsSync(path)).toBe(false);
      expect(await thrownBy(() => connect(`ws+unix:${path}:/`))).toMatchObject({ code: "ERR_CONNECT" });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("is disposed of by `await using`", async () => {
    let taken: number;
    {
      await using server = new Server({ port: 0, host: "127.0.0.1" });
      await server.listen();
      taken = port(server);
      expect(await isListening(taken)).toBe(true);
    }
    expect(await isListening(taken)).toBe(false);
  });

  it("hands each connection over with its request, before its `open`", async () => {
    await using listening = await Listening.start({ additionalHeaders: { "X-Served-By": "hybi" } });
    const seen: string[] = [];
    listening.server.on("connection", (connection, { path, query, headers }) => {
      seen.push(`connection ${connection.readyState} ${path} ${query} ${headers.get("x-client")}`);
      connection.on("open", () => seen.push("open"));
    });
    const { client, server } = await listening.pair({ additionalHeaders: { "X-Client": "me" } }, "a/b?c=d");
    expect(seen).toEqual(["connection open /a/b c=d me", "open"]);
    expect(client.response!.headers.get("x-served-by")).toBe("hybi");
    expect(server.request!.target).toBe("/a/b?c=d");
    expect([...listening.server.connections]).toEqual([server]);
    await client.close();
    await until(() => listening.server.connections.size === 0);
  });

  it("answers 503 when the codec has no decoder slot left, and goes on once one is free", async () => {
    const codec = new Codec("scalar");
    let slot = 0;
    for (let next = codec.exports.openSlot(1, 0, 1, 1); next !== 0; next = codec.exports.openSlot(1, 0, 1, 1))
      slot = next;
    await using listening = await Listening.start({ codec });
    const refused = next(listening.server, "refused");
    const error = await thrownBy(() => connect(listening.url));
    expect(error).toMatchObject({ code: "ERR_HANDSHAKE_REFUSED", status: 503 });
    expect((error as { headers?: Headers }).headers!.get("retry-after")).toBe("10");
    expect(await refused).toEqual([expect.objectContaining({ status: 503 })]);
    codec.exports.closeSlot(slot);
    const { client } = await listening.pair();
    await client.close();
  });
});

describe("close", () => {
  it("resolves at once when nobody is connected, however often it is called, and emits `close` once", async () => {
    const server = new Server({ port: 0, host: "127.0.0.1" });
    let closes = 0;
    server.on("close", () => closes++);
    await server.listen();
    await Promise.all([server.close(), server.close()]);
    await server.close();
    expect(closes).toBe(1);
    await new Server().close();
  });

  it("tells everyone 1001, and resolves when all are gone", async () => {
    await using listening = await Listening.start();
    const pairs = [await listening.pair(), await listening.pair()];
    const recordings = pairs.map(({ client }) => new Recording(client));
    const { ws } = await listening.ws();
    const { peer, server } = await listening.raw();
    let isClosed = false;
    const closing = listening.server.close().then(() => (isClosed = true));
    for (const recording of recordings) expect(await recording.closed()).toEqual([[1001, ""]]);
    expect(await ws.closed()).toEqual([[1001, ""]]);
    expect(await peer.readClose()).toEqual({ code: 1001, reason: "" });
    await until(() => listening.server.connections.size === 1);
    await turns(20);
    // One is still there, and takes its time.
    expect([isClosed, server.readyState]).toEqual([false, "closing"]);
    peer.send(op.close, closePayload(1001));
    await until(() => peer.ended);
    peer.end();
    await closing;
    expect(listening.server.connections.size).toBe(0);
    expect(server.readyState).toBe("closed");
    expect(await isListening(listening.port)).toBe(false);
  });

  it("says the code and the reason it is given", async () => {
    await using listening = await Listening.start();
    const { client } = await listening.pair();
    const closed = next(client, "close");
    await listening.server.close({ code: 1012, reason: "back soon" });
    expect(await closed).toEqual([1012, "back soon"]);
  });

  it("refuses a code that may not be sent before it does anything", async () => {
    await using listening = await Listening.start();
    const { client } = await listening.pair();
    const wrong = { name: "RangeError", code: "ERR_CLOSE_CODE" };
    expect(await thrownBy(() => listening.server.close({ code: 1005 }))).toMatchObject(wrong);
    expect(await thrownBy(() => listening.server.close({ reason: "é".repeat(62) }))).toMatchObject({
      code: "ERR_CONTROL_TOO_LONG",
    });
    expect([client.readyState, await isListening(listening.port)]).toEqual(["open", true]);
    const closed = next(client, "close");
    await listening.server.close();
    expect(await closed).toEqual([1001, ""]);
  });

  it("is bounded by closeTimeout when a peer never answers", async () => {
    await using listening = await Listening.start({ closeTimeout: 50 });
    const { peer, server } = await listening.raw();
    const recording = new Recording(server);
    await listening.server.close();
    expect(recording.closes).toEqual([[1006, ""]]);
    await until(() => peer.ended);
  });

  it("answers 503 to a handshake in progress", async () => {
    await using listening = await Listening.start();
    const peer = await RawPeer.connect(listening.port);
    const half = request();
    peer.write(half.slice(0, 60));
    const silent = await RawPeer.connect(listening.port);
    // Both are accepted once a third one, behind them, is through.
    const { client } = await listening.pair();
    await client.close();
    const refused: RefusalError[] = [];
    listening.server.on("refused", (error) => refused.push(error));
    await listening.server.close();
    for (const one of [peer, silent]) {
      const { status, headers } = await one.readHead();
      expect([status, headers["retry-after"], headers["connection"]]).toEqual([503, "10", "close"]);
      expect((await one.rest()).toString()).toBe("The server is closing.");
      one.end();
    }
    expect(refused.map(({ status }) => status)).toEqual([503, 503]);
  });

  it("answers 503 to requests that a web server hands over while it closes, and afterwards", async () => {
    const web = net.createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const sockets: net.Socket[] = [];
    web.on("connection", (socket) => sockets.push(socket));
    const server = new Server({ closeTimeout: 5000 });
    const env = { method: "GET", url: "/", headers: { ...headersOf(request()) } };
    const clients: RawPeer[] = [];
    const hand = async (): Promise<RawPeer> => {
      const peer = await RawPeer.connect((web.address() as net.AddressInfo).port);
      await until(() => sockets.length > 0);
      server.upgrade({ ...env, socket: sockets.shift()! });
      clients.push(peer);
      return peer;
    };
    const early = await hand();
    expect((await early.readHead()).status).toBe(101);
    const closing = server.close();
    expect(await early.readClose()).toMatchObject({ code: 1001 });
    expect((await (await hand()).readHead()).status).toBe(503);
    early.send(op.close, closePayload(1001));
    early.end();
    await closing;
    expect((await (await hand()).readHead()).status).toBe(503);
    for (const peer of clients) peer.destroy();
    await new Promise((resolve) => web.close(resolve));
  });

  it("leaves no port behind when it is called while listen is under way", async () => {
    const free = await Listening.start();
    await free.server.close();
    const server = new Server({ port: free.port, host: "127.0.0.1" });
    let heard = false;
    server.on("listening", () => (heard = true));
    const listening = thrownBy(() => server.listen());
    await server.close();
    expect(await isListening(free.port)).toBe(false);
    expect(await listening).toMatchObject({ code: "ERR_STATE" });
    expect([heard, server.address]).toEqual([false, undefined]);
  });

  it("may be called from a handler of `connection`", async () => {
    await using listening = await Listening.start();
    let closed: Promise<void> | undefined;
    listening.server.on("connection", () => (closed = listening.server.close()));
    const client = new Client(listening.url);
    expect(await next(client, "close")).toEqual([1001, ""]);
    await closed;
  });
});

function headersOf(text: string): Record<string, string> {
  const lines = text.split("\r\n").slice(1, -2);
  return Object.fromEntries(lines.map((line) => line.split(": ") as [string, string]));
}

describe("connections", () => {
  it("takes 2,000 connections and leaves no decoder slot behind", async () => {
    const { defaultCodec } = await import("../../src/codec/index.ts");
    await using listening = await Listening.start();
    const before = defaultCodec.slotsTaken;
    let most = 0;
    const ended = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => connect(listening.url)));
      const servers: ServerConnection[] = [];
      for (let i = 0; i < 100; i++) servers.push(await listening.connection());
      most = Math.max(most, defaultCodec.slotsTaken - before);
      // Each of the ways to end.
      const closes = [...clients, ...servers].map((connection) => next(connection, "close"));
      clients.forEach((client, i) => {
        if (i % 4 === 0) void client.close();
        else if (i % 4 === 1) client.terminate();
        else if (i % 4 === 2) (client.socket!.raw as net.Socket).resetAndDestroy();
        else client.socket!.write([Uint8Array.of(0x83, 0x80, 0, 0, 0, 0)], () => undefined); // opcode 3: failed by the server
      });
      for (const [code] of await Promise.all(closes)) ended.add(String(code));
    }
    expect(most).toBe(200);
    expect(defaultCodec.slotsTaken).toBe(before);
    expect(listening.server.connections.size).toBe(0);
    expect([...ended].sort()).toEqual(["1000", "1002", "1006"]);
  });

  it("takes no slot for what is refused or never asks", async () => {
    const { defaultCodec } = await import("../../src/codec/index.ts");
    await using listening = await Listening.start({ path: "/only" });
    const before = defaultCodec.slotsTaken;
    for (let i = 0; i < 20; i++) {
      const peer = await RawPeer.connect(listening.port);
      peer.write(request({}, "GET /other HTTP/1.1"));
      expect((await peer.readHead()).status).toBe(404);
      peer.end();
      await until(() => peer.closed);
    }
    const silent = await RawPeer.connect(listening.port);
    silent.destroy();
    await until(() => silent.closed);
    expect(defaultCodec.slotsTaken).toBe(before);
  });
});
