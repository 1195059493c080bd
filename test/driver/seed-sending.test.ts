import type * as net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeClient } from "../../src/driver.ts";
import { noise } from "../helpers/bytes.ts";
import { RawPeer, RawServer, closePayload, op, request } from "../helpers/raw-peer.ts";
import { Recording, next, turns, until } from "../helpers/until.ts";
import { Web, rawClient } from "../helpers/web.ts";

let web: Web;
beforeEach(async () => {
  web = await Web.listen();
});
afterEach(() => web.close());

/** A port of this machine that nobody listens on. */
async function closedPort(): Promise<number> {
  const raw = await RawServer.listen();
  await raw.close();
  return raw.port;
}

describe("S17 to S29 sending", () => {
  it("S17 send: text as a string, bytes in each form that ECMAScript has", async () => {
    const { client, server, atClient, atServer } = await web.pair();
    const bytes = noise(64);
    const forms = [
      bytes,
      Buffer.from(bytes),
      bytes.slice().buffer,
      new DataView(bytes.buffer, bytes.byteOffset, 64),
      new Float64Array(bytes.slice().buffer),
    ];
    for (const { from, to } of [
      { from: client, to: atServer },
      { from: server, to: atClient },
    ]) {
      expect(from.send("Grüße, 世界 👋")).toBe(true);
      expect(from.send("")).toBe(true);
      expect(from.send(new Uint8Array(0))).toBe(true);
      for (const form of forms) expect(from.send(form)).toBe(true);
      await until(() => to.messages.length === 3 + forms.length);
      expect(to.messages).toEqual(["Grüße, 世界 👋", "", new Uint8Array(0), ...forms.map(() => bytes)]);
    }
  });

  it("S18 send: start and end pick a part, by UTF-16 units of a string and bytes otherwise", async () => {
    const { client, atServer } = await web.pair();
    client.send("Grüße, 世界", { start: 2, end: 5 });
    client.send("0123456789", { start: 7 });
    client.send("0123456789", { end: 2 });
    client.send(Uint8Array.of(0, 1, 2, 3, 4), { start: 1, end: 4 });
    client.send(Uint16Array.of(0x0101, 0x0202), { start: 1, end: 3 });
    client.send("abc", { start: 3 });
    await until(() => atServer.messages.length === 6);
    expect(atServer.messages).toEqual(["üße", "789", "01", Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2), ""]);
    for (const range of [{ start: 4 }, { end: 4 }, { start: 2, end: 1 }, { start: -1 }, { start: 0.5 }, { end: NaN }]) {
      expect(() => client.send("abc", range)).toThrow(RangeError);
    }
  });

  it("S19 send: every type leaves as the frame it names", async () => {
    const { peer, server } = await rawClient(web);
    server.send("text", { type: "text" });
    server.send(Buffer.from("bytes as text"), { type: "text" });
    server.send("a string as bytes", { type: "binary" });
    server.send("ping", { type: "ping" });
    server.send("pong", { type: "pong" });
    server.send("frag", { fin: false });
    server.send("ment", { type: "continuation", fin: false });
    server.send("ping inside", { type: "ping" });
    server.send("ed", { type: "continuation" });
    server.send(Uint8Array.of(1), { type: "binary", fin: false });
    server.send(Uint8Array.of(2), { type: "continuation" });
    server.send("bye", { type: "close", code: 3001 });
    const frames: unknown[] = [];
    for (let i = 0; i < 12; i++) {
      const { fin, opcode, payload, maskingKey } = await peer.readFrame();
      expect(maskingKey).toBeUndefined();
      frames.push([fin, opcode, opcode === op.close ? payload : payload.toString()]);
    }
    expect(frames).toEqual([
      [true, op.text, "text"],
      [true, op.text, "bytes as text"],
      [true, op.binary, "a string as bytes"],
      [true, op.ping, "ping"],
      [true, op.pong, "pong"],
      [false, op.text, "frag"],
      [false, op.continuation, "ment"],
      [true, op.ping, "ping inside"],
      [true, op.continuation, "ed"],
      [false, op.binary, "\u0001"],
      [true, op.continuation, "\u0002"],
      [true, op.close, closePayload(3001, "bye")],
    ]);
    peer.destroy();
  });

  it("S20 send: code goes with type close", async () => {
    const { client, atServer, atClient } = await web.pair();
    expect(client.send("enough", { type: "close", code: 4000 })).toBe(false);
    expect(await atServer.closed()).toEqual([[4000, "enough"]]);
    expect(await atClient.closed()).toEqual([[4000, "enough"]]);
    const second = await web.pair();
    second.client.send("", { type: "close" });
    expect(await second.atServer.closed()).toEqual([[1000, ""]]);
  });

  it("S21 send: the callback runs once, after the bytes were taken, in order", async () => {
    const { client, atServer } = await web.pair();
    const order: unknown[] = [];
    client.send("a", { callback: (error) => order.push(["a", error]) });
    client.send(noise(100_000), { callback: (error) => order.push(["b", error]) });
    client.sendText("c", { callback: (error) => order.push(["c", error]) });
    client.sendPong("d", (error) => order.push(["d", error]));
    expect(order).toEqual([]);
    await until(() => order.length === 4 && atServer.messages.length === 3);
    await turns(20);
    expect(order).toEqual([
      ["a", undefined],
      ["b", undefined],
      ["c", undefined],
      ["d", undefined],
    ]);
    expect(client.bufferedAmount).toBe(0);
  });

  it("S21 send: the callback gets an error once the connection is closing", async () => {
    const { client } = await web.pair();
    void client.close();
    const errors: (Error | undefined)[] = [];
    expect(client.send("late", { callback: (error) => errors.push(error) })).toBe(false);
    expect(client.sendPing("late", (error) => errors.push(error))).toBe(false);
    expect(errors).toEqual([]);
    await until(() => errors.length === 2);
    for (const error of errors) expect(error).toMatchObject({ code: "ERR_NOT_OPEN" });
  });

  it("S22 S23 sendText and sendBinary choose the type, whatever they are given", async () => {
    const { client, atServer } = await web.pair();
    client.sendText("as text");
    client.sendText(Buffer.from("Zürich"));
    client.sendBinary("Zürich");
    client.sendBinary(Uint8Array.of(255), { start: 0 });
    expect(() => client.sendText(Uint8Array.of(255))).toThrow(TypeError);
    await until(() => atServer.messages.length === 4);
    expect(atServer.messages).toEqual(["as text", "Zürich", new Uint8Array(Buffer.from("Zürich")), Uint8Array.of(255)]);
  });

  it("S24 S25 sendPing: the callback runs at its pong, for a string and for bytes", async () => {
    const { client, server, atServer, atClient } = await web.pair();
    for (const [from, to] of [
      [client, atServer],
      [server, atClient],
    ] as const) {
      const answered: unknown[] = [];
      from.sendPing("ünicode", (error) => answered.push("string", error));
      from.sendPing(Uint8Array.of(0, 255), (error) => answered.push("bytes", error));
      from.sendPing(undefined, (error) => answered.push("empty", error));
      from.sendPing("nobody waits");
      expect(answered).toEqual([]);
      await until(() => answered.length === 6 && to.of("ping").length === 4);
      expect(answered).toEqual(["string", undefined, "bytes", undefined, "empty", undefined]);
    }
  });

  it("S25 sendPing: a pong that nobody asked for runs no callback, and one answers the pings before it", async () => {
    const { peer, server } = await rawClient(web);
    const answered: string[] = [];
    for (const name of ["a", "b", "c"]) server.sendPing(name, () => answered.push(name));
    const answeredAt: string[] = [];
    server.on("pong", (payload) => answeredAt.push(`${Buffer.from(payload).toString()}: ${answered.join()}`));
    peer.send(op.pong, "stranger");
    peer.send(op.pong, "b");
    await until(() => answeredAt.length === 2);
    expect(answeredAt).toEqual(["stranger: ", "b: a,b"]);
    peer.destroy();
    await next(server, "close");
    expect(answered).toEqual(["a", "b", "c"]);
  });

  it("S25 sendPing: pings that wait are bounded", async () => {
    const { peer, server } = await rawClient(web);
    const errors: (Error | undefined)[] = [];
    for (let i = 0; i < 256; i++) server.sendPing("x", (error) => errors.push(error));
    expect(() => server.sendPing("x", () => undefined)).toThrow(expect.objectContaining({ code: "ERR_QUEUE_FULL" }));
    // Without a callback there is nothing to keep.
    expect(server.sendPing("x")).toBe(true);
    peer.destroy();
    await until(() => errors.length === 256);
    expect(errors.every((error) => (error as { code?: string }).code === "ERR_CLOSED")).toBe(true);
  });

  it("S26 pings are answered with their payload, at both sides", async () => {
    const { peer, atServer } = await rawClient(web);
    const payload = noise(125);
    peer.send(op.ping, payload);
    expect(await peer.readFrame()).toMatchObject({ opcode: op.pong, fin: true, payload: Buffer.from(payload) });
    expect(atServer.of("ping")).toEqual([payload]);
    peer.destroy();

    await using raw = await RawServer.listen();
    const client = makeClient(raw.url);
    client.startConnection();
    const masked = await raw.open();
    masked.send(op.ping, payload, { mask: false });
    const pong = await masked.readFrame();
    expect(pong).toMatchObject({ opcode: op.pong, payload: Buffer.from(payload) });
    expect(pong.maskingKey).toBeDefined();
  });

  it("S27 closeConnection(reason, code) and close(code, reason) start the closing handshake", async () => {
    const one = await web.pair();
    expect(await one.client.closeConnection("done here", 3000)).toEqual({
      code: 3000,
      reason: "done here",
      wasClean: true,
    });
    expect(await one.atServer.closed()).toEqual([[3000, "done here"]]);
    const two = await web.pair();
    expect(await two.server.close(3001, "done there")).toEqual({ code: 3001, reason: "done there", wasClean: true });
    expect(await two.atClient.closed()).toEqual([[3001, "done there"]]);
    const three = await web.pair();
    expect(await three.client.closeConnection()).toEqual({ code: 1000, reason: "", wasClean: true });
    expect(await three.atServer.closed()).toEqual([[1000, ""]]);
    expect(three.server).toMatchObject({ closeCode: 1000, closeReason: "", wasClean: true });
  });

  it("S28 a Close is echoed, and the server is the first to end the stream", async () => {
    const { peer, atServer } = await rawClient(web);
    peer.send(op.close, closePayload(4321, "tschüß"));
    expect(await peer.readClose()).toEqual({ code: 4321, reason: "tschüß" });
    await until(() => peer.ended);
    expect(atServer.closes).toEqual([]);
    peer.end();
    expect(await atServer.closed()).toEqual([[4321, "tschüß"]]);

    const empty = await rawClient(web);
    empty.peer.send(op.close);
    expect(await empty.peer.readClose()).toEqual({ code: undefined, reason: "" });
    empty.peer.end();
    expect(await empty.atServer.closed()).toEqual([[1005, ""]]);
    expect(empty.server.wasClean).toBe(true);
  });

  it("S29 sends before the handshake are queued, and leave before `open`: client", async () => {
    const client = web.makeClient();
    const sent: unknown[] = [];
    expect(client.send("one", { callback: (error) => sent.push(["one", error]) })).toBe(true);
    client.startConnection();
    client.send(Uint8Array.of(2));
    client.sendPing("three", (error) => sent.push(["three", error]));
    let writtenAtOpen = 0;
    client.on("open", () => {
      writtenAtOpen = (client.socket!.raw as net.Socket).bytesWritten;
      client.send("at open");
    });
    const server = await web.makeServer();
    const order: unknown[] = [];
    server
      .on("message", (message) => order.push(message))
      .on("ping", (payload) => order.push(["ping", payload.length]));
    const requestLength = (client.socket!.raw as net.Socket).bytesWritten;
    expect(requestLength).toBeGreaterThan(0);
    expect(sent).toEqual([]);
    server.startConnection();
    await until(() => order.length === 4 && sent.length === 2);
    expect(order).toEqual(["one", Uint8Array.of(2), ["ping", 5], "at open"]);
    // The three frames, each with a masking key, were with the system when `open` was emitted.
    expect(writtenAtOpen - requestLength).toBe(6 + 3 + (6 + 1) + (6 + 5));
    expect(sent).toEqual([
      ["one", undefined],
      ["three", undefined],
    ]);
  });

  it("S29 sends before the handshake are queued, and leave behind the response: server", async () => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request());
    const server = await web.makeServer();
    const sent: unknown[] = [];
    server.send("early", { callback: (error) => sent.push(error) });
    server.on("open", () => server.send("at open"));
    await turns();
    expect(peer.pending).toBe(0);
    expect(sent).toEqual([]);
    server.startConnection();
    expect((await peer.readHead()).status).toBe(101);
    expect((await peer.readFrame()).payload.toString()).toBe("early");
    expect((await peer.readFrame()).payload.toString()).toBe("at open");
    await until(() => sent.length > 0);
    expect(sent).toEqual([undefined]);
    peer.destroy();
  });

  it("S29 what was queued is what was passed, whatever becomes of its bytes", async () => {
    const client = web.makeClient();
    const data = Uint8Array.of(1, 2, 3);
    client.send(data);
    client.sendPing(data);
    client.send(data, { type: "binary", fin: false });
    client.send(data, { type: "continuation" });
    data.fill(9);
    client.startConnection();
    const server = await web.makeServer();
    const recording = new Recording(server);
    server.startConnection();
    await until(() => recording.messages.length === 2);
    expect(recording.of("ping")).toEqual([Uint8Array.of(1, 2, 3)]);
    expect(recording.messages).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3, 1, 2, 3)]);
  });

  it("S29 the queue is bounded, and its callbacks get an error if the connection never opens", async () => {
    const port = await closedPort();
    const client = makeClient(`ws://127.0.0.1:${port}/`);
    const errors: (Error | undefined)[] = [];
    for (let i = 0; i < 1024; i++) client.send("x", { callback: (error) => errors.push(error) });
    expect(() => client.send("one too many")).toThrow(expect.objectContaining({ code: "ERR_QUEUE_FULL" }));
    expect(() => client.sendPing("one too many")).toThrow(expect.objectContaining({ code: "ERR_QUEUE_FULL" }));
    const recording = new Recording(client);
    client.startConnection();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(recording.errors).toHaveLength(1);
    expect(errors).toHaveLength(1024);
    for (const error of errors) expect(error).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("S29 what cannot be sent once the connection is open costs its own callback, and nothing else", async () => {
    const client = web.makeClient();
    const outcomes: (string | undefined)[] = [];
    const note = (error?: Error): void => void outcomes.push((error as { code?: string } | undefined)?.code);
    // More pings than may wait for their pongs, and a fragment of no message.
    for (let i = 0; i < 300; i++) client.sendPing("p", note);
    client.send("x", { type: "continuation", callback: note });
    client.send("the last");
    client.startConnection();
    const server = await web.makeServer();
    const atServer = new Recording(server);
    server.startConnection();
    await until(() => outcomes.length === 301 && atServer.messages.length === 1);
    expect(outcomes.filter((code) => code === undefined)).toHaveLength(256);
    expect(outcomes.filter((code) => code === "ERR_QUEUE_FULL")).toHaveLength(44);
    expect(outcomes.filter((code) => code === "ERR_FRAME_ORDER")).toHaveLength(1);
    expect([client.readyState, ...atServer.messages]).toEqual(["open", "the last"]);
  });

  it("S29 what cannot be sent once the connection is open, and has no callback, is a mistake like a handler's", async () => {
    const client = web.makeClient();
    const recording = new Recording(client);
    client.send("x", { type: "continuation" });
    client.startConnection();
    (await web.makeServer()).startConnection();
    await recording.closed();
    expect(recording.names).toEqual(["error", "close"]);
    expect(recording.errors).toEqual([
      expect.objectContaining({ code: "ERR_HANDLER", cause: expect.objectContaining({ code: "ERR_FRAME_ORDER" }) }),
    ]);
  });

  it("S29 a server's queue gets its errors when the request is refused", async () => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request({ "Sec-WebSocket-Key": "short" }));
    const server = await web.makeServer();
    const errors: (Error | undefined)[] = [];
    server.send("x", { callback: (error) => errors.push(error) });
    expect(server.startConnection()).toBe(false);
    expect((await peer.readHead()).status).toBe(400);
    peer.end();
    await until(() => errors.length > 0);
    expect(errors).toEqual([expect.objectContaining({ code: "ERR_CLOSED" })]);
  });
});
