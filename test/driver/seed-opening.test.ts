import * as http from "node:http";
import * as net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  isWebSocket,
  makeClient,
  makeServer,
  type ClientConnection,
  type Connection,
  type Message,
} from "../../src/driver.ts";
import { certificates } from "../helpers/certificates.ts";
import { equal } from "../helpers/bytes.ts";
import { RawPeer, RawServer, frame, op, request, sampleKey } from "../helpers/raw-peer.ts";
import { Recording, next, turns, until } from "../helpers/until.ts";
import { Web, rawClient } from "../helpers/web.ts";

let web: Web;
beforeEach(async () => {
  web = await Web.listen();
});
afterEach(() => web.close());

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
    const { peer, atServer } = await rawClient(web, { maxLength: 10 });
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
