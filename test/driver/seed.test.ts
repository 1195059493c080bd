import * as http from "node:http";
import * as net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  Decoder,
  acceptKey,
  decodeFrameHeader,
  encodeFrame,
  encodeFrameHeader,
  mask,
  validateUtf8,
  type Piece,
} from "../../src/codec/index.ts";
import { driverFor, isWebSocket, makeClient, makeServer } from "../../src/driver.ts";
import type {
  ClientConnection,
  Connection,
  Host,
  Message,
  ServerConnection,
  TransportHandler,
} from "../../src/driver.ts";
import { host as nodeHost } from "../../src/hosts/node.ts";
import { certificates } from "../helpers/certificates.ts";
import { equal, noise } from "../helpers/bytes.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import { RawPeer, RawServer, closePayload, frame, op, request, sampleKey } from "../helpers/raw-peer.ts";
import { Recording, deferred, next, thrownBy, turns, until } from "../helpers/until.ts";
import { Web } from "../helpers/web.ts";

let web: Web;
beforeEach(async () => {
  web = await Web.listen();
});
afterEach(() => web.close());

/** A raw client on a connection of the driver's. */
async function rawClient(
  options?: Parameters<typeof makeServer>[1],
  changes?: Parameters<typeof request>[0],
): Promise<{ peer: RawPeer; server: ServerConnection; atServer: Recording }> {
  const opening = RawPeer.open(web.port, changes);
  const server = await web.makeServer(options);
  const atServer = new Recording(server);
  server.startConnection();
  return { peer: await opening, server, atServer };
}

describe("S1 isWebSocket", () => {
  it("S1 tells the request of a WebSocket from others, as a web server hands it out", async () => {
    const seen: (readonly [string, boolean])[] = [];
    const server = http.createServer((message, response) => {
      seen.push([message.url!, isWebSocket(message)]);
      response.end();
    });
    server.on("upgrade", (message, socket) => {
      seen.push([message.url!, isWebSocket(message)]);
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const ask = async (path: string, changes: Parameters<typeof request>[0], method = "GET"): Promise<void> => {
      const peer = await RawPeer.connect(port);
      peer.write(request(changes, `${method} ${path} HTTP/1.1`));
      await until(() => seen.some(([url]) => url === path));
      peer.destroy();
    };
    await ask("/good", {});
    await ask("/browser", { Connection: "keep-alive, Upgrade", Upgrade: "WebSocket" });
    await ask("/plain", { Connection: "keep-alive", Upgrade: undefined });
    await ask("/h2c", { Upgrade: "h2c" });
    await ask("/old", { "Sec-WebSocket-Version": "8" });
    await ask("/post", {}, "POST");
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(Object.fromEntries(seen)).toEqual({
      "/good": true,
      "/browser": true,
      "/plain": false,
      "/h2c": false,
      "/old": false,
      "/post": false,
    });
  });
});

describe("S2 to S7 making a connection", () => {
  it("S2 makes a server's side from what node:http's upgrade event supplies", async () => {
    const opening = RawPeer.connect(web.port);
    const peer = await opening;
    peer.write(request({ Origin: "http://example.org" }, "GET /chat?room=1 HTTP/1.1"));
    const environment = await web.environment();
    const server = makeServer(environment, { additionalHeaders: { "X-Served-By": "hybi" } });
    expect(server.role).toBe("server");
    expect(server.request).toMatchObject({ path: "/chat", query: "room=1", key: sampleKey });
    expect(server.request!.headers.get("origin")).toBe("http://example.org");
    expect(server.startConnection()).toBe(true);
    const { startLine, headers } = await peer.readHead();
    expect(startLine).toBe("HTTP/1.1 101 Switching Protocols");
    // RFC 6455 §1.3 computes this one.
    expect(headers["sec-websocket-accept"]).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(headers["x-served-by"]).toBe("hybi");
    peer.destroy();
    await next(server, "close");
  });

  it("S2 takes the bytes that were read behind the request", async () => {
    const peer = await RawPeer.connect(web.port);
    peer.write(Buffer.concat([Buffer.from(request()), frame(op.text, "early"), frame(op.text, "bird").subarray(0, 5)]));
    const environment = await web.environment();
    expect(environment.head!.length).toBeGreaterThan(0);
    const server = makeServer(environment);
    const { messages } = new Recording(server);
    expect(messages).toEqual([]);
    const got: Message[] = [];
    server.on("message", (message) => void got.push(message));
    server.startConnection();
    await until(() => got.length === 1);
    peer.destroy();
    await next(server, "close");
    expect(got).toEqual(["early"]);
  });

  it("S3 makes a client's side from a URL and options, and dials only when started", async () => {
    const client = web.makeClient({ additionalHeaders: [["X-Client", "hybi"]] });
    let connections = 0;
    web.server.on("connection", () => connections++);
    await turns();
    expect(connections).toBe(0);
    expect(client).toMatchObject({ role: "client", url: web.url, readyState: "connecting" });
    expect(client.startConnection()).toBe(true);
    const { headers, url } = await web.environment();
    expect(url).toBe("/chat?room=1");
    expect(headers).toMatchObject({ "x-client": "hybi" });
    expect(makeClient(new URL(web.url)).url).toBe(web.url);
    client.terminate();
    await next(client, "close");
  });

  it("S4 max-length: the default of 67,108,863 bytes is let through, and one more is 1009", async () => {
    const { server, client, atServer, atClient } = await web.pair();
    const data = Buffer.alloc(67_108_863, "0123456789abcdef");
    client.send(data);
    await until(() => atServer.messages.length === 1);
    expect(equal(atServer.messages[0] as Uint8Array, data)).toBe(true);
    client.send(new Uint8Array(67_108_864));
    await atServer.closed();
    await atClient.closed();
    expect(atServer.errors[0]).toMatchObject({ code: "ERR_TOO_LONG", closeCode: 1009 });
    expect(atClient.closes[0]![0]).toBe(1009);
    expect(atServer.messages).toHaveLength(1);
    expect(server.readyState).toBe("closed");
  });

  it("S4 max-length: at both sides, over the whole message and not per frame", async () => {
    const { peer, atServer } = await rawClient({ maxLength: 10 });
    peer.send(op.text, "0123456789");
    peer.send(op.text, "01234", { fin: false });
    peer.send(op.continuation, "56789");
    peer.send(op.text, "01234", { fin: false });
    peer.send(op.continuation, "567890");
    expect(await peer.readClose()).toMatchObject({ code: 1009 });
    expect(atServer.messages).toEqual(["0123456789", "0123456789"]);
    peer.destroy();

    const { server, atClient } = await web.pair({}, { maxLength: 10 });
    server.send("0123456789");
    server.send("01234567890");
    await atClient.closed();
    expect(atClient.messages).toEqual(["0123456789"]);
    expect(atClient.errors[0]).toMatchObject({ code: "ERR_TOO_LONG", closeCode: 1009 });
  });

  it("S5 S6 accept-protocols: the server takes the first of the client's that it accepts", async () => {
    const { client, server } = await web.pair(
      { acceptProtocols: ["soap", "chat.v1", "chat.v2"] },
      { acceptProtocols: ["chat.v3", "chat.v2", "chat.v1"] },
    );
    expect([client.protocol, server.protocol]).toEqual(["chat.v2", "chat.v2"]);
  });

  it("S6 accept-protocols: the client needs one of its own back, and takes no other", async () => {
    for (const [acceptProtocols, answer] of [
      [["chat"], ""],
      [["chat"], "Sec-WebSocket-Protocol: soap\r\n"],
      [[], "Sec-WebSocket-Protocol: chat\r\n"],
    ] as const) {
      await using raw = await RawServer.listen();
      const client = makeClient(raw.url, { acceptProtocols });
      const recording = new Recording(client);
      client.startConnection();
      await raw.open(answer);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.names).toEqual(["error", "close"]);
      expect(recording.errors[0]).toMatchObject({ code: "ERR_HANDSHAKE_RESPONSE", status: 101 });
    }
  });

  it("S7 additional-headers: Headers, pairs and a record, on both sides", async () => {
    for (const headers of [
      new Headers({ "X-One": "1", "X-Two": "2, 3" }),
      [
        ["X-One", "1"],
        ["X-Two", "2"],
        ["X-Two", "3"],
      ] as [string, string][],
      { "X-One": "1", "X-Two": ["2", "3"] },
    ]) {
      const { client, server } = await web.pair({ additionalHeaders: headers }, { additionalHeaders: headers });
      expect(server.request!.headers.get("x-one")).toBe("1");
      expect(server.request!.headers.get("x-two")).toBe("2, 3");
      expect(client.response!.headers.get("x-one")).toBe("1");
      expect(client.response!.headers.get("x-two")).toBe("2, 3");
      expect(client.response!.status).toBe(101);
    }
  });

  it("S7 additional-headers: CR, LF and NUL throw before anything is sent", async () => {
    let connections = 0;
    web.server.on("connection", () => connections++);
    for (const value of ["a\rb", "a\nb", "a\r\nX-Evil: 1", "a\0b"]) {
      expect(() => web.makeClient({ additionalHeaders: { "X-A": value } })).toThrow(TypeError);
      expect(() => web.makeClient({ additionalHeaders: [[`X-A${value}`, "1"]] })).toThrow(TypeError);
      expect(() => web.makeClient().setHeader("X-A", value)).toThrow(TypeError);
    }
    await turns();
    expect(connections).toBe(0);
    const peer = await RawPeer.connect(web.port);
    peer.write(request());
    const environment = await web.environment();
    for (const value of ["a\rb", "a\nb", "a\r\nX-Evil: 1", "a\0b"]) {
      expect(() => makeServer(environment, { additionalHeaders: { "X-A": value } })).toThrow(TypeError);
    }
    await turns();
    expect(peer.pending).toBe(0);
    peer.destroy();
  });
});

describe("S8 to S15 what a connection tells, and how it starts", () => {
  it("S8 S9 has a version and a protocol", async () => {
    const { client, server } = await web.pair();
    expect([client.version, server.version]).toEqual(["hybi-13", "hybi-13"]);
    expect([client.protocol, server.protocol]).toEqual(["", ""]);
  });

  it("S10 readyState at each point", async () => {
    const client = web.makeClient();
    const states: string[] = [];
    const note = (where: string, connection: Connection): void =>
      void states.push(`${connection.role} ${where}: ${connection.readyState}`);
    note("made", client);
    client.startConnection();
    note("started", client);
    client.on("open", () => note("open", client));
    client.on("close", () => note("close", client));
    const server = await web.makeServer();
    note("made", server);
    server.on("open", () => note("open", server));
    server.on("close", () => note("close", server));
    server.startConnection();
    note("started", server);
    await next(client, "open");
    const both = Promise.all([next(client, "close"), next(server, "close")]);
    void client.closeConnection();
    note("closeConnection", client);
    await both;
    expect(states.slice(0, 7)).toEqual([
      "client made: connecting",
      "client started: connecting",
      "server made: connecting",
      "server open: open",
      "server started: open",
      "client open: open",
      "client closeConnection: closing",
    ]);
    expect(states.slice(7).sort()).toEqual(["client close: closed", "server close: closed"]);
  });

  it("S11 socket is the transport, and raw the runtime's own socket", async () => {
    const client = web.makeClient();
    expect(client.socket).toBeUndefined();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    await next(client, "open");
    for (const { socket } of [client, server]) {
      expect(socket!.raw).toBeInstanceOf(net.Socket);
      expect(socket).toMatchObject({ remoteAddress: "127.0.0.1", secure: false, bufferedAmount: 0 });
    }
    expect(client.socket!.remotePort).toBe(web.port);
    expect(server.socket!.remotePort).toBe((client.socket!.raw as net.Socket).localPort);
  });

  it("S12 startConnection begins the handshake once", async () => {
    const client = web.makeClient();
    expect(client.startConnection()).toBe(true);
    expect(client.startConnection()).toBe(false);
    const server = await web.makeServer();
    expect(server.startConnection()).toBe(true);
    expect(server.startConnection()).toBe(false);
    await next(client, "open");
    expect(client.startConnection()).toBe(false);
    void client.close();
    await next(client, "close");
    expect(client.startConnection()).toBe(false);
  });

  it("S12 startConnection answers false when the request is refused", async () => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request({ "Sec-WebSocket-Version": "8" }));
    const server = await web.makeServer();
    expect(server.request).toBeUndefined();
    expect(server.startConnection()).toBe(false);
    expect(await peer.readHead()).toMatchObject({ status: 426, headers: { "sec-websocket-version": "13" } });
    peer.destroy();
  });

  it("S12 S13 S14 S15 wss: the certificate is verified against the authorities given at startConnection", async () => {
    const { ca, server: identity, unknown } = await certificates();
    const good = await Web.listen(identity);
    const bad = await Web.listen(unknown);
    try {
      const start = async (to: Web, tls?: Parameters<ClientConnection["startConnection"]>[0]): Promise<Recording> => {
        const client = to.makeClient();
        const recording = new Recording(client);
        expect(client.startConnection(tls)).toBe(true);
        void to.makeServer().then((server) => server.startConnection());
        await until(() => recording.entries.length > 0);
        if (client.readyState === "open") expect(client.socket!.secure).toBe(true);
        return recording;
      };
      expect((await start(good, { ca })).names).toEqual(["open"]);
      expect((await start(good, { verify: false })).names).toEqual(["open"]);
      expect((await start(bad, { ca, verify: false })).names).toEqual(["open"]);
      for (const refused of [await start(good), await start(good, { verify: true }), await start(bad, { ca })]) {
        expect(await refused.closed()).toEqual([[1006, ""]]);
        expect(refused.names).toEqual(["error", "close"]);
        expect(refused.errors[0]).toMatchObject({ code: "ERR_CONNECT" });
      }
    } finally {
      await good.close();
      await bad.close();
    }
  });

  it("S12 startConnection refuses options it does not know", () => {
    const client = web.makeClient();
    expect(() => client.startConnection({ caPath: "/etc/ssl" } as object)).toThrow(TypeError);
    expect(client.startConnection()).toBe(true);
  });
});

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
    const { peer, server } = await rawClient();
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
    const { peer, server } = await rawClient();
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
    const { peer, server } = await rawClient();
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
    const { peer, atServer } = await rawClient();
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
    const { peer, atServer } = await rawClient();
    peer.send(op.close, closePayload(4321, "tschüß"));
    expect(await peer.readClose()).toEqual({ code: 4321, reason: "tschüß" });
    await until(() => peer.ended);
    expect(atServer.closes).toEqual([]);
    peer.end();
    expect(await atServer.closed()).toEqual([[4321, "tschüß"]]);

    const empty = await rawClient();
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

/** A port of this machine that nobody listens on. */
async function closedPort(): Promise<number> {
  const raw = await RawServer.listen();
  await raw.close();
  return raw.port;
}

describe("S30 to S35 events", () => {
  it("S30 S31 S33 open, message and close come in order, each with its arguments", async () => {
    const { client, atClient, server, atServer } = await web.pair();
    server.send("from the server");
    client.send("from the client");
    await until(() => atClient.messages.length === 1 && atServer.messages.length === 1);
    void client.close(4001, "why");
    await atServer.closed();
    await atClient.closed();
    expect(atServer.entries).toEqual([["open"], ["message", "from the client"], ["close", 4001, "why"]]);
    expect(atClient.entries).toEqual([["open"], ["message", "from the server"], ["close", 4001, "why"]]);
  });

  it("S32 error comes before close, and kills nothing when nobody listens", async () => {
    const { peer, server, atServer } = await rawClient();
    peer.send(3);
    expect(await peer.readClose()).toMatchObject({ code: 1002 });
    peer.end();
    await atServer.closed();
    expect(atServer.names).toEqual(["open", "error", "close"]);
    expect(server.listenerCount("error")).toBe(1);

    const deaf = RawPeer.open(web.port);
    const alone = await web.makeServer();
    alone.startConnection();
    const other = await deaf;
    other.send(3);
    expect(await other.readClose()).toMatchObject({ code: 1002 });
    other.end();
    await next(alone, "close");
  });

  it("S33 ping, pong and drain are events too", async () => {
    const { client, server, atClient, atServer } = await web.pair();
    client.sendPing("p");
    server.sendPong(Uint8Array.of(1));
    await until(() => atClient.of("pong").length === 2 && atServer.of("ping").length === 1);
    expect(
      atClient
        .of("pong")
        .map((payload) => Buffer.from(payload).toString("latin1"))
        .sort(),
    ).toEqual(["\u0001", "p"]);
    // More than a socket takes at once.
    while (client.send(new Uint8Array(1 << 20)));
    expect(client.bufferedAmount).toBeGreaterThan(65_536);
    await next(client, "drain");
    expect(client.bufferedAmount).toBeLessThanOrEqual(32_768);
    expect(client.send("again")).toBe(true);
  });

  it("S34 S35 on, once, addListener, off, removeListener, removeAllListeners", async () => {
    const { client, server } = await web.pair();
    server.removeAllListeners("message");
    const calls: string[] = [];
    const every = (message: Message): number => calls.push(`every ${String(message)}`);
    const added = (message: Message): number => calls.push(`added ${String(message)}`);
    const one = (message: Message): number => calls.push(`once ${String(message)}`);
    expect(server.on("message", every)).toBe(server);
    server.addListener("message", added);
    server.once("message", one);
    expect(server.listeners("message")).toEqual([every, added, one]);
    expect(server.listenerCount("message")).toBe(3);
    client.send("1");
    client.send("2");
    await until(() => calls.length === 5);
    server.removeListener("message", added);
    client.send("3");
    await until(() => calls.length === 6);
    expect(calls).toEqual(["every 1", "added 1", "once 1", "every 2", "added 2", "every 3"]);
    server.off("message", every);
    expect(server.listeners("message")).toEqual([]);
    expect(server.listenerCount("message")).toBe(0);
    server.once("message", one).removeListener("message", one);
    expect(server.listenerCount("message")).toBe(0);
    server
      .removeAllListeners("pong")
      .on("ping", () => undefined)
      .on("pong", () => undefined);
    server.removeAllListeners("ping");
    expect([server.listenerCount("ping"), server.listenerCount("pong")]).toEqual([0, 1]);
    server.removeAllListeners();
    expect(server.listenerCount("pong")).toBe(0);
    expect(() => server.on("message", "not a function" as never)).toThrow(TypeError);
  });

  it("S35 emit calls the listeners in order, and tells whether there were any", async () => {
    const { client } = await web.pair();
    const calls: unknown[] = [];
    expect(client.emit("drain")).toBe(true); // the recording listens
    client.on("message", (message) => calls.push(1, message)).once("message", () => calls.push(2));
    expect(client.emit("message", "made up")).toBe(true);
    expect(client.emit("message", "again")).toBe(true);
    expect(calls).toEqual([1, "made up", 2, 1, "again"]);
    client.removeAllListeners("message");
    expect(client.emit("message", "nobody")).toBe(false);
  });

  it("S35 a listener may add and remove listeners while they are called", async () => {
    const { client } = await web.pair();
    const calls: string[] = [];
    const second = (): number => calls.push("second");
    client.on("pong", () => {
      calls.push("first");
      client.off("pong", second);
      client.once("pong", () => calls.push("added"));
    });
    client.on("pong", second);
    client.emit("pong", new Uint8Array(0));
    // As with Node's: who was there when the event came is called.
    expect(calls).toEqual(["first", "second"]);
    client.emit("pong", new Uint8Array(0));
    expect(calls).toEqual(["first", "second", "first", "added"]);
  });
});

describe("S36 to S42 the protocol", () => {
  it("S36 fragments become one message", async () => {
    const { peer, atServer } = await rawClient();
    const text = Buffer.from("Grüße 👋");
    // Cut inside characters.
    for (let i = 0; i < text.length; i++)
      peer.send(i === 0 ? op.text : op.continuation, text.subarray(i, i + 1), { fin: i === text.length - 1 });
    peer.send(op.binary, "", { fin: false });
    peer.send(op.continuation, Uint8Array.of(1), { fin: false });
    peer.send(op.continuation, "");
    await until(() => atServer.messages.length === 2);
    expect(atServer.messages).toEqual(["Grüße 👋", Uint8Array.of(1)]);
    peer.destroy();
  });

  it("S37 control frames may come between fragments, and are answered at once", async () => {
    const { peer, atServer } = await rawClient();
    peer.send(op.text, "frag", { fin: false });
    peer.send(op.ping, "now");
    expect(await peer.readFrame()).toMatchObject({ opcode: op.pong, payload: Buffer.from("now") });
    expect(atServer.messages).toEqual([]);
    peer.send(op.pong);
    peer.send(op.continuation, "ment");
    await until(() => atServer.messages.length === 1);
    expect(atServer.names).toEqual(["open", "ping", "pong", "message"]);
    peer.destroy();
  });

  const breaches: [row: string, what: string, bytes: Uint8Array, code: number][] = [
    ["S38", "an unmasked frame", frame(op.text, "a", { mask: false }), 1002],
    ["S39", "RSV1", frame(op.text, "a", { rsv: 0x40 }), 1002],
    ["S39", "RSV2", frame(op.text, "a", { rsv: 0x20 }), 1002],
    ["S39", "RSV3 on a control frame", frame(op.ping, "a", { rsv: 0x10 }), 1002],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, string, Uint8Array, number] => [
      "S40",
      `opcode ${opcode}`,
      frame(opcode),
      1002,
    ]),
    ["S40", "a continuation of nothing", frame(op.continuation, "a"), 1002],
    ["S40", "a text inside a message", Buffer.concat([frame(1, "a", { fin: false }), frame(1, "b")]), 1002],
    ["S40", "a fragmented ping", frame(op.ping, "a", { fin: false }), 1002],
    ["S40", "a ping of 126 bytes", frame(op.ping, Buffer.alloc(126)), 1002],
    ["S41", "a text that is not UTF-8", frame(op.text, Uint8Array.of(0x61, 0xc0)), 1007],
    ["S41", "a close reason that is not UTF-8", frame(op.close, closePayload(1000, Uint8Array.of(0xff))), 1007],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((code): [string, string, Uint8Array, number] => [
      "S42",
      `a Close with ${code}`,
      frame(op.close, closePayload(code)),
      1002,
    ]),
    ["S42", "a Close of one byte", frame(op.close, "x"), 1002],
  ];
  it.each(breaches)("%s %s", async (_, __, bytes, code) => {
    const { peer, atServer } = await rawClient();
    peer.write(Buffer.concat([bytes, frame(op.text, "discarded")]));
    expect(await peer.readClose()).toMatchObject({ code });
    expect(await peer.rest()).toHaveLength(0);
    peer.end();
    // §7.1.5: no Close frame of the peer's was taken.
    expect(await atServer.closed()).toEqual([[1006, ""]]);
    expect(atServer.names).toEqual(["open", "error", "close"]);
    expect(atServer.errors[0]).toMatchObject({ closeCode: code });
  });

  it("S38 a masked frame fails a client", async () => {
    await using raw = await RawServer.listen();
    const client = makeClient(raw.url);
    const recording = new Recording(client);
    client.startConnection();
    const peer = await raw.open();
    peer.send(op.text, "a");
    expect(await peer.readClose()).toMatchObject({ code: 1002 });
    peer.end();
    expect(await recording.closed()).toEqual([[1006, ""]]);
  });

  it("S42 every code that may be sent is taken, and reported at both sides", async () => {
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]) {
      const { client, atServer, atClient } = await web.pair();
      void client.close(code, `r${code}`);
      expect(await atServer.closed()).toEqual([[code, `r${code}`]]);
      expect(await atClient.closed()).toEqual([[code, `r${code}`]]);
      expect(atServer.errors).toEqual([]);
    }
  });

  it("S42 1006 when the transport ends without a Close", async () => {
    const { peer, server, atServer } = await rawClient();
    peer.end();
    expect(await atServer.closed()).toEqual([[1006, ""]]);
    expect(server.wasClean).toBe(false);
    expect(atServer.names).toEqual(["open", "close"]);
  });
});

describe("S43 to S45 push, pull and the port", () => {
  it("S43 push: messages go to the listeners as they come", async () => {
    const { client, atServer } = await web.pair();
    for (let i = 0; i < 1000; i++) client.send(`message ${i}`);
    await until(() => atServer.messages.length === 1000);
    expect(atServer.messages).toEqual(Array.from({ length: 1000 }, (_, i) => `message ${i}`));
  });

  it("S44 pull: for await takes messages in order and ends at a clean close", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    const got: Message[] = [];
    const loop = (async () => {
      for await (const message of server) got.push(message);
    })();
    await next(client, "open");
    for (let i = 0; i < 1000; i++) client.send(String(i));
    await client.close();
    await loop;
    expect(got).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
  });

  it("S44 pull: leaving the loop closes nothing, and another one goes on", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    await next(client, "open");
    for (const message of ["a", "b", "c"]) client.send(message);
    const got: Message[] = [];
    for await (const message of server) {
      got.push(message);
      break;
    }
    expect(server.readyState).toBe("open");
    void client.close();
    for await (const message of server) got.push(message);
    expect(got).toEqual(["a", "b", "c"]);
  });

  it("S44 pull: read() gives one message each, then undefined", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    await next(client, "open");
    const first = server.read();
    const second = server.read();
    client.send("1");
    client.send(Uint8Array.of(2));
    client.send("3");
    expect([await first, await second]).toEqual(["1", Uint8Array.of(2)]);
    expect(await server.read()).toBe("3");
    const none = server.read();
    await client.close();
    expect(await none).toBeUndefined();
    expect(await server.read()).toBeUndefined();
  });

  it("S44 pull: what came before a break is still given, then ERR_CLOSED", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    await next(client, "open");
    client.send("1");
    client.send("2");
    expect(await server.read()).toBe("1");
    client.terminate();
    await next(server, "close");
    expect(await server.read()).toBe("2");
    expect(await thrownBy(() => server.read())).toMatchObject({ code: "ERR_CLOSED" });
    const error = await thrownBy(async () => {
      for await (const message of server) throw new Error(`There is a message ${String(message)}.`);
    });
    expect(error).toMatchObject({ code: "ERR_CLOSED" });
  });

  /** A web server on the port's own terms: it reads the head, then hands the transport on. */
  function serve(transport: MemoryTransport, options?: Parameters<typeof makeServer>[1]): Promise<ServerConnection> {
    const made = deferred<ServerConnection>();
    let text = "";
    const reader: TransportHandler = {
      data(chunk) {
        text += Buffer.from(chunk).toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        const [line = "", ...fields] = text.slice(0, end).split("\r\n");
        const [method, url] = line.split(" ");
        const headers = fields.map((field): [string, string] => {
          const colon = field.indexOf(":");
          return [field.slice(0, colon), field.slice(colon + 1).trim()];
        });
        const head = new Uint8Array(Buffer.from(text.slice(end + 4), "latin1"));
        made.resolve(makeServer({ method, url, headers, socket: transport, head }, options));
      },
      end: () => undefined,
      close: () => undefined,
    };
    transport.start(reader);
    return made.promise;
  }

  /** Node's clock and randomness, and a dial that leads nowhere but here. */
  const hostOver = (transport: MemoryTransport): Host => ({
    ...nodeHost,
    name: "memory",
    dial: () => Promise.resolve(transport),
  });

  it.each([Infinity, 1, 7, 4096])(
    "S45 the port: the whole protocol over a pipe in memory, %s bytes a chunk",
    async (size) => {
      const [near, far] = MemoryTransport.pipe(size);
      const client = driverFor(hostOver(near)).makeClient("ws://memory/path?query", { acceptProtocols: ["p"] });
      const atClient = new Recording(client);
      client.send("queued");
      client.startConnection();
      const server = await serve(far, { acceptProtocols: ["p"], additionalHeaders: { "X-A": "b" } });
      const atServer = new Recording(server);
      expect(server.request).toMatchObject({ path: "/path", query: "query", host: "memory" });
      server.startConnection();
      await until(() => client.readyState === "open");
      expect([client.protocol, client.response!.headers.get("x-a")]).toEqual(["p", "b"]);
      expect(client.socket).toBe(near);
      expect(server.socket).toBe(far);

      const large = noise(size < 100 ? 3000 : 300_000);
      let answered = 0;
      client.sendPing("ping", () => answered++);
      client.send(large);
      server.send("ünder way");
      server.send(large, { fin: false });
      server.sendPing("inside", () => answered++);
      server.send(large, { type: "continuation" });
      await until(() => answered === 2 && atServer.messages.length === 2 && atClient.messages.length === 2);
      expect(atServer.messages[0]).toBe("queued");
      expect(equal(atServer.messages[1] as Uint8Array, large)).toBe(true);
      expect(atClient.messages[0]).toBe("ünder way");
      expect(equal(atClient.messages[1] as Uint8Array, Buffer.concat([large, large]))).toBe(true);

      expect(await client.close(4000, "over")).toEqual({ code: 4000, reason: "over", wasClean: true });
      expect(await atServer.closed()).toEqual([[4000, "over"]]);
      expect(await atClient.closed()).toEqual([[4000, "over"]]);
      expect(atClient.errors).toEqual([]);
      expect(atServer.errors).toEqual([]);
    },
  );

  it("S45 the port: what a transport has read behind the request reaches the connection first", async () => {
    const [near, far] = MemoryTransport.pipe();
    near.write([Buffer.from(request()), frame(op.text, "one")], () => undefined);
    near.write([frame(op.text, "two")], () => undefined);
    near.start({ data: () => undefined, end: () => near.end(), close: () => undefined });
    const all = deferred<ServerConnection>();
    let text = Buffer.alloc(0);
    far.start({
      data(chunk) {
        text = Buffer.concat([text, chunk]);
        const at = text.indexOf("\r\n\r\n") + 4;
        if (at < 4 || text.length === at) return;
        const env = { headers: [["Host", "a"]] as [string, string][], socket: far, head: text.subarray(at) };
        for (const line of text.toString("latin1", 0, at).split("\r\n").slice(2, -2))
          env.headers.push(line.split(": ") as [string, string]);
        all.resolve(makeServer(env));
      },
      end: () => undefined,
      close: () => undefined,
    });
    const server = await all.promise;
    const recording = new Recording(server);
    server.startConnection();
    await until(() => recording.messages.length === 2);
    expect(recording.messages).toEqual(["one", "two"]);
    near.destroy();
    expect(await recording.closed()).toEqual([[1006, ""]]);
  });

  it("S45 the port: pausing reaches the transport, and one close comes from terminating either end", async () => {
    for (const which of ["client", "server"] as const) {
      const [near, far] = MemoryTransport.pipe();
      const client = driverFor(hostOver(near)).makeClient("ws://memory/");
      const atClient = new Recording(client);
      client.startConnection();
      const server = await serve(far);
      const atServer = new Recording(server);
      server.startConnection();
      await next(client, "open");
      server.pause();
      expect(server.isPaused).toBe(true);
      for (let i = 0; i < 10; i++) client.send(noise(10_000, i));
      await turns();
      expect(atServer.messages.length).toBe(0);
      expect(client.bufferedAmount).toBe(10 * 10_008);
      server.resume();
      await until(() => atServer.messages.length === 10);
      expect(client.bufferedAmount).toBe(0);
      (which === "client" ? client : server).terminate();
      expect(await atClient.closed()).toEqual([[1006, ""]]);
      expect(await atServer.closed()).toEqual([[1006, ""]]);
    }
  });
});

describe("S47 to S51 the codec on its own, and the examples", () => {
  it("S47 composes frames: every length form, masked and not", () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
      const payload = noise(length);
      const maskingKey = Uint8Array.of(1, 2, 3, 4);
      const plain = frame(op.binary, payload, { mask: false });
      const masked = frame(op.text, payload, { fin: false, rsv: 0x40, mask: maskingKey });
      const header = { opcode: op.text, fin: false, rsv: 0x40, maskingKey };
      expect(plain.equals(encodeFrame({ opcode: op.binary, payload }))).toBe(true);
      expect(masked.equals(encodeFrame({ ...header, payload }))).toBe(true);
      expect(masked.subarray(0, masked.length - length).equals(encodeFrameHeader(header, length))).toBe(true);
    }
  });

  it("S48 parses frames at an offset, and reports payloads by callback, however the bytes are cut", () => {
    const hello = frame(op.text, "Hello", { mask: Uint8Array.of(9, 8, 7, 6) });
    const bytes = new Uint8Array(Buffer.concat([Buffer.from("xx"), hello, frame(op.ping, "p")]));
    expect(decodeFrameHeader(bytes, 2)).toEqual({
      fin: true,
      rsv: 0,
      opcode: op.text,
      maskingKey: Uint8Array.of(9, 8, 7, 6),
      payloadLength: 5,
      headerLength: 6,
    });
    expect(decodeFrameHeader(bytes.subarray(0, 7), 2)).toBeUndefined();
    for (let cut = 2; cut <= bytes.length; cut++) {
      const pieces: Piece[] = [];
      using decoder = new Decoder({ role: "server" });
      for (const chunk of [bytes.subarray(2, cut), bytes.subarray(cut)])
        decoder.decode(chunk, { piece: (piece) => pieces.push(piece) });
      const payloadOf = (opcode: number): string =>
        Buffer.concat(pieces.filter((piece) => piece.opcode === opcode).map(({ data }) => data)).toString();
      expect([payloadOf(op.text), payloadOf(op.ping)]).toEqual(["Hello", "p"]);
      expect(pieces.filter(({ first }) => first)).toHaveLength(2);
      expect(pieces.filter(({ last }) => last)).toHaveLength(2);
    }
  });

  it("S48 gives keys and payloads in memory of their own, whoever passes a Buffer in", () => {
    const bytes = frame(op.text, "Hello", { mask: Uint8Array.of(9, 8, 7, 6) });
    const { maskingKey } = decodeFrameHeader(bytes)!;
    const pieces: Piece[] = [];
    using decoder = new Decoder({ role: "server" });
    decoder.decode(bytes, { piece: (piece) => pieces.push(piece) });
    bytes.fill(0);
    decoder.decode(frame(op.text, "other"), { piece: () => undefined });
    expect(new Uint8Array(maskingKey!)).toEqual(Uint8Array.of(9, 8, 7, 6));
    expect(pieces.map(({ data }) => Buffer.from(data).toString())).toEqual(["Hello"]);
  });

  it("S49 masks, validates and computes the accept key", () => {
    const key = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
    // RFC 6455 §5.7: "Hello", masked.
    const masked = Uint8Array.of(0x7f, 0x9f, 0x4d, 0x51, 0x58);
    const hello = new Uint8Array(Buffer.from("Hello"));
    expect(mask(hello, key)).toEqual(masked);
    expect(mask(masked.subarray(2), key, 2)).toEqual(hello.subarray(2));
    expect(validateUtf8(Buffer.from("Grüße"))).toBe(true);
    expect(validateUtf8(Buffer.from("Grüße").subarray(0, 3))).toBe(false);
    expect(acceptKey(sampleKey)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("S50 the echo example, in the seed's few lines", async () => {
    web.server.removeAllListeners("upgrade");
    web.server.on("upgrade", (message, socket, head) => {
      const { method, url, headers } = message;
      const ws = makeServer({ method, url, headers, socket, head });
      ws.on("message", (text) => ws.send(text));
      ws.startConnection();
    });
    const client = web.makeClient();
    client.startConnection();
    client.send("Hi");
    const [echo] = await next(client, "message");
    expect(echo).toBe("Hi");
    await client.close();
  });

  it("S51 the parser takes the seed's benchmark frame over and over", () => {
    using decoder = new Decoder({ role: "server" });
    const one = frame(op.text, "Hello", { mask: Uint8Array.of(0x37, 0xfa, 0x21, 0x3d) });
    const chunk = Buffer.concat(Array.from({ length: 5000 }, () => one));
    let count = 0;
    for (let i = 0; i < 20; i++) {
      decoder.decode(chunk, {
        piece({ data }) {
          if (data.length === 5 && data[0] === 0x48 && data[4] === 0x6f) count++;
        },
      });
    }
    expect(count).toBeGreaterThanOrEqual(99_000); // a frame cut between two windows comes in two pieces
  });
});
