import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, RefusalError, type Message } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { RawPeer, frame, op, request, sampleKey } from "../helpers/raw-peer.ts";
import { next, turns, until } from "../helpers/until.ts";

let listening: Listening;
const rejections: unknown[] = [];
const note = (reason: unknown): void => void rejections.push(reason);
beforeAll(async () => {
  process.on("unhandledRejection", note).on("uncaughtExceptionMonitor", note);
  listening = await Listening.start({ acceptProtocols: ["chat"] });
  listening.server.on("connection", (connection) => connection.on("message", (message) => connection.send(message)));
});
afterAll(async () => {
  await listening[Symbol.asyncDispose]();
  process.off("unhandledRejection", note).off("uncaughtExceptionMonitor", note);
});

/** The server still does its work, nothing of what was refused is left, and nothing went unhandled. */
async function lives(): Promise<void> {
  const client = await connect(listening.url);
  client.send("alive");
  expect(await client.read()).toBe("alive");
  await client.close();
  await until(() => listening.server.connections.size === 0);
  expect(rejections).toEqual([]);
}

/** Sends `bytes` and reads the answer, to the end that the server makes. */
async function answerTo(bytes: string | Uint8Array): Promise<{ status: number; headers: Record<string, string> }> {
  const peer = await RawPeer.connect(listening.port);
  peer.write(bytes);
  const { status, headers } = await peer.readHead();
  if (status !== 101) {
    const body = await peer.rest();
    expect(headers["connection"]).toMatch(/^close/);
    expect(body).toHaveLength(Number(headers["content-length"]));
    expect(body.length).toBeGreaterThan(0);
  }
  peer.destroy();
  return { status, headers };
}

const head = (line: string, lines: readonly string[]): string => `${[line, ...lines].join("\r\n")}\r\n\r\n`;
const good = [
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${sampleKey}`,
];
const GET = "GET / HTTP/1.1";
const filler = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: a`);

describe("the opening handshake that a hostile client sends", () => {
  it.each([
    ["POST", request({}, "POST / HTTP/1.1"), 405],
    ["HEAD", request({}, "HEAD / HTTP/1.1"), 405],
    ["a method of 40 bytes", request({}, `${"M".repeat(40)} / HTTP/1.1`), 405],
    ["HTTP/1.0", request({}, "GET / HTTP/1.0"), 426],
    ["HTTP/2.0", request({}, "GET / HTTP/2.0"), 505],
    ["no upgrade in Connection", request({ Connection: "keep-alive" }), 426],
    ["no Connection", request({ Connection: undefined }), 426],
    ["no Upgrade", request({ Upgrade: undefined }), 426],
    ["Upgrade: h2c", request({ Upgrade: "h2c" }), 426],
    ["Upgrade: web socket", request({ Upgrade: "web socket" }), 400],
    ["no version", request({ "Sec-WebSocket-Version": undefined }), 426],
    ...["7", "8", "14", "13,13", "13, 13", "777", "013", "", "13.0"].map((version): [string, string, number] => [
      `version ${version}`,
      request({ "Sec-WebSocket-Version": version }),
      426,
    ]),
    ["version 13, twice", request({ "Sec-WebSocket-Version": ["13", "13"] }), 426],
    ["no key", request({ "Sec-WebSocket-Key": undefined }), 400],
    ["two keys", request({ "Sec-WebSocket-Key": [sampleKey, sampleKey] }), 400],
    ["a key of 15 bytes", request({ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" }), 400],
    ["a key of 17 bytes", request({ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA=" }), 400],
    ["a key that is not base64", request({ "Sec-WebSocket-Key": "*GhlIHNhbXBsZSBub25jZQ==" }), 400],
    ["no Host", request({ Host: undefined }), 400],
    ["two Hosts", request({ Host: ["localhost", "localhost"] }), 400],
    ["2,000 headers", head(GET, [...good, ...filler(2000)]), 431],
    ["101 headers", head(GET, [...good, ...filler(96)]), 431],
    ["a header of 20 KiB", head(GET, [...good, `X-Long: ${"a".repeat(20_480)}`]), 431],
    ["a request line of 1 MiB", head(`GET /${"a".repeat(1 << 20)} HTTP/1.1`, good), 414],
    ["a target of 8,193 bytes", head(`GET /${"a".repeat(8192)} HTTP/1.1`, good), 414],
    ["obs-fold", head(GET, [...good, "X-A: a", " b"]), 400],
    ["a bare LF", `${GET}\n${good.join("\n")}\n\n`, 400],
    ["a bare LF between headers", head(GET, [...good, "X-A: a\nX-B: b"]), 400],
    ["a bare CR", head(GET, [...good, "X-A: a\rb"]), 400],
    ["a NUL", head(GET, [...good, "X-A: a\0b"]), 400],
    ["a space before the colon", head(GET, [...good, "X-A : a"]), 400],
    ["no colon", head(GET, [...good, "X-A"]), 400],
    ["an empty name", head(GET, [...good, ": a"]), 400],
    ["a space before the request line", head(` ${GET}`, good), 400],
    ["two spaces in the request line", head("GET  / HTTP/1.1", good), 400],
    ["a body", head(GET, [...good, "Content-Length: 4"]) + "body", 400],
    ["chunks", head(GET, [...good, "Transfer-Encoding: chunked"]), 400],
    ["both", head(GET, [...good, "Content-Length: 4", "Transfer-Encoding: chunked"]), 400],
    ["two lengths", head(GET, [...good, "Content-Length: 0", "Content-Length: 5"]), 400],
    ["a TLS hello", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 13, 10, 13, 10), 400],
    ["frames instead of a request", Buffer.concat([frame(op.text, "x"), Buffer.from("\r\n\r\n")]), 400],
    ["absolute-form", request({}, "GET http://localhost/ HTTP/1.1"), 400],
    ["//host", request({}, "GET //host HTTP/1.1"), 400],
    ["authority-form", request({}, "GET localhost:80 HTTP/1.1"), 400],
    ["an asterisk", request({}, "GET * HTTP/1.1"), 400],
    ["a fragment", request({}, "GET /#a HTTP/1.1"), 400],
    ["subprotocols with 8,000 spaces between", request({ "Sec-WebSocket-Protocol": `a${" ".repeat(8000)}b` }), 400],
    ["subprotocols with 32,000 spaces", request({ "Sec-WebSocket-Protocol": `a${" ".repeat(32_000)}b` }), 431],
    ["5,000 subprotocols", request({ "Sec-WebSocket-Protocol": Array(5000).fill("a").join(",") }), 400],
    ["a subprotocol twice", request({ "Sec-WebSocket-Protocol": "chat, chat" }), 400],
    ["a subprotocol twice, in two fields", request({ "Sec-WebSocket-Protocol": ["chat", "chat"] }), 400],
    ["an empty list of subprotocols", request({ "Sec-WebSocket-Protocol": "" }), 400],
    ["an unclosed quote", request({ "Sec-WebSocket-Extensions": `x; a="${"\\c".repeat(4000)}` }), 400],
    ["an extension without a name", request({ "Sec-WebSocket-Extensions": "; a" }), 400],
    ["an extension parameter without a name", request({ "Sec-WebSocket-Extensions": "a; =1" }), 400],
  ] as [string, string | Uint8Array, number][])("%s", async (_, bytes, status) => {
    const refused = next(listening.server, "refused");
    const began = performance.now();
    const answer = await answerTo(bytes);
    expect(answer.status).toBe(status);
    // Whatever it is, it is linear: CVE-2021-32640, CVE-2020-7662 took seconds to minutes.
    expect(performance.now() - began).toBeLessThan(1000);
    if (status === 405) expect(answer.headers["allow"]).toBe("GET");
    if (status === 426) {
      expect(answer.headers).toMatchObject({ upgrade: "websocket", "sec-websocket-version": "13" });
      expect(answer.headers["connection"]).toMatch(/upgrade/i);
    }
    const [error] = await refused;
    expect(error).toBeInstanceOf(RefusalError);
    expect(error).toMatchObject({ status, code: "ERR_HANDSHAKE_REQUEST" });
    await lives();
  });

  it.each([
    ["100 headers", head(GET, [...good, ...filler(95)])],
    ["a target of 8,192 bytes", head(`GET /${"a".repeat(8191)} HTTP/1.1`, good)],
    [
      "a head of 16 KiB",
      head(GET, [...good, `X-Long: ${"a".repeat(16_384 - head(GET, [...good, "X-Long: "]).length)}`]),
    ],
    ["subprotocols that nobody here speaks", request({ "Sec-WebSocket-Protocol": "soap, wamp" })],
    ["extensions by dangerous names", request({ "Sec-WebSocket-Extensions": "constructor, __proto__; toString" })],
    ...["0", "7", "16", "08", "-1"].map((bits): [string, string] => [
      `window bits of ${bits}, which nobody here negotiates`,
      request({ "Sec-WebSocket-Extensions": `permessage-deflate; client_max_window_bits=${bits}` }),
    ]),
    ["header names in any case", request({}).replace("Upgrade: websocket", "uPGRADE: WebSocket")],
    ["Content-Length: 0", request({ "Content-Length": "0" })],
    ["bytes over 0x7F in a value", request({ "X-Name": "Gr\u00fc\u00dfe" })],
  ])("%s are let through", async (_, bytes) => {
    const { status, headers } = await answerTo(bytes);
    expect(status).toBe(101);
    expect(headers).not.toHaveProperty("sec-websocket-protocol");
    expect(headers).not.toHaveProperty("sec-websocket-extensions");
    await lives();
  });

  it("the outcome is the same when the head comes byte by byte", async () => {
    for (const [bytes, status] of [
      [request({ "Sec-WebSocket-Protocol": "chat" }), 101],
      [request({ "Sec-WebSocket-Version": "8" }), 426],
      [head(GET, [...good, "X-A : a"]), 400],
    ] as const) {
      const peer = await RawPeer.connect(listening.port);
      await peer.writeEach(Array.from(Buffer.from(bytes), (byte) => Uint8Array.of(byte)));
      expect((await peer.readHead()).status).toBe(status);
      peer.destroy();
    }
    await lives();
  });

  it("endless headers are answered with 431 and read no further", async () => {
    const peer = await RawPeer.connect(listening.port);
    peer.write(`${GET}\r\n`);
    const line = Buffer.from(`X-Endless: ${"a".repeat(1000)}\r\n`);
    let sent = 0;
    for (; peer.pending === 0 && sent < 1 << 20; sent += line.length) await peer.writeEach([line]);
    expect((await peer.readHead()).status).toBe(431);
    expect(sent).toBeLessThan(1 << 16);
    peer.destroy();
    await lives();
  });

  it("a client that goes in the middle of its head leaves nothing behind", async () => {
    for (const leave of [
      (peer: RawPeer) => peer.end(),
      (peer: RawPeer) => peer.reset(),
      (peer: RawPeer) => peer.destroy(),
    ]) {
      for (const part of ["", "G", request().slice(0, 50), request().slice(0, -1)]) {
        const peer = await RawPeer.connect(listening.port);
        peer.write(part);
        leave(peer);
        await until(() => peer.ended);
        peer.destroy();
      }
    }
    await lives();
  });

  it("a client that goes while its refusal is under way is nobody's trouble", async () => {
    for (let i = 0; i < 20; i++) {
      const peer = await RawPeer.connect(listening.port);
      peer.write(request({ "Sec-WebSocket-Key": undefined }));
      peer.reset();
      await until(() => peer.closed);
    }
    await lives();
  });
});

describe("bytes behind the request", () => {
  it("are frames, and reach the listeners in order", async () => {
    const peer = await RawPeer.connect(listening.port);
    const payloads = Array.from({ length: 300 }, (_, i) => `${i}:${"x".repeat(i)}`);
    const bytes = Buffer.concat([Buffer.from(request()), ...payloads.map((payload) => frame(op.text, payload))]);
    // The head ends in the midst of the second piece, a frame in the midst of the third.
    await peer.writeEach([bytes.subarray(0, 20), bytes.subarray(20, 1000), bytes.subarray(1000)]);
    expect((await peer.readHead()).status).toBe(101);
    for (const payload of payloads) expect((await peer.readFrame()).payload.toString()).toBe(payload);
    peer.destroy();
    await lives();
  });

  it("are held for whoever listens later", async () => {
    await using own = await Listening.start();
    const peer = await RawPeer.connect(own.port);
    peer.write(Buffer.concat([Buffer.from(request()), frame(op.text, "first"), frame(op.binary, "second")]));
    const connection = await own.connection();
    await peer.readHead();
    await turns();
    const messages: Message[] = [];
    connection.on("message", (message) => messages.push(message));
    expect(messages).toEqual([]);
    peer.send(op.text, "third");
    await until(() => messages.length === 3);
    expect(messages).toEqual(["first", new Uint8Array(Buffer.from("second")), "third"]);
    peer.destroy();
  });

  it("are held to the protocol from the first on", async () => {
    const peer = await RawPeer.connect(listening.port);
    peer.write(Buffer.concat([Buffer.from(request()), frame(op.text, "bare", { mask: false })]));
    expect((await peer.readHead()).status).toBe(101);
    expect((await peer.readClose()).code).toBe(1002);
    peer.destroy();
    await lives();
  });
});

describe("the deadline", () => {
  it("answers silence, and a byte now and then, with 408", async () => {
    await using own = await Listening.start({ handshakeTimeout: 60 });
    const refused: number[] = [];
    own.server.on("refused", ({ status }) => refused.push(status));
    const silent = await RawPeer.connect(own.port);
    const slow = await RawPeer.connect(own.port);
    const began = performance.now();
    const text = request({ "X-Long": "a".repeat(10_000) });
    let at = 0;
    // One byte a turn does not put the deadline off.
    for (; at < text.length && slow.pending === 0; at++) await slow.writeEach([Buffer.from(text[at]!)]);
    for (const peer of [silent, slow]) {
      const { status, headers } = await peer.readHead();
      expect([status, headers["connection"]]).toEqual([408, "close"]);
      await peer.rest();
      peer.end();
      await until(() => peer.closed);
    }
    expect(at).toBeLessThan(text.length);
    expect(performance.now() - began).toBeGreaterThan(50);
    expect(refused).toEqual([408, 408]);
  });

  it("is off once the connection is open", async () => {
    await using own = await Listening.start({ handshakeTimeout: 200 });
    const { client, server } = await own.pair();
    const late = await RawPeer.connect(own.port);
    // By the time that another one's deadline is over, so is this one's.
    expect((await late.readHead()).status).toBe(408);
    late.destroy();
    expect([client.readyState, server.readyState]).toEqual(["open", "open"]);
    client.send("still");
    expect(await server.read()).toBe("still");
    await client.close();
  });

  it("closes a client that is refused and does not go", async () => {
    await using own = await Listening.start({ closeTimeout: 40 });
    const peer = await RawPeer.connect(own.port);
    peer.write(request({ "Sec-WebSocket-Key": undefined }));
    expect((await peer.readHead()).status).toBe(400);
    await peer.rest();
    // Its end of the stream stays open, until writing meets a reset.
    await until(() => {
      peer.write("x");
      return peer.closed;
    });
    expect(peer.error).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) as string });
  });
});
