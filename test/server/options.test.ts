import { describe, expect, it } from "vitest";
import { Client, connect, Server, type ClientOptions, type ServerOptions } from "../../src/index.ts";
import { makeClient, makeServer } from "../../src/driver.ts";
import { Listening } from "../helpers/peers.ts";
import { RawServer, frame, op, request } from "../helpers/raw-peer.ts";
import { Recording, next, thrownBy, turns, until } from "../helpers/until.ts";

/** What makes something of options, without dialing or listening. */
const makers: [name: string, make: (options: object) => unknown][] = [
  ["Server", (options) => new Server(options)],
  ["Client", (options) => makeClient("ws://localhost/", options)],
  ["makeServer", (options) => makeServer(env(), options)],
];

function env(): Parameters<typeof makeServer>[0] {
  const socket = { start: () => undefined, bufferedAmount: 0 };
  return { method: "GET", url: "/", headers: {}, socket };
}

const typeErrors: [option: string, values: unknown[]][] = [
  ["maxLength", ["1", null, {}, true, 1n]],
  ["maxFragments", ["1", null]],
  ["acceptProtocols", ["chat", {}, 1, null]],
  ["additionalHeaders", ["X-A: b", 1, null]],
  ["extensions", [{}, "permessage-deflate", null]],
  ["handshakeTimeout", ["10", null]],
  ["closeTimeout", ["10", null]],
  ["highWaterMark", ["10", null]],
  ["codec", [{}, "simd", null]],
  ["maxHeadLength", ["1", null]],
  ["maxHeaders", ["1", null]],
  ["heartbeat", [true, 0, null, "30s", 1000]],
  ["maxQueuedBytes", ["1", null]],
  ["maxQueuedMessages", ["1", null]],
  ["maxPendingPongs", ["1", null]],
  ["slowConsumer", ["drop", true, null]],
  ["budget", [1, {}, null]],
];
/** Limits that take 0 for none, and 2^53 for any. */
const amounts = [
  "maxLength",
  "maxFragments",
  "maxHeadLength",
  "maxHeaders",
  "closeTimeout",
  "maxQueuedBytes",
  "maxQueuedMessages",
  "maxPendingPongs",
];
const rangeErrors: [option: string, values: number[]][] = [
  ...amounts.map((name): [string, number[]] => [name, [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53 + 2]]),
  ["handshakeTimeout", [0, -1, 0.5, NaN, Infinity, 2 ** 53 + 2]],
  ["highWaterMark", [0, -1, 0.5, NaN, Infinity, 2 ** 53 + 2]],
];
const good: object[] = [
  {},
  { maxLength: 0, maxFragments: 1, handshakeTimeout: 1, closeTimeout: 1, highWaterMark: 1 },
  ...[0, 2 ** 31, 2 ** 32 + 5, 2 ** 53].flatMap((value) => amounts.map((name) => ({ [name]: value }))),
  ...[2 ** 31, 2 ** 53].map((value) => ({ handshakeTimeout: value, highWaterMark: value })),
  { heartbeat: false },
  { heartbeat: {} },
  { heartbeat: { interval: 1, timeout: 2 ** 53 } },
  { maxLength: undefined, acceptProtocols: undefined, additionalHeaders: undefined },
  { acceptProtocols: [], extensions: [], additionalHeaders: [] },
];

describe.each(makers)("options of %s", (_, make) => {
  it("refuses an option that does not exist, and names those that do", () => {
    for (const name of ["maxPayload", "maxlength", "protocols", "verify", "__proto__x", "toString", "constructor"]) {
      const wrong = { name: "TypeError", code: "ERR_OPTION_UNKNOWN" };
      expect(() => make({ [name]: 1 })).toThrow(expect.objectContaining(wrong));
      expect(() => make({ [name]: 1 })).toThrow(/maxLength/);
    }
  });

  it.each(typeErrors)("refuses %s of the wrong type", (option, values) => {
    for (const value of values)
      expect(() => make({ [option]: value })).toThrow(
        expect.objectContaining({ name: "TypeError", code: "ERR_OPTION_TYPE" }),
      );
  });

  it.each(rangeErrors)("refuses %s out of its range", (option, values) => {
    for (const value of values)
      expect(() => make({ [option]: value })).toThrow(
        expect.objectContaining({ name: "RangeError", code: "ERR_OPTION_RANGE" }),
      );
  });

  it("takes what lies within", () => {
    for (const options of good) expect(() => make(options)).not.toThrow();
  });

  it("refuses headers and subprotocols that could become something else on the wire", () => {
    for (const additionalHeaders of [
      { "X-A": "a\r\nX-B: b" },
      { "X-A": "a\nb" },
      { "X-A\r\n": "a" },
      { "X-A": "\0" },
      { "": "a" },
      { "X A": "a" },
      { "X-A": "snowman \u2603" },
      { "X-A": 1 },
      { Upgrade: "h2c" },
      { "sec-websocket-key": "mine" },
      [["X-A"]],
      [["X-A", "a", "b"]],
    ])
      expect(() => make({ additionalHeaders })).toThrow(
        expect.objectContaining({ name: "TypeError", code: "ERR_HEADER" }),
      );
    for (const acceptProtocols of [["a b"], [""], ["a\r\nb"], ["a,b"], ["ü"], [1], ["a", "a"]])
      expect(() => make({ acceptProtocols })).toThrow(
        expect.objectContaining({ name: "TypeError", code: "ERR_SUBPROTOCOL" }),
      );
  });
});

describe("options of a Server alone", () => {
  it.each([
    ["port", ["80", null, true], TypeError],
    ["port", [-1, 65_536, 0.5, NaN], RangeError],
    ["host", [1, null, ["127.0.0.1"]], TypeError],
    ["unix", [1, null], TypeError],
    ["backlog", [0, -1, NaN, 2 ** 31], RangeError],
    ["backlog", ["1"], TypeError],
    ["server", ["http", 1, null], TypeError],
    ["path", [1, null, "chat", ""], TypeError],
    ["tls", ["cert", 1, null], TypeError],
  ] as const)("refuses %s: %j", (option, values, error) => {
    for (const value of values) expect(() => new Server({ [option]: value })).toThrow(error);
  });
});

const tlsOptions: [string, unknown[]][] = [
  ["verify", ["false", 0, 1, null, "no"]],
  ["ca", [1, null, true, {}, [1], [null]]],
  ["cert", [1, true, {}]],
  ["key", [1, true, {}]],
  ["passphrase", [1, true]],
  ["serverName", [1, true, null]],
];

describe("options for TLS", () => {
  it.each(tlsOptions)("refuses %s of the wrong type, lest it mean something else", (option, values) => {
    for (const value of values) {
      const wrong = expect.objectContaining({ name: "TypeError", code: "ERR_OPTION_TYPE" });
      const tls = { [option]: value } as NonNullable<ClientOptions["tls"]>;
      expect(() => new Server({ tls })).toThrow(wrong);
      expect(() => makeClient("wss://localhost/", { tls })).toThrow(wrong);
      expect(() => makeClient("wss://localhost/").startConnection(tls)).toThrow(wrong);
    }
  });

  it("refuses one that does not exist", () => {
    const tls = { rejectUnauthorized: false } as NonNullable<ClientOptions["tls"]>;
    const wrong = expect.objectContaining({ name: "TypeError", code: "ERR_OPTION_UNKNOWN" });
    expect(() => new Server({ tls })).toThrow(wrong);
    expect(() => makeClient("wss://localhost/", { tls })).toThrow(wrong);
  });
});

describe("what a client is given", () => {
  it.each([
    "",
    "localhost",
    "ftp://localhost/",
    "ws://",
    "ws://local host/",
    "ws://localhost:0/",
    "ws://localhost:65536/",
    "ws://localhost/#fragment",
    "ws://localhost/\r\nX-Evil: 1",
    "ws://localhost/a\nb",
    "ws://localhost/\0",
    "ws://a%0d%0ab@localhost/",
    "ws://%ff@localhost/",
    "ws+unix:relative.sock",
  ])("refuses the URL %j before anything is sent", async (url) => {
    const wrong = expect.objectContaining({ name: "TypeError", code: "ERR_URL" });
    expect(() => new Client(url)).toThrow(wrong);
    expect(() => makeClient(url)).toThrow(wrong);
    expect(await thrownBy(() => connect(url))).toMatchObject({ code: "ERR_URL" });
  });

  it.each([[undefined], [null], [42], [{}]])("refuses %j for a URL", (url) => {
    expect(() => new Client(url as never)).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_URL" }));
  });

  it("refuses a signal that is none", () => {
    for (const signal of [null, {}, new AbortController()])
      expect(() => makeClient("ws://localhost/", { signal: signal as AbortSignal })).toThrow(
        expect.objectContaining({ code: "ERR_OPTION_TYPE" }),
      );
  });

  it("throws before it dials", async () => {
    await using raw = await RawServer.listen();
    for (const options of [
      { maxLength: -1 },
      { additionalHeaders: { "X-A": "\n" } },
      { nothing: 1 },
    ] as ClientOptions[])
      expect(() => new Client(raw.url, options)).toThrow();
    const client = new Client(raw.url);
    client.on("error", () => undefined);
    // The first that came is the only one that was to come.
    const peer = await raw.accept();
    expect((await peer.readHead()).startLine).toBe("GET / HTTP/1.1");
    client.terminate();
    await turns(20);
  });
});

describe("maxLength on the wire", () => {
  const cases: [maxLength: number, fits: number][] = [
    [0, 0],
    [1, 1],
    [125, 125],
    [126, 126],
    [65_536, 65_536],
  ];
  it.each(cases)("of %d: that much passes, and one more is 1009, at both sides", async (maxLength, fits) => {
    await using listening = await Listening.start({ maxLength });
    const { client, server } = await listening.pair({ maxLength });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.send(new Uint8Array(fits).fill(7));
      expect(await to.read()).toEqual(new Uint8Array(fits).fill(7));
    }
    const other = await listening.pair({ maxLength });
    for (const [from, to] of [
      [client, server],
      [other.server, other.client],
    ] as const) {
      const recording = new Recording(to);
      const closed = next(from, "close");
      from.send("x".repeat(fits + 1));
      expect((await closed)[0]).toBe(1009);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.errors).toEqual([expect.objectContaining({ code: "ERR_TOO_LONG", closeCode: 1009 })]);
      expect(recording.messages).toEqual([]);
    }
  });

  // A header announces more than anyone will send; it is what limits are checked against, and 32 bits do not hold it.
  const announced: [maxLength: number, passes: bigint, fails: bigint][] = [
    [2 ** 31, 2n ** 31n, 2n ** 31n + 1n],
    [2 ** 32 + 5, 2n ** 32n + 5n, 2n ** 32n + 6n],
    [2 ** 53 - 1, 2n ** 53n - 1n, 2n ** 53n],
  ];
  it.each(announced)("of %d is held to, and not cut to 32 bits", async (maxLength, passes, fails) => {
    await using listening = await Listening.start({ maxLength });
    const header = (length: bigint): Buffer => frame(op.binary, "", { length });
    const { peer, server } = await listening.raw();
    const { socket } = server;
    peer.write(header(passes));
    await until(() => (socket!.raw as { bytesRead: number }).bytesRead === request().length + 14);
    await turns(20);
    expect([server.readyState, peer.pending]).toEqual(["open", 0]);
    const over = await listening.raw();
    over.peer.write(header(fails));
    expect((await over.peer.readClose()).code).toBe(1009);
    peer.destroy();
    over.peer.destroy();
  });

  it("counts fragments, up to maxFragments", async () => {
    await using listening = await Listening.start({ maxFragments: 3 });
    for (const [count, code] of [
      [3, undefined],
      [4, 1008],
    ] as const) {
      const { peer, server } = await listening.raw();
      const message = server.read().catch(() => undefined);
      for (let i = 0; i < count; i++) peer.send(i === 0 ? op.text : op.continuation, "x", { fin: i === count - 1 });
      if (code) expect((await peer.readClose()).code).toBe(code);
      else expect(await message).toBe("xxx");
      peer.destroy();
    }
  });
});

describe("the options a Server hands on", () => {
  it("reach every connection, and none of its own do", async () => {
    const options: ServerOptions = {
      maxLength: 5,
      acceptProtocols: ["b"],
      additionalHeaders: [["X-A", "b"]],
      path: "/p",
    };
    await using listening = await Listening.start(options);
    for (let i = 0; i < 2; i++) {
      const { client, server } = await listening.pair({ acceptProtocols: ["a", "b"] }, "p?q");
      expect([client.protocol, server.protocol, client.response!.headers.get("x-a")]).toEqual(["b", "b", "b"]);
      client.send("123456");
      expect(await next(client, "close")).toEqual([1009, "a message is longer than maxLength"]);
    }
  });
});
