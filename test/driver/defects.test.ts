import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { driverFor, makeClient, makeServer } from "../../src/driver.ts";
import type { ClientOptions, ConnectionOptions, ServerConnection } from "../../src/driver.ts";
import { host as nodeHost } from "../../src/hosts/node.ts";
import { Server } from "../../src/index.ts";
import { noise } from "../helpers/bytes.ts";
import { RawPeer, RawServer, closePayload, frame, op, request, switching } from "../helpers/raw-peer.ts";
import { Recording, next, turns, until } from "../helpers/until.ts";
import { Web } from "../helpers/web.ts";

let web: Web;
beforeEach(async () => {
  web = await Web.listen();
});
afterEach(() => web.close());

interface Opened {
  readonly peer: RawPeer;
  readonly server: ServerConnection;
  readonly atServer: Recording;
}

/** A raw client on a connection of the driver's. */
async function open(options?: ConnectionOptions): Promise<Opened> {
  const opening = RawPeer.open(web.port);
  const server = await web.makeServer(options);
  const atServer = new Recording(server);
  server.startConnection();
  return { peer: await opening, server, atServer };
}

/** A client of the driver's on a raw server. */
async function openClient(raw: RawServer, options?: ClientOptions) {
  const client = makeClient(raw.url, options);
  const atClient = new Recording(client);
  client.startConnection();
  const peer = await raw.open();
  await until(() => client.readyState === "open");
  return { peer, client, atClient };
}

describe("the seed's fifteen defects", () => {
  it("seed defect 1: a masked frame cut inside its payload arrives whole, wherever it is cut", async () => {
    const { peer, server, atServer } = await open();
    const bytes = frame(op.text, "HelloWorld", { mask: Uint8Array.of(0x11, 0x22, 0x33, 0x44) });
    let chunks = 0;
    (server.socket!.raw as NodeJS.ReadableStream).on("data", () => chunks++);
    for (let cut = 1; cut < bytes.length; cut++) {
      await peer.writeEach([bytes.subarray(0, cut)]);
      await until(() => chunks === 2 * cut - 1);
      await peer.writeEach([bytes.subarray(cut)]);
      await until(() => chunks === 2 * cut);
    }
    expect(atServer.messages).toEqual(Array.from({ length: bytes.length - 1 }, () => "HelloWorld"));
    // And cut everywhere at once.
    for (const byte of bytes) await peer.writeEach([Uint8Array.of(byte)]);
    await until(() => atServer.messages.length === bytes.length);
    expect(atServer.messages.at(-1)).toBe("HelloWorld");
    peer.destroy();
  });

  it("seed defect 1: a large masked frame survives cuts of every phase", async () => {
    const { peer, atServer } = await open();
    const payload = noise(200_003);
    const bytes = frame(op.binary, payload);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 3) % 30_011)
      await peer.writeEach([bytes.subarray(at, at + size)]);
    await until(() => atServer.messages.length === 1);
    expect(Buffer.compare(atServer.messages[0] as Uint8Array, payload)).toBe(0);
    peer.destroy();
  });

  it("seed defect 2: fourteen bytes that declare 2^40 allocate nothing", async () => {
    const header = (length: bigint): Buffer => frame(op.binary, "", { length }).subarray(0, 14);
    for (const length of [2n ** 31n, 2n ** 32n + 10n, 2n ** 40n, 2n ** 53n, 2n ** 63n - 1n]) {
      const { peer, atServer } = await open();
      const before = process.memoryUsage().arrayBuffers;
      peer.write(header(length));
      expect(await peer.readClose()).toMatchObject({ code: 1009 });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
      peer.end();
      await atServer.closed();
    }
    // Where the limit lets it through, memory grows with what comes and not with what is announced.
    const { peer, server, atServer } = await open({ maxLength: Number.MAX_SAFE_INTEGER });
    const before = process.memoryUsage().arrayBuffers;
    let chunks = 0;
    (server.socket!.raw as NodeJS.ReadableStream).on("data", () => chunks++);
    peer.write(Buffer.concat([header(2n ** 40n), Buffer.alloc(1000)]));
    await until(() => chunks > 0);
    await turns(10);
    expect(server.readyState).toBe("open");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    peer.destroy();
    expect(await atServer.closed()).toEqual([[1006, ""]]);
  });

  it("seed defect 3: maxLength holds over the fragments of a message together", async () => {
    const { peer, atServer } = await open({ maxLength: 100 });
    peer.send(op.binary, Buffer.alloc(60), { fin: false });
    // The header alone says that it will be too much.
    peer.write(frame(op.continuation, Buffer.alloc(41)).subarray(0, 6));
    expect(await peer.readClose()).toMatchObject({ code: 1009 });
    expect(atServer.messages).toEqual([]);
    expect(atServer.errors[0]).toMatchObject({ code: "ERR_TOO_LONG" });
    peer.destroy();
  });

  it("seed defect 4: after a protocol error nothing more is parsed or emitted", async () => {
    const { peer, server, atServer } = await open();
    peer.write(Buffer.concat([frame(op.text, "before"), frame(3), frame(op.text, "same chunk"), frame(op.ping, "p")]));
    expect(await peer.readClose()).toMatchObject({ code: 1002 });
    expect(server.readyState).toBe("closing");
    // In other chunks, too; the last is a breach again, and a Close.
    await peer.writeEach([frame(op.text, "later"), frame(op.ping, "p"), frame(7), frame(op.close, closePayload(1000))]);
    expect(await peer.rest()).toHaveLength(0);
    peer.end();
    expect(await atServer.closed()).toEqual([[1006, ""]]);
    expect(atServer.names).toEqual(["open", "message", "error", "close"]);
    expect(atServer.messages).toEqual(["before"]);
  });

  const ends: [path: string, end: (opened: Opened) => unknown, close: [number, string]][] = [
    [
      "a clean close by the peer",
      ({ peer }) => (peer.send(op.close, closePayload(1000, "x")), peer.end()),
      [1000, "x"],
    ],
    ["a Close without a code", ({ peer }) => (peer.send(op.close), peer.end()), [1005, ""]],
    [
      "a clean close by us",
      async ({ peer, server }) => {
        void server.close(3000, "mine");
        await peer.readClose();
        peer.send(op.close, closePayload(3001, "yours"));
        peer.end();
      },
      [3001, "yours"],
    ],
    ["the end of the stream", ({ peer }) => peer.end(), [1006, ""]],
    ["a reset", ({ peer }) => peer.reset(), [1006, ""]],
    ["a protocol error", ({ peer }) => (peer.send(5), peer.end()), [1006, ""]],
    ["terminate", ({ server }) => server.terminate(), [1006, ""]],
    ["terminate, twice", ({ server }) => (server.terminate(), server.terminate()), [1006, ""]],
    [
      "close and then terminate",
      ({ server }) => {
        void server.close();
        server.terminate();
      },
      [1006, ""],
    ],
    [
      "a Close that the peer never answers",
      async ({ peer, server }) => {
        void server.close();
        await peer.readClose();
      },
      [1006, ""],
    ],
  ];
  it.each(ends)("seed defect 5: `close` fires once: %s", async (path, end, close) => {
    // Only where nothing else ends it does closeTimeout have to.
    const opened = await open({ closeTimeout: path.includes("never answers") ? 50 : 60_000 });
    await end(opened);
    expect(await opened.atServer.closed()).toEqual([close]);
    expect(opened.atServer.names.at(-1)).toBe("close");
    expect(opened.server).toMatchObject({ readyState: "closed", closeCode: close[0], closeReason: close[1] });
    opened.peer.destroy();
    await turns(10);
    expect(opened.atServer.closes).toHaveLength(1);
  });

  it("seed defect 5: `close` fires once: a refused request, and a client that nobody answers", async () => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request({ "Sec-WebSocket-Version": "7" }));
    const server = await web.makeServer();
    const atServer = new Recording(server);
    server.startConnection();
    expect((await peer.readHead()).status).toBe(426);
    peer.end();
    expect(await atServer.closed()).toEqual([[1006, ""]]);
    expect(atServer.names).toEqual(["error", "close"]);

    await using raw = await RawServer.listen();
    const client = makeClient(raw.url);
    const atClient = new Recording(client);
    client.startConnection();
    (await raw.request()).peer.end();
    expect(await atClient.closed()).toEqual([[1006, ""]]);
    expect(atClient.names).toEqual(["error", "close"]);
  });

  it("seed defect 6: a client's close sends a Close frame, and waits for the answer", async () => {
    await using raw = await RawServer.listen();
    const { peer, client, atClient } = await openClient(raw);
    void client.closeConnection("over", 3000);
    expect(await peer.readClose()).toEqual({ code: 3000, reason: "over" });
    expect([client.readyState, peer.ended]).toEqual(["closing", false]);
    // What comes before the answer is still received (§5.5.1).
    peer.send(op.text, "still", { mask: false });
    await until(() => atClient.messages.length === 1);
    peer.send(op.close, closePayload(3000, "over"), { mask: false });
    await turns(10);
    // §7.1.1: the server is to close the transport first.
    expect([client.readyState, peer.ended]).toEqual(["closing", false]);
    peer.end();
    expect(await atClient.closed()).toEqual([[3000, "over"]]);
    expect(client.wasClean).toBe(true);
  });

  it("seed defect 6: a server waits for the answer to its Close", async () => {
    const { peer, server, atServer } = await open();
    void server.close(1001, "bye");
    expect(await peer.readClose()).toEqual({ code: 1001, reason: "bye" });
    await turns(10);
    expect([server.readyState, peer.ended]).toEqual(["closing", false]);
    peer.send(op.text, "one more");
    peer.send(op.close, closePayload(1001));
    await until(() => peer.ended);
    peer.end();
    expect(await atServer.closed()).toEqual([[1001, ""]]);
    expect(atServer.messages).toEqual(["one more"]);
  });

  it("seed defect 6: no second Close frame goes out", async () => {
    const { peer, server, atServer } = await open();
    void server.close(1000);
    void server.close(1001);
    server.send("", { type: "close", code: 3000 });
    peer.send(op.close, closePayload(1000));
    expect(await peer.readClose()).toEqual({ code: 1000, reason: "" });
    expect(await peer.rest()).toHaveLength(0);
    peer.end();
    await atServer.closed();

    // Both at once: each has sent one, and neither answers the other's.
    const { client, server: other, atClient, atServer: atOther } = await web.pair();
    void client.close(3000);
    void other.close(3001);
    expect(await atClient.closed()).toEqual([[3001, ""]]);
    expect(await atOther.closed()).toEqual([[3000, ""]]);

    // A peer that closes twice.
    const twice = await open();
    twice.peer.write(Buffer.concat([frame(op.close, closePayload(1000)), frame(op.close, closePayload(3000))]));
    expect(await twice.peer.readClose()).toMatchObject({ code: 1000 });
    expect(await twice.peer.rest()).toHaveLength(0);
    twice.peer.end();
    expect(await twice.atServer.closed()).toEqual([[1000, ""]]);
  });

  it.each([
    ["no key", { "Sec-WebSocket-Key": undefined }, 400],
    ["two keys", { "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="] }, 400],
    ["a key of 15 bytes", { "Sec-WebSocket-Key": "c2hvcnQgYnkgb25lIGI=" }, 400],
    ["no version", { "Sec-WebSocket-Version": undefined }, 426],
    ["version 8", { "Sec-WebSocket-Version": "8" }, 426],
    ["version 13,13", { "Sec-WebSocket-Version": "13, 13" }, 426],
  ] as const)("seed defect 7: %s does not open a connection", async (_, changes, status) => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request(changes));
    const server = await web.makeServer();
    const atServer = new Recording(server);
    expect(server.startConnection()).toBe(false);
    const answer = await peer.readHead();
    expect(answer.status).toBe(status);
    if (status === 426) expect(answer.headers).toMatchObject({ "sec-websocket-version": "13", upgrade: "websocket" });
    peer.end();
    await atServer.closed();
    expect(atServer.names).toEqual(["error", "close"]);
    expect(atServer.errors[0]).toMatchObject({ code: "ERR_HANDSHAKE_REQUEST", status });
  });

  it("seed defect 8: a ping's callback runs, with a string and with bytes", async () => {
    const { peer, server } = await open();
    const answered: string[] = [];
    const bytes = Buffer.from("later changed");
    server.sendPing("text", () => answered.push("text"));
    server.sendPing(bytes, () => answered.push("bytes"));
    bytes.fill(0);
    for (const expected of ["text", "later changed"]) {
      const { opcode, payload } = await peer.readFrame();
      expect([opcode, payload.toString()]).toEqual([op.ping, expected]);
      peer.send(op.pong, payload);
    }
    await until(() => answered.length === 2);
    expect(answered).toEqual(["text", "bytes"]);
    peer.destroy();
  });

  it("seed defect 9: control frames over 125 bytes and reasons over 123 are not sent", async () => {
    const { peer, server } = await open();
    // By bytes of UTF-8, not by characters.
    for (const payload of [Buffer.alloc(126), "a".repeat(126), "é".repeat(63)]) {
      const wrong = { name: "RangeError", code: "ERR_CONTROL_TOO_LONG" };
      expect(() => server.sendPing(payload)).toThrow(expect.objectContaining(wrong));
      expect(() => server.sendPong(payload)).toThrow(expect.objectContaining(wrong));
      expect(() => server.send(payload, { type: "ping" })).toThrow(expect.objectContaining(wrong));
    }
    for (const reason of ["a".repeat(124), "é".repeat(62)]) {
      expect(() => server.close(1000, reason)).toThrow(RangeError);
      expect(() => server.closeConnection(reason)).toThrow(RangeError);
      expect(() => server.send(reason, { type: "close" })).toThrow(RangeError);
    }
    expect(server.readyState).toBe("open");
    server.sendPing("é".repeat(62) + "a");
    expect((await peer.readFrame()).payload).toHaveLength(125);
    void server.close(1000, "é".repeat(61) + "a");
    expect((await peer.readFrame()).payload).toHaveLength(125);
    peer.destroy();
  });

  it("seed defect 10: masking keys are the host's random bytes, fresh for each frame, and any byte may come", async () => {
    await using raw = await RawServer.listen();
    const { peer, client } = await openClient(raw);
    const seen = new Set<string>();
    const bytes = new Set<number>();
    for (let i = 0; i < 3000; i++) client.send("x");
    client.send(noise(20_000));
    client.sendPing("p");
    void client.close();
    for (let i = 0; i < 3003; i++) {
      const { maskingKey } = await peer.readFrame();
      seen.add(maskingKey!.toString("hex"));
      for (const byte of maskingKey!) bytes.add(byte);
    }
    // Of 3,003 random words two are alike once in a thousand runs; of 12,012 bytes each value is missing never.
    expect(seen.size).toBeGreaterThanOrEqual(3002);
    expect(bytes.size).toBe(256);
    peer.destroy();

    const drawn: Buffer[] = [];
    const host = {
      ...nodeHost,
      random(fill: Uint8Array): void {
        nodeHost.random(fill);
        drawn.push(Buffer.from(fill));
      },
    };
    const watched = driverFor(host).makeClient(raw.url);
    watched.startConnection();
    const { peer: second, head, accept } = await raw.request();
    // §4.1, item 7: the nonce is 16 random bytes.
    expect(Buffer.from(head.headers["sec-websocket-key"]!, "base64")).toEqual(drawn[0]);
    expect(drawn[0]).toHaveLength(16);
    second.write(switching(accept));
    await next(watched, "open");
    for (let i = 0; i < 3; i++) watched.send("x");
    const pool = Buffer.concat(drawn.slice(1));
    for (let i = 0; i < 3; i++) expect((await second.readFrame()).maskingKey).toEqual(pool.subarray(4 * i, 4 * i + 4));
  });

  it("seed defect 10: no two handshakes have the same key", async () => {
    await using raw = await RawServer.listen();
    const keys = new Set<string>();
    for (let i = 0; i < 20; i++) {
      makeClient(raw.url).startConnection();
      const { head, peer } = await raw.request();
      keys.add(head.headers["sec-websocket-key"]!);
      peer.destroy();
    }
    expect(keys.size).toBe(20);
  });

  it("seed defect 11: CR and LF in additional headers do not pass", async () => {
    const opening = RawPeer.connect(web.port);
    const peer = await opening;
    peer.write(request());
    const environment = await web.environment();
    for (const bad of ["x\r\nSet-Cookie: a=b", "x\n", "\rx", "x\0"]) {
      const wrong = expect.objectContaining({ name: "TypeError", code: "ERR_HEADER" });
      expect(() => makeServer(environment, { additionalHeaders: { "X-A": bad } })).toThrow(wrong);
      for (const additionalHeaders of [{ "X-A": bad }, [["X-A", bad]] as [string, string][], { [`X-${bad}`]: "a" }]) {
        expect(() => makeClient(web.url, { additionalHeaders })).toThrow(wrong);
      }
    }
    const server = makeServer(environment);
    expect(() => server.setHeader("X-A", "x\r\ny")).toThrow(TypeError);
    server.setHeader("X-A", "fine").startConnection();
    expect((await peer.readHead()).headers).toMatchObject({ "x-a": "fine" });
    expect(() => server.setHeader("X-A", "late")).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
    peer.destroy();
  });

  it("seed defect 12: `keep-alive, Upgrade` opens a connection", async () => {
    for (const Connection of ["keep-alive, Upgrade", "Upgrade, keep-alive", "KEEP-ALIVE ,\tupgrade"]) {
      const opening = RawPeer.open(web.port, { Connection });
      const server = await web.makeServer();
      expect(server.startConnection()).toBe(true);
      (await opening).destroy();
      await next(server, "close");
    }
  });

  it("seed defect 12: reading headers has a limit", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1" });
    const address = (await server.listen()) as { port: number };
    const peer = await RawPeer.connect(address.port);
    peer.write("GET / HTTP/1.1\r\nHost: a\r\n");
    // Endless: it stops only because the answer has come.
    const line = `X-Filler: ${"f".repeat(1000)}\r\n`;
    let sent = 0;
    for (; peer.pending === 0 && sent < 1 << 20; sent += line.length) {
      peer.write(line);
      await turns(1);
    }
    expect((await peer.readHead()).status).toBe(431);
    expect(sent).toBeLessThan(1 << 20);
    peer.destroy();
  });

  it.each([1012, 1013, 1014])("seed defect 13: a Close with %i is answered with the same", async (code) => {
    const { peer, atServer } = await open();
    peer.send(op.close, closePayload(code, "busy"));
    expect(await peer.readClose()).toEqual({ code, reason: "busy" });
    peer.end();
    expect(await atServer.closed()).toEqual([[code, "busy"]]);
    expect(atServer.errors).toEqual([]);
  });

  it("seed defect 13: a reason that is not UTF-8 is answered with 1007, and escapes nowhere", async () => {
    const { peer, server, atServer } = await open();
    // Nobody listens: the error must not kill the process.
    server.removeAllListeners("error");
    peer.send(op.close, closePayload(1000, Uint8Array.of(0x61, 0xed, 0xa0, 0x80)));
    expect(await peer.readClose()).toMatchObject({ code: 1007 });
    peer.end();
    expect(await atServer.closed()).toEqual([[1006, ""]]);
  });

  it("seed defect 14: closing with a code that may not be sent throws, and leaves the connection as it was", async () => {
    const { client, server, atServer } = await web.pair();
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536, 1000.5, NaN, "1000" as never]) {
      const wrong = expect.objectContaining({ name: "RangeError", code: "ERR_CLOSE_CODE" });
      for (const side of [client, server]) {
        expect(() => side.close(code)).toThrow(wrong);
        expect(() => side.closeConnection("", code)).toThrow(wrong);
        expect(() => side.send("", { type: "close", code })).toThrow(wrong);
        expect(side.readyState).toBe("open");
      }
    }
    client.send("still here");
    await until(() => atServer.messages.length === 1);
    await client.close();
    expect(await atServer.closed()).toEqual([[1000, ""]]);
  });

  it("seed defect 15: an unmasked frame gets 1002", async () => {
    const { peer, atServer } = await open();
    peer.send(op.text, "bare", { mask: false });
    expect(await peer.readClose()).toMatchObject({ code: 1002 });
    expect(atServer.messages).toEqual([]);
    peer.destroy();
  });
});
