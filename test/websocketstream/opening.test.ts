import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocketError, WebSocketStream } from "../../src/websocketstream.ts";
import { lostWith, thrownName } from "../helpers/face.ts";
import { Listening } from "../helpers/peers.ts";
import { RawServer, switching } from "../helpers/raw-peer.ts";
import { thrownBy, until } from "../helpers/until.ts";

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

/** Whatever a caller may pass who has no types. */
const make = (...given: unknown[]): WebSocketStream => new WebSocketStream(...(given as [string]));

/** What both promises are rejected with, which has to be the same. */
async function failure(stream: WebSocketStream): Promise<Awaited<ReturnType<typeof lostWith>>> {
  const [opened, closed] = await Promise.all([lostWith(() => stream.opened), lostWith(() => stream.closed)]);
  expect(opened).toBe(closed);
  return closed;
}

describe("the constructor", () => {
  it("needs a URL, of the kinds that WebSocket takes", () => {
    expect(thrownName(() => make())).toBe("TypeError");
    for (const url of ["/x", "ftp://x/", "ws://x/#", "ws://x:99999/"])
      expect(thrownName(() => make(url))).toBe("SyntaxError");
    const stream = make("http://127.0.0.1:1/a b");
    expect(stream.url).toBe("ws://127.0.0.1:1/a%20b");
    stream.close();
  });

  it.each<[string, unknown, string]>([
    ["a string for options", "x", "TypeError"],
    ["a number for protocols", { protocols: 5 }, "TypeError"],
    ["a string for protocols", { protocols: "a" }, "TypeError"],
    ["a subprotocol twice", { protocols: ["a", "A"] }, "SyntaxError"],
    ["a subprotocol that is no token", { protocols: ["a b"] }, "SyntaxError"],
    ["null for a signal", { signal: null }, "TypeError"],
    ["what is no signal", { signal: {} }, "TypeError"],
  ])("refuses %s", (_name, options, error) => {
    expect(thrownName(() => make(raw.url, options))).toBe(error);
  });

  it("takes undefined and null for no options, and hybi's own beside them or in the third place", async () => {
    for (const options of [undefined, null, {}, { protocols: undefined, signal: undefined }]) {
      const stream = make(raw.url, options, { additionalHeaders: { "X-Room": "7" } });
      expect((await raw.request()).head.headers).toMatchObject({ "x-room": "7" });
      stream.close();
    }
    for (const signal of [undefined, new AbortController().signal]) {
      const stream = make(raw.url, { signal, headers: { "X-Room": "7" } }, "a stray one");
      expect((await raw.request()).head.headers).toMatchObject({ "x-room": "7" });
      stream.close();
    }
    for (const given of [
      [{ maxLenght: 1 }],
      [{}, { maxLenght: 1 }],
      [{ slowConsumer: "wait" }],
      [{}, { slowConsumer: "wait" }],
    ])
      // prettier-ignore
      expect(thrownName(() => make(raw.url, ...given))).toBe("ERR_OPTION_UNKNOWN");
  });

  it("is an interface, called WebSocketStream", () => {
    const stream = make("ws://127.0.0.1:1");
    expect(Object.prototype.toString.call(stream)).toBe("[object WebSocketStream]");
    expect(Object.keys(WebSocketStream.prototype).sort()).toEqual(["close", "closed", "opened", "url"]);
    expect([WebSocketStream.length, stream.close.length]).toEqual([1, 0]);
    expect([stream.opened, stream.closed]).toEqual([stream.opened, stream.closed]);
    stream.close();
  });

  it.each(["opened", "closed"])("%s of what is no WebSocketStream rejects, as a promise does", async (name) => {
    const attribute = Object.getOwnPropertyDescriptor(WebSocketStream.prototype, name)!;
    for (const other of [undefined, {}, WebSocketStream.prototype]) {
      const promise = attribute.get!.call(other) as Promise<unknown>;
      expect(await thrownBy(() => promise)).toBeInstanceOf(TypeError);
    }
  });
});

describe("opened", () => {
  it("has the streams, the subprotocol and the extensions", async () => {
    await using listening = await Listening.start({ acceptProtocols: ["b"] });
    const stream = new WebSocketStream(listening.url, { protocols: new Set(["a", "b"]) });
    const { readable, writable, protocol, extensions } = await stream.opened;
    expect(readable).toBeInstanceOf(ReadableStream);
    expect(writable).toBeInstanceOf(WritableStream);
    expect([protocol, extensions]).toEqual(["b", ""]);
    stream.close();
    await stream.closed;
  });

  it.each([
    ["refuses", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "ERR_HANDSHAKE_REFUSED"],
    ["takes no subprotocol", "", "ERR_HANDSHAKE_RESPONSE"],
  ])("is rejected with a WebSocketError, as closed is, when the server %s", async (_name, answer, code) => {
    const stream = new WebSocketStream(raw.url, { protocols: ["a"] });
    const { peer, accept } = await raw.request();
    peer.write(answer || switching(accept));
    const error = await failure(stream);
    expect(error).toBeInstanceOf(WebSocketError);
    expect([error.closeCode, error.reason, error.cause.code]).toEqual([1006, "", code]);
  });

  it("is so when close() comes first", async () => {
    const stream = new WebSocketStream(raw.url);
    const { peer } = await raw.request();
    stream.close({ closeCode: 4000, reason: "x" });
    const error = await failure(stream);
    expect([error.name, error.closeCode, error.reason]).toEqual(["WebSocketError", 1006, ""]);
    await until(() => peer.ended);
  });
});

describe("signal", () => {
  it("that is raised already rejects both with its reason, and nobody is dialed", async () => {
    const reason = new Error("No.");
    expect(await failure(new WebSocketStream(raw.url, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const error = await failure(new WebSocketStream(raw.url, { signal: AbortSignal.abort() }));
    expect([error.name, error instanceof WebSocketError]).toEqual(["AbortError", false]);
  });

  it("raised during the handshake gives it up", async () => {
    const controller = new AbortController();
    const stream = new WebSocketStream(raw.url, { signal: controller.signal });
    const { peer } = await raw.request();
    controller.abort("enough");
    expect(await stream.opened.catch((reason: unknown) => reason)).toBe("enough");
    expect(await stream.closed.catch((reason: unknown) => reason)).toBe("enough");
    await until(() => peer.ended);
  });

  it("raised once it is open has no effect, and is not listened to any more", async () => {
    const controller = new AbortController();
    await using listening = await Listening.start();
    const stream = new WebSocketStream(listening.url, { signal: controller.signal });
    const { readable, writable } = await stream.opened;
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    controller.abort();
    const server = await listening.connection();
    await writable.getWriter().write("still here");
    expect(await server.read()).toBe("still here");
    server.send("so am I");
    expect(await readable.getReader().read()).toEqual({ done: false, value: "so am I" });
    stream.close();
    await stream.closed;
  });
});

describe("WebSocketError", () => {
  const error = (...given: unknown[]): WebSocketError => new WebSocketError(...(given as [string]));

  it("is a DOMException with a code and a reason", () => {
    const one = error("It broke.", { closeCode: 4000, reason: "a\ud800" });
    expect(one).toBeInstanceOf(DOMException);
    expect([one.name, one.message, one.code, one.closeCode, one.reason]).toEqual([
      "WebSocketError",
      "It broke.",
      0,
      4000,
      "a\ufffd",
    ]);
    expect(Object.prototype.toString.call(one)).toBe("[object WebSocketError]");
    expect(WebSocketError.length).toBe(0);
  });

  it.each<[unknown[], number | null, string]>([
    [[], null, ""],
    [["x", undefined], null, ""],
    [["x", null], null, ""],
    [["x", {}], null, ""],
    [["x", { reason: "" }], null, ""],
    [["x", { reason: "why" }], 1000, "why"],
    [["x", { closeCode: 1000 }], 1000, ""],
    [["x", { closeCode: "3000.9" }], 3000, ""],
    [["x", { closeCode: 4999, reason: 5 }], 4999, "5"],
  ])("of %j", (given, closeCode, reason) => {
    const one = error(...given);
    expect([one.closeCode, one.reason]).toEqual([closeCode, reason]);
  });

  it.each<[unknown, string]>([
    [5, "TypeError"],
    [{ closeCode: -1 }, "TypeError"],
    [{ closeCode: 65536 }, "TypeError"],
    [{ closeCode: NaN }, "TypeError"],
    [{ closeCode: Infinity }, "TypeError"],
    [{ closeCode: 1n }, "TypeError"],
    [{ closeCode: null }, "InvalidAccessError"],
    [{ closeCode: 1001 }, "InvalidAccessError"],
    [{ closeCode: 2999 }, "InvalidAccessError"],
    [{ closeCode: 5000 }, "InvalidAccessError"],
    [{ reason: "x".repeat(124) }, "SyntaxError"],
    [{ closeCode: 1, reason: "x".repeat(124) }, "InvalidAccessError"],
  ])("is refused with %o: %s", (init, name) => {
    expect(thrownName(() => error("x", init))).toBe(name);
  });
});
