import { expect } from "vitest";
import { request } from "../helpers/raw-peer.ts";
import { plateau } from "../helpers/until.ts";
import { Peer, concat, readFrames } from "../helpers/wire.ts";
import { MemoryWatch } from "../conformance/memory.ts";
import type { PartyOptions } from "../conformance/party.ts";
import { Raw, openingRequest } from "../conformance/raw.ts";
import { delay, until, untilGone, type Arena, type Attack, type Table } from "./arena.ts";
import type { RowName } from "./rows.ts";

type Changes = Parameters<typeof request>[0];

/** What the head of the answer must hold. */
type Answer = readonly [status: number, ...fields: RegExp[]];

const NOT_GET: Answer = [405, /^Allow: GET\r$/m];
const UPGRADE: Answer = [426, /^Upgrade: websocket\r$/m, /^Connection: close, Upgrade\r$/m];
const VERSION: Answer = [...UPGRADE, /^Sec-WebSocket-Version: 13\r$/m];
const BAD: Answer = [400];
const BUSY: Answer = [503, /^Retry-After: \d+\r$/m];
const LISTED: PartyOptions = { origins: ["https://a.example", "https://b.example"] };
const SOON: PartyOptions = { handshakeTimeout: 300 };
/** Far above what linear time takes, and far below what any other does. */
const LINEAR = 2000;

function check(head: string, [status, ...fields]: Answer): void {
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toContain("\r\nConnection: close");
  for (const field of fields) expect(head).toMatch(field);
}

/** These bytes get that answer, whole and also by halves. */
function refused(name: string, bytes: string, answer: Answer, options?: PartyOptions): Attack {
  return {
    name,
    async play(arena: Arena): Promise<void> {
      const serving = await arena.serve(options);
      const half = bytes.length >> 1;
      const from = performance.now();
      check(await arena.refusal(serving, bytes), answer);
      check(await arena.refusal(serving, bytes.slice(0, half), bytes.slice(half)), answer);
      expect(performance.now() - from).toBeLessThan(LINEAR);
    },
  };
}

const changed = (name: string, changes: Changes, answer: Answer, line?: string): Attack =>
  refused(name, request(changes, line), answer);
const withMethod = (method: string): Attack => refused(method, request({}, `${method} / HTTP/1.1`), NOT_GET);
/** A field as it stands, among the others of a good request. */
const withLine = (name: string, line: string): Attack =>
  refused(name, request().replace("\r\nConnection", `\r\n${line}\r\nConnection`), BAD);

/** These bytes open a connection, on which nothing of what the field asks for is taken. */
function declined(name: string, changes: Changes, options?: PartyOptions): Attack {
  return {
    name,
    async play(arena: Arena): Promise<void> {
      const serving = await arena.serve(options);
      const raw = await arena.connect(serving);
      const peer = new Peer("server");
      const from = performance.now();
      await raw.write(request(changes, "GET /declined HTTP/1.1"));
      expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
      expect(raw.head).not.toMatch(/^Sec-WebSocket-(?:Extensions|Protocol)/im);
      await raw.write(peer.close(1000));
      await raw.until(() => raw.hasEnded);
      expect(performance.now() - from).toBeLessThan(LINEAR);
      raw.end();
    },
  };
}

/** Writes bit by bit until the server has answered. */
function slowly(name: string, pieces: readonly string[]): Attack {
  return {
    name,
    async play(arena: Arena): Promise<void> {
      const raw = await arena.connect(await arena.serve(SOON));
      const from = performance.now();
      for (let i = 0; !raw.hasEnded; i++) {
        const piece = pieces[Math.min(i, pieces.length - 1)]!;
        if (piece !== "") void raw.write(piece);
        await delay(20);
      }
      const took = performance.now() - from;
      check((await raw.readHead(), raw.head), [408]);
      // Not at the first pause, nor some time later each time that a byte comes.
      expect(took).toBeGreaterThan(SOON.handshakeTimeout! - 50);
      expect(took).toBeLessThan(SOON.handshakeTimeout! + 3000);
      raw.end();
    },
  };
}

/** A client that leaves in its own way, and gets no further. */
const gone = (name: string, leave: (raw: Raw) => unknown, options?: PartyOptions): Attack => ({
  name,
  async play(arena: Arena): Promise<void> {
    const raw = await arena.connect(await arena.serve(options));
    await new Promise((resolve) => raw.socket.once("connect", resolve));
    await Promise.resolve(leave(raw));
    await raw.until(() => raw.hasEnded);
    raw.end();
  },
});

const onTls = (name: string, bytes: string, isStalling = false): Attack => ({
  name,
  async play(arena: Arena): Promise<void> {
    const serving = await arena.serve({ tls: arena.tls, handshakeTimeout: 300 });
    const raw = await arena.connect(serving);
    await raw.write(bytes);
    // workerd alone sees this socket, and waits for as long as the client is there.
    if (isStalling && arena.agent.name === "workerd") raw.socket.destroy();
    await raw.until(() => raw.hasEnded);
    expect(raw.bytes.toString("latin1")).not.toContain("HTTP/1.1 101");
    raw.end();
  },
  ...(!isStalling && { complaint: { workerd: /workerd\/server/ } }),
});

const long = (length: number): string => "a".repeat(length);
const fields = (count: number): string => Array.from({ length: count }, (_, i) => `X-${i}: ${i}\r\n`).join("");
const tokens = (count: number): string => Array.from({ length: count }, (_, i) => `v${i}`).join(",");

/** Two are let in and no third, until one of them has left. */
async function atLimit(arena: Arena, options: PartyOptions): Promise<void> {
  const serving = await arena.serve(options);
  const inside = [await arena.connect(serving), await arena.connect(serving)];
  for (const raw of inside) {
    await raw.write(openingRequest("inside"));
    expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
  }
  check(await arena.refusal(serving, request()), BUSY);
  for (const raw of inside) raw.end();
  await Promise.all(inside.map((raw) => raw.until(() => raw.hasEnded)));
}

/** Frames in the segment of the request, all answered in their order. */
async function behindRequest(arena: Arena, count: number, size: number): Promise<void> {
  const raw = await arena.connect();
  const peer = new Peer("server");
  const sent = Array.from({ length: count }, (_, i) => peer.ping(`${i}`.padStart(size, "0")));
  await raw.write(concat([Buffer.from(openingRequest("early"), "latin1"), ...sent, peer.close(1000)]));
  expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
  await raw.until(() => raw.hasEnded);
  raw.end();
  const numbers = readFrames(raw.bytes).map(({ payload }) => Number(Buffer.from(payload)));
  expect(numbers.slice(0, -1)).toEqual(sent.map((_, i) => i));
}

export const table: Table<RowName<"Opening handshake, as a server">> = {
  "method other than GET: 405 with Allow": [
    ...["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get", "GETS", "PRI"].map(withMethod),
    refused("a method without end", long(20_000), NOT_GET),
  ],
  "HTTP/1.0, no upgrade in Connection, no websocket in Upgrade: 426 with Upgrade, or 400 when malformed": [
    refused("HTTP/1.0", request({}, "GET / HTTP/1.0"), UPGRADE),
    refused("HTTP/0.9", "GET /\r\n\r\n", BAD),
    refused("HTTP/2.0", request({}, "GET / HTTP/2.0"), [505]),
    refused("HTTP/1.1 in small letters", request({}, "GET / http/1.1"), BAD),
    refused("HTTP/1.10", request({}, "GET / HTTP/1.10"), BAD),
    refused("a web page", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", UPGRADE),
    changed("no Connection", { Connection: undefined }, UPGRADE),
    changed("Connection: keep-alive", { Connection: "keep-alive" }, UPGRADE),
    changed("Connection: a word with upgrade in it", { Connection: "upgraded, no-upgrade" }, UPGRADE),
    changed("Connection: no list of tokens", { Connection: "Upgrade; q=1" }, BAD),
    changed("Connection: 5,000 tokens", { Connection: `${tokens(1000)},Upgrade` }, BAD),
    changed("no Upgrade", { Upgrade: undefined }, UPGRADE),
    changed("Upgrade: h2c", { Upgrade: "h2c" }, UPGRADE),
    changed("Upgrade: a word with websocket in it", { Upgrade: "websockets" }, UPGRADE),
    changed("Upgrade: no list of protocols", { Upgrade: "websocket / 13" }, BAD),
    changed("no Host", { Host: undefined }, BAD),
    changed("two Hosts", { Host: ["localhost", "evil.example"] }, BAD),
    changed("a Host with a path", { Host: "localhost/evil" }, BAD),
    changed("a Host with a user", { Host: "ann@localhost" }, BAD),
  ],
  "version absent, 7, 8, 14, 13 twice, 777: 426 with Sec-WebSocket-Version: 13": [
    changed("absent", { "Sec-WebSocket-Version": undefined }, VERSION),
    ...["", "0", "7", "8", "14", "13,13", "13, 8", "777", "013", "13.0", "+13", "thirteen", "-13"].map((version) =>
      changed(`"${version}"`, { "Sec-WebSocket-Version": version }, VERSION),
    ),
    changed("two fields", { "Sec-WebSocket-Version": ["13", "13"] }, VERSION),
  ],
  "key missing, twice, not of 16 bytes: 400": [
    changed("missing", { "Sec-WebSocket-Key": undefined }, BAD),
    changed("twice", { "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="] }, BAD),
    ...Object.entries({
      empty: "",
      "of 15 bytes": Buffer.alloc(15).toString("base64"),
      "of 17 bytes": Buffer.alloc(17).toString("base64"),
      "without padding": "dGhlIHNhbXBsZSBub25jZQ",
      "with too much of it": "dGhlIHNhbXBsZSBub25jZQ===",
      "of another alphabet": "dGhlIHNhbXBsZSBub25jZ_==",
      "with a space": "dGhlIHNhbXBsZSBub25j Q==",
      "no base64": "!!!!!!!!!!!!!!!!!!!!!!==",
      "of 8,000 characters": long(8000),
    }).map(([name, key]) => changed(name, { "Sec-WebSocket-Key": key }, BAD)),
  ],
  "2,000 headers, one of 20 KiB, a request line of 1 MiB: 431, 431, 414": [
    refused("2,000 headers", request().replace("\r\n\r\n", `\r\n${fields(2000)}\r\n`), [431]),
    refused("101 headers", request().replace("\r\n\r\n", `\r\n${fields(96)}\r\n`), [431]),
    refused(
      "2,000 headers of one name",
      request().replace("\r\n\r\n", `\r\n${"Upgrade: x\r\n".repeat(2000)}\r\n`),
      [431],
    ),
    changed("a value of 20 KiB", { "X-Long": long(20_480) }, [431]),
    refused("a name of 20 KiB", request().replace("\r\n\r\n", `\r\n${long(20_480)}: x\r\n\r\n`), [431]),
    refused("a name without end", `GET / HTTP/1.1\r\n${long(1 << 20)}`, [431]),
    refused("a request line of 1 MiB", `GET /${long(1 << 20)} HTTP/1.1\r\n\r\n`, [414]),
    refused("a target of 8 KiB and a byte", request({}, `GET /${long(8192)} HTTP/1.1`), [414]),
    refused("1 MiB of spaces", `GET / HTTP/1.1\r\nX-A:${" ".repeat(1 << 20)}\r\n\r\n`, [431]),
    refused("1 MiB of nothing but line breaks", "\r\n".repeat(1 << 19), BAD),
  ],
  "a byte now and then, or silence: 408 at the deadline": [
    slowly("silence", [""]),
    slowly("silence behind the request line", ["GET / HTTP/1.1\r\n", ""]),
    slowly("silence in front of the last byte", [request().slice(0, -1), ""]),
    slowly("a byte at a time", [...request(), "a"]),
    slowly("a field at a time", ["GET / HTTP/1.1\r\n", ...Array<string>(90).fill("X-A: b\r\n"), ""]),
  ],
  "obs-fold, bare LF, NUL, space before the colon, two framings, a body: 400": [
    withLine("a folded line", "X-A: b\r\n folded"),
    withLine("a folded line with a tab", "X-A: b\r\n\tfolded"),
    refused("a folded first field", request().replace("\r\nHost", "\r\n Host"), BAD),
    refused("bare LF everywhere", request().replaceAll("\r\n", "\n"), BAD),
    withLine("a bare LF", "X-A: b\nX-B: c"),
    withLine("a bare CR", "X-A: b\rX-B: c"),
    withLine("CR CR LF", "X-A: b\r"),
    ...Object.entries({ NUL: "\0", BEL: "\x07", ESC: "\x1b", DEL: "\x7f" }).flatMap(([name, byte]) => [
      withLine(`${name} in a value`, `X-A: b${byte}c`),
      withLine(`${name} in a name`, `X-A${byte}: b`),
      refused(`${name} in the target`, request({}, `GET /a${byte}b HTTP/1.1`), BAD),
    ]),
    withLine("a space before the colon", "X-A : b"),
    withLine("a tab before the colon", "X-A\t: b"),
    withLine("no name", ": b"),
    withLine("no colon", "X-A"),
    withLine("a name that is no token", "X(A): b"),
    withLine("a name that is not ASCII", "X-\xe9: b"),
    refused("two spaces in the request line", request({}, "GET  / HTTP/1.1"), BAD),
    refused("a space in the target", request({}, "GET /a b HTTP/1.1"), BAD),
    refused("bytes above 0x7F in the target", request({}, "GET /\xe9 HTTP/1.1"), BAD),
    refused("a line break in front", `\r\n${request()}`, BAD),
    refused("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BAD),
    refused("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    withLine("Content-Length with Transfer-Encoding", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
    withLine("Transfer-Encoding", "Transfer-Encoding: chunked"),
    withLine("Transfer-Encoding that nobody knows", "Transfer-Encoding: xchunked"),
    withLine("a body", "Content-Length: 5"),
    withLine("two lengths", "Content-Length: 0\r\nContent-Length: 5"),
    withLine("two lengths of nothing", "Content-Length: 0\r\nContent-Length: 0"),
    withLine("a list of lengths", "Content-Length: 0, 0"),
    withLine("a negative length", "Content-Length: -1"),
    withLine("a length with a sign", "Content-Length: +0"),
    withLine("a length in another base", "Content-Length: 0x0"),
  ],
  "Sec-WebSocket-Protocol with 32,000 spaces, 5,000 tokens, duplicates: 400, in linear time": [
    // Over the default of the whole head, which would be 431: the list itself is to hold.
    changed("12,000 spaces", { "Sec-WebSocket-Protocol": `a${" ".repeat(12_000)}b` }, BAD),
    changed("8,000 spaces", { "Sec-WebSocket-Protocol": `a${" ".repeat(8000)}b` }, BAD),
    changed("32,000 spaces", { "Sec-WebSocket-Protocol": `a${" ".repeat(32_000)}b` }, [431]),
    changed("spaces and commas in turns", { "Sec-WebSocket-Protocol": " ,".repeat(4000) }, BAD),
    changed("commas alone", { "Sec-WebSocket-Protocol": ",".repeat(8000) }, BAD),
    changed("5,000 tokens", { "Sec-WebSocket-Protocol": tokens(5000) }, [431]),
    changed("2,000 tokens", { "Sec-WebSocket-Protocol": tokens(2000) }, BAD),
    changed("101 tokens", { "Sec-WebSocket-Protocol": tokens(101) }, BAD),
    changed("90 fields of 20 tokens", { "Sec-WebSocket-Protocol": Array<string>(90).fill(tokens(20)) }, BAD),
    changed("a duplicate", { "Sec-WebSocket-Protocol": "v1, v2, v1" }, BAD),
    changed("a duplicate in a second field", { "Sec-WebSocket-Protocol": ["v1", "v2, v1"] }, BAD),
    changed("nothing", { "Sec-WebSocket-Protocol": "" }, BAD),
    changed("a word in quotes", { "Sec-WebSocket-Protocol": '"v1"' }, BAD),
    changed("two words without a comma", { "Sec-WebSocket-Protocol": "v1 v2" }, BAD),
    declined(
      "names of objects",
      { "Sec-WebSocket-Protocol": "constructor, __proto__, toString" },
      { acceptProtocols: ["v1"] },
    ),
  ],
  "Sec-WebSocket-Extensions with names of objects, unclosed quotes, wrong window bits: 400 or declined, in linear time":
    [
      ...["constructor", "__proto__", "toString", "hasOwnProperty; constructor=1", "x-reversing; __proto__"].map(
        (value) => declined(value, { "Sec-WebSocket-Extensions": value }),
      ),
      declined("names of objects, where there are extensions", { "Sec-WebSocket-Extensions": "constructor, __proto__; __proto__=1" }, { extensions: ["reversing"] }), // prettier-ignore
      changed(
        "an unclosed quote with 4,000 escapes",
        { "Sec-WebSocket-Extensions": `a; b="${"\\c".repeat(4000)}` },
        BAD,
      ),
      changed(
        "the same closed, which is no token",
        { "Sec-WebSocket-Extensions": `a; b="${"\\c".repeat(1000)}\\,"` },
        BAD,
      ),
      changed("a quote that ends in an escape", { "Sec-WebSocket-Extensions": 'a; b="c\\' }, BAD),
      changed("thousands of unclosed quotes", { "Sec-WebSocket-Extensions": 'a; b=" '.repeat(1000) }, BAD),
      changed("thousands of semicolons", { "Sec-WebSocket-Extensions": `a${";".repeat(8000)}` }, BAD),
      changed("thousands of parameters", { "Sec-WebSocket-Extensions": `a${"; b".repeat(2500)}` }, BAD),
      changed("thousands of spaces", { "Sec-WebSocket-Extensions": `a${" ".repeat(8000)}b` }, BAD),
      changed("thousands of extensions", { "Sec-WebSocket-Extensions": tokens(1500) }, BAD),
      changed("nothing", { "Sec-WebSocket-Extensions": "" }, BAD),
      changed("a parameter without a name", { "Sec-WebSocket-Extensions": "a; =1" }, BAD),
      changed("a parameter without its value", { "Sec-WebSocket-Extensions": "a; b=" }, BAD),
      changed("an empty quote", { "Sec-WebSocket-Extensions": 'a; b=""' }, BAD),
      ...["0", "7", "16", "08", "999999999999999999999"].map((bits) =>
        declined(`window bits ${bits}`, {
          "Sec-WebSocket-Extensions": `permessage-deflate; server_max_window_bits=${bits}`,
        }),
      ),
      declined("window bits -1", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=-1" }),
      declined("window bits without a value", {
        "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits",
      }),
    ],
  "a foreign Origin: 403": [
    ...Object.entries({
      "another host": "http://evil.example",
      "another port": "http://localhost:81",
      "a host that begins the same": "http://localhost.evil.example",
      "a host that ends the same": "http://evil-localhost",
      "a user that looks like the host": "http://localhost@evil.example",
      "an opaque origin": "null",
      nothing: "",
      "no origin at all": "localhost",
      "a file": "file://",
    }).map(([name, Origin]) => changed(name, { Origin }, [403])),
    changed("two of them", { Origin: ["http://localhost", "http://evil.example"] }, [403]),
    refused("one that is not in the list", request({ Origin: "https://c.example" }), [403], LISTED),
    refused(
      "one with a dot behind, which is not in the list",
      request({ Origin: "https://a.example." }),
      [403],
      LISTED,
    ),
    declined("one in the list is let in", { Origin: "https://a.example" }, LISTED),
    declined("the same host is let in", { Origin: "http://localhost" }),
  ],
  "no such path, absolute form, two slashes: 404, 400": [
    refused("no such path", request({}, "GET /other HTTP/1.1"), [404], { path: "/chat" }),
    refused("a path that goes on", request({}, "GET /chat/ HTTP/1.1"), [404], { path: "/chat" }),
    refused("a path that is written otherwise", request({}, "GET /%63hat HTTP/1.1"), [404], { path: "/chat" }),
    ...[
      "http://localhost/chat",
      "ws://evil.example/chat",
      "//evil.example",
      "//",
      "/\\evil.example",
      "*",
      "localhost:80",
      "chat",
      "?chat",
      "/chat#x",
    ].map((target) => refused(target, request({}, `GET ${target} HTTP/1.1`), BAD, { path: "/chat" })),
  ],
  "bytes right behind the request: held, and delivered in order": [
    { name: "one ping", play: (arena) => behindRequest(arena, 1, 1) },
    { name: "four hundred pings, of less than is held at most", play: (arena) => behindRequest(arena, 400, 100) },
    {
      name: "250 KB in order, while the upgrade hook has not decided",
      async play(arena: Arena): Promise<void> {
        const { port } = await arena.agent.serve({ upgrade: "later" });
        const key = arena.newKey();
        await arena.agent.prepare(key, [["echo"]]);
        const raw = arena.keep(Raw.connect(port));
        const peer = new Peer("server");
        const texts = Array.from({ length: 2500 }, (_, i) => `${i}`.padStart(100, "0"));
        const written = raw.write(openingRequest(key), ...texts.map((text) => peer.text(text)), peer.close(1000));
        await until(() => arena.agent.isAwaited("decide"));
        // All is written, or the server has stopped to read.
        await plateau(() => raw.socket.bytesWritten);
        await arena.agent.say("decide");
        await written;
        expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
        await raw.until(() => raw.hasEnded);
        raw.end();
        expect(readFrames(raw.bytes).map(({ payload }) => Buffer.from(payload).toString("latin1"))).toEqual([
          ...texts,
          "\x03\xe8",
        ]);
        await arena.agent.finished(key);
      },
    },
    {
      name: "without end, while the upgrade hook never decides: 503 at the deadline, reading paused",
      async play(arena: Arena): Promise<void> {
        const { port } = await arena.agent.serve({ isDeaf: true, upgrade: "never", handshakeTimeout: 500 });
        const raw = arena.keep(Raw.connect(port));
        const frames = concat(Array.from({ length: 400 }, () => new Peer("server").ping("p".repeat(125))));
        let sent = 0;
        using memory = new MemoryWatch(arena.agent.pid);
        await raw.write(openingRequest("never"));
        while (!raw.hasEnded && sent < 1024 && !raw.error) {
          const isTaken = await Promise.race([raw.write(frames).then(() => true), raw.until(() => raw.hasEnded)]);
          if (isTaken) sent++;
        }
        await raw.until(() => raw.hasEnded);
        expect(memory.growth).toBeLessThan(96 << 20);
        expect(sent).toBeLessThan(1024);
        raw.end();
      },
    },
    {
      name: "of which the upgrade hook throws: 500",
      async play(arena: Arena): Promise<void> {
        const { port } = await arena.agent.serve({ isDeaf: true, upgrade: "throws" });
        const raw = arena.keep(Raw.connect(port));
        await raw.write(openingRequest("throws") + "more");
        check(await raw.readHead(), [500]);
        await raw.until(() => raw.hasEnded);
        raw.end();
      },
      complaint: /thrown on purpose/,
    },
    {
      name: "what breaks the rules: 1002 behind the 101",
      async play(arena: Arena): Promise<void> {
        const raw = await arena.connect();
        await raw.write(concat([Buffer.from(openingRequest("early"), "latin1"), new Peer("server").frame(3)]));
        expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
        await raw.until(() => raw.hasEnded);
        raw.end();
        expect([...raw.bytes.subarray(0, 4)]).toEqual([0x88, raw.bytes.length - 2, 0x03, 0xea]);
      },
    },
    {
      name: "another request, which is a frame, and a wrong one",
      async play(arena: Arena): Promise<void> {
        const raw = await arena.connect();
        await raw.write(openingRequest("early") + openingRequest("smuggled"));
        expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
        await raw.until(() => raw.hasEnded);
        raw.end();
        expect([...raw.bytes.subarray(0, 4)]).toEqual([0x88, raw.bytes.length - 2, 0x03, 0xea]);
      },
    },
  ],
  "draining, or at the connection limit: 503 with Retry-After": [
    {
      name: "at the limit, and in again once there is room",
      play: (arena) => atLimit(arena, { maxConnections: 2 }),
    },
    {
      name: "at the limit of one address",
      play: (arena) => atLimit(arena, { maxConnectionsPerAddress: 2 }),
    },
    {
      name: "at the limit with connections that never ask for anything",
      async play(arena: Arena): Promise<void> {
        const serving = await arena.serve({ maxConnections: 2, handshakeTimeout: 400 });
        await Promise.all(
          [arena.connect(serving), arena.connect(serving)].map(async (raw) => (await raw).write("GET")),
        );
        await until(async () => (await arena.agent.holding(serving)).opening === 2);
        check(await arena.refusal(serving, request()), BUSY);
      },
    },
    {
      name: "draining",
      async play(arena: Arena): Promise<void> {
        // It is gone for good then, so it is no server that others use.
        const serving = await arena.agent.serve({ isDeaf: true, additionalHeaders: { "X-Drained": "yes" } });
        const [open, opening] = [await arena.connect(serving), await arena.connect(serving)];
        await open.write(openingRequest("open"));
        await open.readHead();
        await opening.write("GET / HTTP/1.1\r\n");
        await until(async () => (await arena.agent.holding(serving)).opening === 1);
        const late = await arena.connect(serving);
        await new Promise((resolve) => late.socket.once("connect", resolve));
        await arena.agent.drain(serving, 400);
        check(await opening.readHead(), BUSY);
        opening.end();
        // One that was on its way in is answered; and one that is in and does not answer is ended in time.
        await late.write(request());
        const head = await late.readHead();
        if (head !== "") check(head, BUSY);
        late.end();
        await untilGone(open);
        expect((await arena.agent.holding(serving)).connections).toBe(0);
      },
    },
  ],
  "plaintext on the TLS port, the client gone halfway: freed, nothing unhandled": [
    onTls("a request in plaintext", request()),
    onTls("bytes at random", "\x80\x01\x02\x03\xff\xfe".repeat(100)),
    onTls("half a ClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", true),
    gone("gone before the first byte", (raw) => raw.end()),
    gone("reset before the first byte", (raw) => raw.socket.resetAndDestroy()),
    gone("gone inside the request line", (raw) => raw.write("GET / HT").then(() => raw.end())),
    gone("reset inside a field", (raw) =>
      raw.write("GET / HTTP/1.1\r\nHost: lo").then(() => raw.socket.resetAndDestroy()),
    ),
    gone("reset behind the request", (raw) => raw.write(openingRequest("x")).then(() => raw.socket.resetAndDestroy())),
    gone("reset while it is refused", (raw) => raw.write("nonsense\r\n\r\n").then(() => raw.socket.resetAndDestroy())),
    {
      name: "refused, and still there without reading: cut off at closeTimeout",
      async play(arena: Arena): Promise<void> {
        const raw = await arena.connect(await arena.serve({ closeTimeout: 100 }));
        await raw.write("nonsense\r\n\r\n");
        await raw.until(() => raw.hasEnded);
        await untilGone(raw);
      },
    },
  ],
};
