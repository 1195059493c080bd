import { getEventListeners } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Client, ConnectionError, HandshakeError, HeadError, connect, type Message } from "../../../src/index.ts";
import { makeClient } from "../../../src/driver.ts";
import { Listening, WsListening } from "../../helpers/peers.ts";
import { RawServer, frame, op, switching, type RawPeer } from "../../helpers/raw-peer.ts";
import { Recording, asHandshakeError, next, thrownBy, turns, until } from "../../helpers/until.ts";

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

type Answer = (peer: RawPeer, accept: string) => unknown;

/** What a client emits when the raw server answers so; the server's socket has to be closed in the end. */
async function outcomeOf(answer: Answer, options: ConstructorParameters<typeof Client>[1] = {}): Promise<Error> {
  const client = new Client(raw.url, options);
  const recording = new Recording(client);
  const { peer, accept } = await raw.request();
  await answer(peer, accept);
  expect(await recording.closed()).toEqual([[1006, ""]]);
  expect(recording.names).toEqual(["error", "close"]);
  expect(client.readyState).toBe("closed");
  // Destroyed, not merely left: a write meets a reset, or the end of the stream is there.
  await until(() => peer.ended || (peer.write("x"), peer.closed));
  return recording.errors[0]!;
}

const bodyOf = (error: Error): string => Buffer.from(asHandshakeError(error).body!).toString("latin1");

describe("the request", () => {
  it("carries what RFC 6455 §4.1 asks for, in that form", async () => {
    const client = new Client(`http://LOCALHOST:${raw.port}/a%20b/../ü?q=1&r`.replace("LOCALHOST", "127.0.0.1"));
    client.on("error", () => undefined);
    const { head } = await raw.request();
    expect(head.startLine).toBe("GET /%C3%BC?q=1&r HTTP/1.1");
    expect(head.headers).toEqual({
      host: `127.0.0.1:${raw.port}`,
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-version": "13",
      "sec-websocket-key": expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/) as string,
    });
    client.terminate();
  });

  it("carries custom headers from the option and from setHeader, and may name another Host", async () => {
    const client = makeClient(raw.url, {
      additionalHeaders: { Cookie: "a=b", Host: "example.org", "X-Latin": "Grüße" },
    });
    client.setHeader("X-Two", "1").setHeader("X-Two", "2").startConnection();
    const { head, peer, accept } = await raw.request();
    expect(head.headers).toMatchObject({ cookie: "a=b", host: "example.org", "x-two": "1, 2", "x-latin": "Grüße" });
    expect(() => client.setHeader("X-Three", "3")).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
    peer.write(switching(accept));
    await next(client, "open");
  });

  it.each([
    ["user:secret", "user:secret"],
    ["user:", "user:"],
    ["user", "user:"],
    [":secret", ":secret"],
    ["us%2Fer:se%3Acret", "us/er:se:cret"],
    ["J%C3%B6rg:gr%C3%BC%C3%9Fe", "Jörg:grüße"],
    ["Jörg:世界", "Jörg:世界"],
  ])("carries Basic authentication from the URL: %s", async (part, credentials) => {
    const url = raw.url.replace("ws://", `ws://${part}@`);
    const client = new Client(url);
    const { head, peer, accept } = await raw.request();
    const [scheme, base64] = head.headers["authorization"]!.split(" ");
    expect([scheme, Buffer.from(base64!, "base64").toString()]).toEqual(["Basic", credentials]);
    expect(head.headers["host"]).toBe(`127.0.0.1:${raw.port}`);
    peer.write(switching(accept));
    await next(client, "open");
  });

  it("carries Basic authentication however long it is", async () => {
    const password = "0123456789abcdef".repeat(3000);
    const client = new Client(raw.url.replace("ws://", `ws://user:${password}@`));
    const { head, peer, accept } = await raw.request();
    expect(head.headers["authorization"] === `Basic ${Buffer.from(`user:${password}`).toString("base64")}`).toBe(true);
    peer.write(switching(accept));
    await next(client, "open");
    client.terminate();
  });

  it("prefers an Authorization that is given to the URL's", async () => {
    const client = new Client(raw.url.replace("ws://", "ws://user:secret@"), {
      additionalHeaders: { authorization: "Bearer token" },
    });
    const { head, peer, accept } = await raw.request();
    expect(head.headers["authorization"]).toBe("Bearer token");
    peer.write(switching(accept));
    await next(client, "open");
  });

  it("offers subprotocols in order", async () => {
    const client = new Client(raw.url, { acceptProtocols: ["chat.v2", "chat.v1"] });
    const { head, peer, accept } = await raw.request();
    expect(head.headers["sec-websocket-protocol"]).toBe("chat.v2, chat.v1");
    peer.write(switching(accept, "Sec-WebSocket-Protocol: chat.v1\r\n"));
    await next(client, "open");
    expect(client.protocol).toBe("chat.v1");
  });
});

describe("a refused handshake", () => {
  const head = (status: string, fields: string): string => `HTTP/1.1 ${status}\r\n${fields}\r\n`;
  const long = "0123456789abcdef".repeat(8192); // 128 KiB

  it.each<[string, Answer, status: number, body: string]>([
    [
      "a body of known length",
      (peer) => peer.write(`${head("401 Unauthorized", "Content-Length: 5\r\n")}sorry`),
      401,
      "sorry",
    ],
    [
      "a body of known length, in pieces, and more behind it",
      (peer) => peer.writeEach([`${head("403 No", "Content-Length: 5\r\n")}so`, "r", "ry", "more"].map(bytes)),
      403,
      "sorry",
    ],
    ["no body at all", (peer) => peer.write(head("404 Not Found", "Content-Length: 0\r\n")), 404, ""],
    [
      "chunks",
      (peer) =>
        peer.write(
          `${head("500 Oh", "Transfer-Encoding: chunked\r\n")}3;a=b\r\nabc\r\n0A \r\n0123456789\r\n0\r\nX-Trailer: a\r\n\r\n`,
        ),
      500,
      "abc0123456789",
    ],
    [
      "chunks, byte by byte",
      (peer) =>
        peer.writeEach(
          [...`${head("500 Oh", "Transfer-Encoding: gzip, chunked\r\n")}3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n`].map(bytes),
        ),
      500,
      "abcd",
    ],
    [
      "chunks that make no sense, after some that do",
      (peer) => peer.write(`${head("500 Oh", "Transfer-Encoding: chunked\r\n")}3\r\nabc\r\nrubbish\r\n`),
      500,
      "abc",
    ],
    [
      "a body until the end of the stream",
      (peer) => (peer.write(`${head("503 Busy", "")}until `), peer.write("the end"), peer.end()),
      503,
      "until the end",
    ],
    [
      "a body that is cut short",
      (peer) => (peer.write(`${head("400 Bad", "Content-Length: 50\r\n")}cut`), peer.end()),
      400,
      "cut",
    ],
    [
      "a long body",
      (peer) => peer.write(`${head("400 Bad", `Content-Length: ${long.length}\r\n`)}${long}`),
      400,
      long.slice(0, 65_536),
    ],
    [
      "an endless body",
      async (peer) => (peer.write(head("200 OK", "")), flood(peer, Buffer.from(long))),
      200,
      long.slice(0, 65_536),
    ],
    [
      "endless chunks",
      async (peer) => (
        peer.write(head("200 OK", "Transfer-Encoding: chunked\r\n")),
        flood(peer, Buffer.from("4\r\nabcd\r\n".repeat(1000)))
      ),
      200,
      "abcd".repeat(16_384),
    ],
    [
      "a redirect, which is not followed",
      (peer) => peer.write(head("301 Moved", `Location: ${raw.url}other\r\nContent-Length: 0\r\n`)),
      301,
      "",
    ],
    ["HTTP/1.0", (peer) => (peer.write("HTTP/1.0 502 Bad Gateway\r\n\r\nold"), peer.end()), 502, "old"],
    // RFC 9112 §6.3: these have no content, whatever their fields say, and the connection may stay open.
    ["204, on a connection that stays", (peer) => peer.write(head("204 No Content", "")), 204, ""],
    [
      "304, on a connection that stays",
      (peer) => peer.write(head("304 Not Modified", "Content-Length: 10\r\n")),
      304,
      "",
    ],
  ])("is a HandshakeError with the status, the headers and the beginning of %s", async (_, answer, status, body) => {
    const error = await outcomeOf(answer);
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error).toMatchObject({ name: "HandshakeError", code: "ERR_HANDSHAKE_REFUSED", status });
    expect(bodyOf(error) === body).toBe(true);
    expect(error.message).toContain(String(status));
  });

  it("has all headers, also those that stand twice", async () => {
    const fields = "WWW-Authenticate: Basic\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\nContent-Length: 0\r\n";
    const { headers } = asHandshakeError(await outcomeOf((peer) => peer.write(head("401 Who", fields))));
    expect(headers.get("www-authenticate")).toBe("Basic");
    expect(headers.getAll("Set-Cookie")).toEqual(["a=b", "c=d"]);
    expect([...headers].map(([name]) => name)).toEqual([
      "WWW-Authenticate",
      "Set-Cookie",
      "set-cookie",
      "Content-Length",
    ]);
  });

  it("has what came of a body that stalls, at the deadline", async () => {
    const error = await outcomeOf((peer) => peer.write(`${head("401 Who", "Content-Length: 50\r\n")}half`), {
      handshakeTimeout: 200,
    });
    expect(error).toMatchObject({ code: "ERR_HANDSHAKE_REFUSED", status: 401 });
    expect(bodyOf(error)).toBe("half");
  });

  it("has what came of a body that a reset cuts", async () => {
    const client = new Client(raw.url);
    const recording = new Recording(client);
    const { peer } = await raw.request();
    peer.write(`${head("401 Who", "Content-Length: 50\r\n")}half`);
    await until(() => client.response !== undefined);
    peer.reset();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(recording.errors).toEqual([expect.objectContaining({ code: "ERR_HANDSHAKE_REFUSED", status: 401 })]);
    expect(bodyOf(recording.errors[0]!)).toBe("half");
  });

  it("comes from a web server of Node's and from ws, too", async () => {
    const web = http.createServer();
    web.on("upgrade", (_, socket) => socket.end("HTTP/1.1 418 Teapot\r\nX-Tea: green\r\nContent-Length: 3\r\n\r\ntea"));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const url = `ws://127.0.0.1:${(web.address() as AddressInfo).port}/`;
    const error = asHandshakeError(await thrownBy(() => connect(url)));
    expect([error.status, error.headers.get("x-tea"), bodyOf(error)]).toEqual([418, "green", "tea"]);
    web.close();
    await using theirs = await WsListening.start({ verifyClient: (_, done) => done(false, 403, "not you") });
    const refused = asHandshakeError(await thrownBy(() => connect(theirs.url)));
    expect([refused.status, bodyOf(refused)]).toEqual([403, "not you"]);
  });
});

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** Writes without end, until the other side has had enough. */
async function flood(peer: RawPeer, chunk: Uint8Array): Promise<void> {
  let sent = 0;
  while (!peer.closed) {
    if (peer.socket.writableLength < 1 << 20) peer.write(chunk);
    sent += chunk.length;
    await turns(1);
    if (sent > 1 << 28) throw new Error("It reads on and on.");
  }
}

describe("a broken answer", () => {
  const answers: [what: string, answer: (accept: string) => string][] = [
    ["another accept value", () => switching("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")],
    ["no accept value", (accept) => switching(accept).replace(/Sec-WebSocket-Accept: .*\r\n/, "")],
    ["two accept values", (accept) => switching(accept, `Sec-WebSocket-Accept: ${accept}\r\n`)],
    ["no Upgrade", (accept) => switching(accept).replace("Upgrade: websocket\r\n", "")],
    ["another Upgrade", (accept) => switching(accept).replace("websocket", "h2c")],
    ["no Connection", (accept) => switching(accept).replace("Connection: Upgrade\r\n", "")],
    ["another Connection", (accept) => switching(accept).replace("Connection: Upgrade", "Connection: close")],
    ["HTTP/1.0", (accept) => switching(accept).replace("HTTP/1.1", "HTTP/1.0")],
    ["content", (accept) => `${switching(accept, "Content-Length: 4\r\n")}body`],
    ["chunks", (accept) => switching(accept, "Transfer-Encoding: chunked\r\n")],
    ["a subprotocol that was not offered", (accept) => switching(accept, "Sec-WebSocket-Protocol: chat\r\n")],
    [
      "an extension that was not offered",
      (accept) => switching(accept, "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
    ],
    ["extensions that make no sense", (accept) => switching(accept, 'Sec-WebSocket-Extensions: x; a="\r\n')],
  ];
  it.each(answers)("of 101 with %s is ERR_HANDSHAKE_RESPONSE", async (_, answer) => {
    const error = await outcomeOf((peer, accept) => peer.write(answer(accept)));
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error).toMatchObject({ code: "ERR_HANDSHAKE_RESPONSE", status: 101 });
  });

  it.each([
    ["that is not HTTP", "SSH-2.0-OpenSSH_9.9\r\n\r\n"],
    ["that is frames", frame(op.text, "hello", { mask: false }).toString("latin1")],
    ["with a byte over 0x7F in a header", "HTTP/1.1 200 OK\r\nX-A: \xff\r\n\r\n"],
    ["with a space before a colon", "HTTP/1.1 200 OK\r\nX-A : a\r\n\r\n"],
    ["with a folded header", "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\n\r\n"],
    ["with a bare LF", "HTTP/1.1 200 OK\nX-A: a\n\n"],
    ["with a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["with 101 headers", `HTTP/1.1 200 OK\r\n${"X-A: a\r\n".repeat(101)}\r\n`],
    ["of HTTP/3.0", "HTTP/3.0 200 OK\r\n\r\n"],
  ])("%s is ERR_HANDSHAKE_HEAD", async (_, answer) => {
    const error = await outcomeOf((peer) => peer.write(answer));
    expect(error).toBeInstanceOf(HeadError);
    expect(error).toMatchObject({ code: "ERR_HANDSHAKE_HEAD", status: 0 });
  });

  it("of endless headers is ERR_HANDSHAKE_HEAD", async () => {
    const error = await outcomeOf(async (peer) => {
      peer.write("HTTP/1.1 200 OK\r\nX-Endless: ");
      await flood(peer, Buffer.alloc(1000, "a"));
    });
    expect(error).toMatchObject({ code: "ERR_HANDSHAKE_HEAD" });
  });
});

describe("an answer", () => {
  it("may come behind interim ones (RFC 9110 §15.2)", async () => {
    const client = new Client(raw.url);
    const { peer, accept } = await raw.request();
    peer.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Pro");
    peer.write(`cessing\r\n\r\n${switching(accept, "X-Final: yes\r\n")}`);
    await next(client, "open");
    expect(client.response).toMatchObject({ status: 101 });
    expect(client.response!.headers.get("x-final")).toBe("yes");
    expect(client.response!.headers.has("link")).toBe(false);
  });

  it("may come byte by byte, frames behind it included", async () => {
    const client = new Client(raw.url);
    const recording = new Recording(client);
    const { peer, accept } = await raw.request();
    const all = Buffer.concat([
      Buffer.from(`HTTP/1.1 100 Continue\r\n\r\n${switching(accept)}`),
      frame(op.text, "Hello", { mask: false }),
    ]);
    await peer.writeEach(Array.from(all, (byte) => Uint8Array.of(byte)));
    await until(() => recording.messages.length === 1);
    expect(recording.entries).toEqual([["open"], ["message", "Hello"]]);
  });

  it("loses no frame of its own segment, even if nobody listens before connect() resolves", async () => {
    const count = 500;
    const frames = Array.from({ length: count }, (_, i) => frame(op.text, `message ${i}`, { mask: false }));
    for (const take of ["listener", "loop", "read"] as const) {
      const connecting = connect(raw.url);
      const peer = await raw.open("", Buffer.concat([...frames.slice(0, 400), frames[400]!.subarray(0, 3)]));
      const client = await connecting;
      await turns(20);
      peer.write(Buffer.concat([frames[400]!.subarray(3), ...frames.slice(401)]));
      const messages: Message[] = [];
      if (take === "listener") {
        client.on("message", (message) => messages.push(message));
        expect(messages).toEqual([]); // not from inside `on`
        await until(() => messages.length === count);
      } else if (take === "read") {
        while (messages.length < count) messages.push((await client.read())!);
      } else {
        for await (const message of client) if (messages.push(message) === count) break;
      }
      expect(messages).toEqual(Array.from({ length: count }, (_, i) => `message ${i}`));
      client.terminate();
      await next(client, "close");
    }
  });

  it("followed by a Close in its own segment still gives the messages and the close", async () => {
    const frames = [
      frame(op.text, "last words", { mask: false }),
      frame(op.close, Uint8Array.of(3, 232), { mask: false }),
    ];
    const connecting = connect(raw.url);
    const peer = await raw.open("", Buffer.concat(frames));
    const client = await connecting;
    const recording = new Recording(client);
    expect(await peer.readClose()).toEqual({ code: 1000, reason: "" });
    peer.end();
    expect(await recording.closed()).toEqual([[1000, ""]]);
    expect(recording.messages).toEqual(["last words"]);
    expect(await client.read()).toBeUndefined();
  });

  it.each(["once", "read"] as const)("holds what one %s() leaves", async (way) => {
    const connecting = connect(raw.url);
    const frames = ["1", "2", "3"].map((text) => frame(op.text, text, { mask: false }));
    await raw.open("", Buffer.concat(frames));
    const client = await connecting;
    await turns(20);
    if (way === "once") {
      expect(await next(client, "message")).toEqual(["1"]);
      await turns(5);
      expect(await next(client, "message")).toEqual(["2"]);
      await turns(5);
    } else {
      expect([await client.read(), await client.read()]).toEqual(["1", "2"]);
    }
    const rest: Message[] = [];
    client.on("message", (message) => rest.push(message));
    await until(() => rest.length > 0);
    expect(rest).toEqual(["3"]);
  });
});

describe("no answer", () => {
  it.each<[string, Answer]>([
    ["silence", () => undefined],
    ["half a head", (peer) => peer.write("HTTP/1.1 101 Switch")],
    ["interim answers without end", (peer) => peer.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(10))],
  ])("%s: ERR_HANDSHAKE_TIMEOUT", async (_, answer) => {
    const error = await outcomeOf(answer, { handshakeTimeout: 50 });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ name: "ConnectionError", code: "ERR_HANDSHAKE_TIMEOUT" });
  });

  it("is not waited for once the connection is open", async () => {
    const connecting = connect(raw.url, { handshakeTimeout: 200 });
    await raw.open();
    const client = await connecting;
    // Another one's deadline, set later, comes about.
    await outcomeOf(() => undefined, { handshakeTimeout: 200 });
    expect(client.readyState).toBe("open");
    client.terminate();
  });

  it.each<[string, Answer]>([
    ["the end of the stream", (peer) => peer.end()],
    ["the end of the stream, in the head", (peer) => (peer.write("HTTP/1.1 101 Swi"), peer.end())],
    ["a reset", (peer) => peer.reset()],
  ])("but %s: ERR_CONNECT", async (_, answer) => {
    expect(await outcomeOf(answer)).toMatchObject({ name: "ConnectionError", code: "ERR_CONNECT" });
  });

  it("a port that nobody listens on, a name that does not exist, a socket that is not there: ERR_CONNECT", async () => {
    const gone = await RawServer.listen();
    await gone.close();
    for (const [url, code] of [
      [gone.url, "ECONNREFUSED"],
      ["ws://name.invalid/", expect.stringMatching(/ENOTFOUND|EAI_AGAIN/)],
      ["ws+unix:/nowhere/at/all.sock", "ENOENT"],
    ] as const) {
      const client = new Client(url);
      const recording = new Recording(client);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.names).toEqual(["error", "close"]);
      expect(recording.errors[0]).toMatchObject({ name: "ConnectionError", code: "ERR_CONNECT", cause: { code } });
      expect(await thrownBy(() => connect(url))).toMatchObject({ code: "ERR_CONNECT" });
    }
  });

  it("and nobody who listens for `error`: the process lives, and `close` comes", async () => {
    const gone = await RawServer.listen();
    await gone.close();
    expect(await next(new Client(gone.url), "close")).toEqual([1006, ""]);
  });
});

describe("giving up", () => {
  it("before it is begun: nothing is dialed", async () => {
    const signal = AbortSignal.abort(new Error("changed my mind"));
    const error = await thrownBy(() => connect(raw.url, { signal }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "ERR_ABORTED", cause: new Error("changed my mind") });
    const connecting = connect(raw.url, { additionalHeaders: { "X-Who": "second" } });
    const { head, peer, accept } = await raw.request();
    expect(head.headers["x-who"]).toBe("second");
    peer.write(switching(accept));
    (await connecting).terminate();
  });

  it("while it dials: the socket is destroyed", async () => {
    const controller = new AbortController();
    const client = new Client(raw.url, { signal: controller.signal });
    const recording = new Recording(client);
    controller.abort();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(recording.names).toEqual(["error", "close"]);
    expect(recording.errors[0]).toMatchObject({ code: "ERR_ABORTED" });
    // If the system had accepted it already, no request comes over it.
    const connecting = connect(raw.url, { additionalHeaders: { "X-Who": "second" } });
    let { peer } = { peer: await raw.accept() };
    const first = await peer.readHead().catch(async () => (peer = await raw.accept()).readHead());
    expect(first.headers["x-who"]).toBe("second");
    peer.destroy();
    await connecting.catch(() => undefined);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  it("while it waits for the answer: ERR_ABORTED, once, and the socket is destroyed", async () => {
    for (const answer of ["", "HTTP/1.1 101 Swi", "HTTP/1.1 401 Who\r\nContent-Length: 10\r\n\r\nhalf"]) {
      const controller = new AbortController();
      const error = await outcomeOf(
        async (peer) => {
          peer.write(answer);
          await turns(20);
          controller.abort();
        },
        { signal: controller.signal },
      );
      expect(error).toMatchObject({ code: "ERR_ABORTED" });
    }
  });

  it("with a deadline of the caller's", async () => {
    const error = await outcomeOf(() => undefined, { signal: AbortSignal.timeout(200) });
    expect(error).toMatchObject({ code: "ERR_ABORTED", cause: { name: "TimeoutError" } });
  });

  it("after it is open: no effect, and no listener stays", async () => {
    await using listening = await Listening.start();
    const controller = new AbortController();
    const { client, server } = await listening.pair({ signal: controller.signal });
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    controller.abort();
    client.send("still here");
    expect(await server.read()).toBe("still here");
    await client.close();
  });

  it("by close or terminate instead: `close` without an error, once", async () => {
    for (const way of ["close", "terminate"] as const)
      for (const when of ["at once", "once it is connected"] as const) {
        const client = new Client(raw.url);
        const recording = new Recording(client);
        if (when !== "at once") await raw.request();
        void client[way]();
        expect(await recording.closed()).toEqual([[1006, ""]]);
        expect(recording.names).toEqual(["close"]);
      }
    const unstarted = makeClient(raw.url);
    const recording = new Recording(unstarted);
    expect(await unstarted.close()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(recording.closes).toEqual([[1006, ""]]);
    expect(unstarted.startConnection()).toBe(false);
  });
});
