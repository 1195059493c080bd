import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, type WebSocketOptions } from "../../src/websocket.ts";
import { EventLog, event, thrownName } from "../helpers/face.ts";
import { Listening, WsListening } from "../helpers/peers.ts";
import { RawServer, switching } from "../helpers/raw-peer.ts";

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

/** Whatever a caller may pass who has no types. */
const make = (...given: unknown[]): WebSocket => new WebSocket(...(given as [string]));

/** For a URL that is to be taken: nobody is dialed, and the connection is given up. */
function made(url: unknown): WebSocket {
  const ws = make(url, [], { dial: () => new Promise(() => undefined) });
  ws.close();
  return ws;
}

describe("the URL", () => {
  it.each([
    ["ws://example.com", "ws://example.com/"],
    ["wss://example.com:443/a?b", "wss://example.com/a?b"],
    ["ws://example.com:80/", "ws://example.com/"],
    ["ws://example.com:8080/x y", "ws://example.com:8080/x%20y"],
    ["WS://EXAMPLE.com/ü", "ws://example.com/%C3%BC"],
    ["http://example.com/a", "ws://example.com/a"],
    ["https://example.com:8443/a", "wss://example.com:8443/a"],
    ["https://example.com:443/", "wss://example.com/"],
    ["  ws://example.com/\n", "ws://example.com/"],
    ["ws://user:pass@example.com/", "ws://user:pass@example.com/"],
    ["ws://example.com/%23", "ws://example.com/%23"],
    ["ws://example.com/\ud800", "ws://example.com/%EF%BF%BD"],
  ])("%j is %s", (given, url) => {
    expect(made(given).url).toBe(url);
  });

  it("may be a URL object, or anything that has text", () => {
    expect(made(new URL("ws://example.com/a")).url).toBe("ws://example.com/a");
    expect(made({ toString: () => "ws://example.com/b" }).url).toBe("ws://example.com/b");
  });

  it.each([
    ["no URL", "/a"],
    ["nothing", ""],
    ["a host that is none", "ws://foo bar.com/"],
    ["a port that is none", "ws://example.com:65536/"],
    ["another scheme", "ftp://example.com/"],
    ["mailto", "mailto:example@example.org"],
    ["about", "about:blank"],
    ["a fragment", "ws://example.com/#a"],
    ["an empty fragment", "ws://example.com/#"],
    ["a fragment behind http", "http://example.com/#a"],
    ["a Unix socket, which the standard does not have", "ws+unix:/tmp/x:/"],
  ])("is refused: %s", (_name, url) => {
    expect(thrownName(() => make(url))).toBe("SyntaxError");
  });

  it("is needed", () => {
    expect(thrownName(() => make())).toBe("TypeError");
    expect(thrownName(() => make(Symbol("x")))).toBe("TypeError");
  });

  it("does not show its password in an error", () => {
    expect(() => make("ws://user:secret@:99999/")).toThrow(/^The URL is malformed\.$/);
  });

  it("is one of the place where the program came from, if that is known", () => {
    const scope = globalThis as { location?: { href: string } };
    scope.location = { href: "https://example.com/a/b" };
    try {
      expect(made("c?d").url).toBe("wss://example.com/a/c?d");
      expect(made("").url).toBe("wss://example.com/a/b");
      expect(thrownName(() => make("#x"))).toBe("SyntaxError");
    } finally {
      delete scope.location;
    }
  });

  it.each(["ws://127.0.0.1:0/", "ws://a%3Ab:c@127.0.0.1/"])("that leads nowhere fails later: %s", async (url) => {
    const log = new EventLog(make(url));
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["error", "close"]);
    expect(log.error).toMatchObject({ code: "ERR_CONNECT", cause: { code: "ERR_URL" } });
  });
});

describe("subprotocols", () => {
  it.each([
    ["none", [], undefined],
    ["undefined", [undefined], undefined],
    ["an empty list", [[]], undefined],
    ["a string", ["chat"], "chat"],
    ["a list", [["b", "a"]], "b, a"],
    ["a set", [new Set(["b", "a"])], "b, a"],
    ["numbers", [[1, 2]], "1, 2"],
    ["a number", [5], "5"],
    ["null, which is a bag of nothing", [null], undefined],
    ["an empty bag", [{}], undefined],
    ["undefined in a bag", [{ protocols: undefined }], undefined],
    ["a string in a bag", [{ protocols: "chat" }], "chat"],
    ["a list in a bag", [{ protocols: ["b", "a"] }], "b, a"],
    ["an empty list in a bag", [{ protocols: [] }], undefined],
    ["a bag that has inherited them", [Object.create({ protocols: new Set(["b", "a"]) })], "b, a"],
    ["all that a token may have", ["!#$%&'*+-.^_`|~09azAZ"], "!#$%&'*+-.^_`|~09azAZ"],
  ])("are offered: %s", async (_name, given, field) => {
    const ws = make(raw.url, ...given);
    const { head } = await raw.request();
    expect(head.headers["sec-websocket-protocol"]).toBe(field);
    ws.close();
  });

  const separators = ["(", ")", "<", ">", "@", ",", ";", ":", "\\", '"', "/", "[", "]", "?", "=", "{", "}", " ", "\t"];
  it.each([
    "",
    "\u0000",
    "\u007f",
    "\u0080",
    "ü",
    "世",
    "a b",
    "a\r\nb",
    ...separators.map((one) => `a${one}b`),
    ["a", "a"],
    ["a", "A"],
    ["a", "b", "a"],
    ["a", ""],
  ])("are refused, in a bag, too: %j", (given) => {
    expect(thrownName(() => make(raw.url, given))).toBe("SyntaxError");
    expect(thrownName(() => make(raw.url, { protocols: given }))).toBe("SyntaxError");
  });

  it("in a bag are what a bag is not: an object in their place is its text", () => {
    expect(thrownName(() => make(raw.url, { protocols: {} }))).toBe("SyntaxError");
  });

  it("are looked at behind the URL, and hybi's options behind them", () => {
    const options = { maxLenght: 1 };
    expect(thrownName(() => make("ftp://x", "", options))).toBe("SyntaxError");
    expect(thrownName(() => make(raw.url, "a b", options))).toBe("SyntaxError");
    expect(thrownName(() => make(raw.url, Symbol("x"), options))).toBe("TypeError");
    expect(thrownName(() => make(raw.url, [Symbol("x")]))).toBe("TypeError");
    expect(thrownName(() => make(raw.url, "a", options))).toBe("ERR_OPTION_UNKNOWN");
    const bag = (protocols: unknown): object => ({ ...options, protocols });
    expect(thrownName(() => make("ftp://x", bag("")))).toBe("SyntaxError");
    expect(thrownName(() => make("ftp://x", bag(Symbol("x"))))).toBe("TypeError");
    expect(thrownName(() => make(raw.url, bag("a b")))).toBe("SyntaxError");
    expect(thrownName(() => make(raw.url, bag("a")))).toBe("ERR_OPTION_UNKNOWN");
  });

  it("the one that the server took is `protocol`, once it is open", async () => {
    await using listening = await Listening.start({ acceptProtocols: ["v2", "v1"] });
    const ws = make(listening.url, ["v1", "v2"]);
    expect(ws.protocol).toBe("");
    await event(ws, "open");
    expect(ws.protocol).toBe("v1");
    ws.close();
  });

  it("that the server does not take fail the connection", async () => {
    await using listening = await WsListening.start({ handleProtocols: () => false });
    const log = new EventLog(make(listening.url, "chat"));
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.error?.code).toBe("ERR_HANDSHAKE_RESPONSE");
  });
});

describe("hybi's options", () => {
  const room = { "X-Room": "7" };
  it.each<[string, unknown[]]>([
    ["in the third place", ["chat", { additionalHeaders: room }]],
    ["in the bag", [{ protocols: ["chat"], additionalHeaders: room }]],
    ["by the name that others have for them", [{ protocols: "chat", headers: new Headers(room) }]],
    ["by that name in the third place", ["chat", { headers: Object.entries(room) }]],
    ["in the third place, behind a bag", [{ protocols: "chat" }, { headers: room }]],
    ["none by the one name, some by the other", ["chat", { headers: room, additionalHeaders: undefined }]],
  ])("reach the client: headers %s", async (_name, given) => {
    const ws = make(raw.url, ...given);
    const { headers } = (await raw.request()).head;
    expect([headers["x-room"], headers["sec-websocket-protocol"]]).toEqual(["7", "chat"]);
    ws.close();
  });

  it.each<[string, unknown, string]>([
    ["one that there is not", { prot: 1 }, "ERR_OPTION_UNKNOWN"],
    ["of the wrong type", { maxLength: "1" }, "ERR_OPTION_TYPE"],
    ["out of range", { maxLength: -1 }, "ERR_OPTION_RANGE"],
    ["a header of the handshake's own", { additionalHeaders: { Upgrade: "x" } }, "ERR_HEADER"],
    ["subprotocols, which have a place", { acceptProtocols: ["a"] }, "ERR_OPTION_UNKNOWN"],
    ["slowConsumer, which the standard settles", { slowConsumer: "wait" }, "ERR_OPTION_UNKNOWN"],
    ["headers by both their names", { headers: {}, additionalHeaders: {} }, "ERR_OPTION_TYPE"],
    ["what undici has beside them", { dispatcher: {} }, "ERR_OPTION_UNKNOWN"],
  ])("are refused: %s", (_name, options, code) => {
    expect(thrownName(() => make(raw.url, [], options))).toBe(code);
    expect(thrownName(() => make(raw.url, options))).toBe(code);
  });

  it("subprotocols are none of them: they have the second place", () => {
    expect(thrownName(() => make(raw.url, [], { protocols: ["a"] }))).toBe("ERR_OPTION_UNKNOWN");
  });

  it.each([null, "a stray one", 5, true, Symbol("x")])("are objects: %o is one argument too many", async (third) => {
    const ws = make(raw.url, "chat", third);
    expect((await raw.request()).head.headers["sec-websocket-protocol"]).toBe("chat");
    ws.close();
  });

  it("extensions are negotiated, and `extensions` is the server's field", async () => {
    const options: WebSocketOptions = {
      extensions: [
        {
          name: "x-test",
          offer: () => [{ name: "x-test", parameters: [] }],
          confirm: () => ({ close: () => undefined }),
        } as never,
      ],
    };
    const ws = make(raw.url, [], options);
    const { peer, head, accept } = await raw.request();
    expect(head.headers["sec-websocket-extensions"]).toBe("x-test");
    expect(ws.extensions).toBe("");
    peer.write(switching(accept, "Sec-WebSocket-Extensions: x-test;  a=1\r\n"));
    await event(ws, "open");
    expect(ws.extensions).toBe("x-test;  a=1");
    ws.close();
  });
});

describe("the interface", () => {
  const constants = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

  it.each(Object.entries(constants))("has the constant %s, %d, on the class and on what it makes", (name, value) => {
    for (const of of [WebSocket, WebSocket.prototype])
      expect(Object.getOwnPropertyDescriptor(of, name)).toEqual({
        value,
        writable: false,
        enumerable: true,
        configurable: false,
      });
    expect(made("ws://example.com")[name as "OPEN"]).toBe(value);
  });

  it("has its attributes and methods enumerable on the prototype, and their lengths", () => {
    const members: string[] = [];
    for (const name in WebSocket.prototype) if (Object.hasOwn(WebSocket.prototype, name)) members.push(name);
    expect(members.sort()).toEqual(
      [
        ...Object.keys(constants),
        ...["binaryType", "bufferedAmount", "close", "extensions", "onclose", "onerror", "onmessage", "onopen"],
        ...["protocol", "readyState", "send", "url"],
      ].sort(),
    );
    expect([WebSocket.length, WebSocket.prototype.send.length, WebSocket.prototype.close.length]).toEqual([1, 1, 0]);
    expect(WebSocket.name).toBe("WebSocket");
  });

  it("is an EventTarget, called WebSocket", () => {
    const ws = made("ws://example.com");
    expect(ws).toBeInstanceOf(EventTarget);
    expect(Object.prototype.toString.call(ws)).toBe("[object WebSocket]");
    expect(thrownName(() => (WebSocket as unknown as () => void)())).toBe("TypeError");
  });

  it("has attributes that cannot be set", () => {
    const ws = made("ws://example.com");
    for (const name of ["url", "readyState", "bufferedAmount", "protocol", "extensions"] as const)
      expect(() => Object.assign(ws, { [name]: 5 })).toThrow(TypeError);
    expect(ws.url).toBe("ws://example.com/");
  });

  it("begins as the standard says", () => {
    const ws = make(raw.url);
    const { readyState, bufferedAmount, protocol, extensions, binaryType, onopen, onmessage, onerror, onclose } = ws;
    expect([readyState, bufferedAmount, protocol, extensions, binaryType]).toEqual([0, 0, "", "", "blob"]);
    expect([onopen, onmessage, onerror, onclose]).toEqual([null, null, null, null]);
    ws.close();
  });
});
