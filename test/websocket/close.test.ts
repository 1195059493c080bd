import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "../../src/websocket.ts";
import { EventLog, event, openOver, thrownName } from "../helpers/face.ts";
import { Listening, WsListening } from "../helpers/peers.ts";
import { RawServer, closePayload, op } from "../helpers/raw-peer.ts";
import { turns, until } from "../helpers/until.ts";

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

/** Whatever a caller may pass who has no types. */
const close = (ws: WebSocket, ...given: unknown[]): void => ws.close(...(given as [number]));

describe("the arguments of close()", () => {
  it.each<[string, unknown[], number | undefined, string]>([
    ["none", [], undefined, ""],
    ["undefined", [undefined], undefined, ""],
    ["both undefined", [undefined, undefined], undefined, ""],
    ["an empty reason alone", [undefined, ""], undefined, ""],
    ["a reason alone", [undefined, "bye"], 1000, "bye"],
    ["1000", [1000], 1000, ""],
    ["3000", [3000, "a"], 3000, "a"],
    ["4999", [4999, ""], 4999, ""],
    ["a string that is a number", ["3000"], 3000, ""],
    ["a fraction, down", [3000.49], 3000, ""],
    ["a fraction, to the even one", [3000.5], 3000, ""],
    ["a fraction, to the even one above", [3001.5], 3002, ""],
    ["a fraction, up", [4998.51], 4999, ""],
    ["an object that is a number", [{ valueOf: () => 4000 }], 4000, ""],
    ["a reason that is no string", [1000, 5], 1000, "5"],
    ["null for a reason", [1000, null], 1000, "null"],
    ["123 bytes", [1000, "x".repeat(123)], 1000, "x".repeat(123)],
    ["123 bytes of three each", [1000, "世".repeat(41)], 1000, "世".repeat(41)],
    ["unpaired surrogates", [1000, "a\ud807b\udc00c"], 1000, "a\ufffdb\ufffdc"],
  ])("are sent so: %s", async (_name, given, code, reason) => {
    const { ws, peer, log } = await openOver(raw);
    close(ws, ...given);
    expect(await peer.readClose()).toEqual({ code, reason });
    expect(ws.readyState).toBe(2);
    peer.send(op.close, code === undefined ? "" : closePayload(code, reason), { mask: false });
    peer.end();
    expect(await log.closed()).toEqual({ code: code ?? 1005, reason, wasClean: true });
    expect(log.types).toEqual(["open", "close"]);
  });

  it.each([
    0,
    null,
    NaN,
    "",
    "x",
    {},
    -1,
    999,
    999.4,
    1001,
    1004,
    1005,
    1006,
    1011,
    2999,
    2999.4,
    5000,
    65536 + 1000,
    Infinity,
  ])("are refused: %s, with InvalidAccessError", async (code) => {
    const { ws } = await openOver(raw);
    expect(thrownName(() => close(ws, code))).toBe("InvalidAccessError");
    expect(ws.readyState).toBe(1);
    ws.close();
  });

  it.each([["x".repeat(124)], ["世".repeat(41) + "x"], ["\ud800".repeat(42)]])(
    "are refused: a reason of over 123 bytes, with SyntaxError",
    async (reason) => {
      const { ws } = await openOver(raw);
      expect(thrownName(() => close(ws, 1000, reason))).toBe("SyntaxError");
      expect(thrownName(() => close(ws, undefined, reason))).toBe("SyntaxError");
      expect(ws.readyState).toBe(1);
      ws.close();
    },
  );

  it("are converted, then looked at: the code first", () => {
    const ws = new WebSocket(raw.url);
    const long = "x".repeat(124);
    expect(thrownName(() => close(ws, 1n))).toBe("TypeError");
    expect(thrownName(() => close(ws, Symbol("x")))).toBe("TypeError");
    expect(thrownName(() => close(ws, 5, Symbol("x")))).toBe("TypeError");
    expect(thrownName(() => close(ws, 5, long))).toBe("InvalidAccessError");
    expect(thrownName(() => close(ws, 1000, long))).toBe("SyntaxError");
    ws.close();
  });

  it("are looked at in every state", async () => {
    const { ws, log } = await openOver(raw);
    ws.close();
    expect(thrownName(() => close(ws, 5))).toBe("InvalidAccessError");
    await raw.close();
    await log.closed();
    expect(thrownName(() => close(ws, 5))).toBe("InvalidAccessError");
    expect(thrownName(() => close(ws, 1000, "x".repeat(124)))).toBe("SyntaxError");
    expect(thrownName(() => close(ws, 1000))).toBe("nothing");
  });
});

describe("close() before the connection is open", () => {
  it("fails it: error, then close with 1006", async () => {
    const ws = new WebSocket(raw.url);
    const log = new EventLog(ws);
    const { peer } = await raw.request();
    ws.close(4000, "never mind");
    expect(ws.readyState).toBe(2);
    expect(log.types).toEqual([]);
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["error", "close"]);
    expect(log.states).toEqual([3, 3]);
    await until(() => peer.ended);
  });

  it("does so at once behind the constructor, too", async () => {
    const ws = new WebSocket(raw.url);
    ws.close();
    const log = new EventLog(ws);
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["error", "close"]);
  });
});

describe("close()", () => {
  it("a second time does nothing", async () => {
    const { ws, peer, log } = await openOver(raw);
    ws.close(4000, "first");
    ws.close(4001, "second");
    expect(await peer.readClose()).toEqual({ code: 4000, reason: "first" });
    peer.send(op.close, closePayload(4000, "first"), { mask: false });
    peer.end();
    await log.closed();
    ws.close();
    expect(ws.readyState).toBe(3);
    expect(log.types).toEqual(["open", "close"]);
  });

  it("from a listener of close does nothing", async () => {
    await using listening = await Listening.start();
    const ws = new WebSocket(listening.url);
    await event(ws, "open");
    const states: number[] = [];
    ws.onclose = () => {
      states.push(ws.readyState);
      ws.close();
      states.push(ws.readyState);
    };
    const log = new EventLog(ws);
    ws.close();
    await log.closed();
    expect(states).toEqual([3, 3]);
  });

  it("drops the messages that come behind it", async () => {
    const { ws, peer, log } = await openOver(raw);
    ws.close();
    await peer.readClose();
    peer.send(op.text, "late", { mask: false });
    peer.send(op.close, "", { mask: false });
    peer.end();
    expect(await log.closed()).toEqual({ code: 1005, reason: "", wasClean: true });
    expect(log.data).toEqual([]);
  });

  it("drops messages that wait for their task, too", async () => {
    const { ws, peer, log } = await openOver(raw);
    ws.onmessage = () => ws.close();
    for (const text of ["1", "2", "3"]) peer.send(op.text, text, { mask: false });
    await peer.readClose();
    peer.send(op.close, "", { mask: false });
    peer.end();
    await log.closed();
    expect(log.data).toEqual(["1"]);
  });

  it("is behind what was sent", async () => {
    const { ws, peer } = await openOver(raw);
    for (let i = 0; i < 100; i++) ws.send(`${i}`);
    ws.close(1000);
    for (let i = 0; i < 100; i++) expect((await peer.readFrame()).payload.toString()).toBe(`${i}`);
    expect(await peer.readClose()).toEqual({ code: 1000, reason: "" });
  });

  it("fails the connection when the peer does not answer in time", async () => {
    const { ws, log } = await openOver(raw, { closeTimeout: 1 });
    ws.close(1000);
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["open", "error", "close"]);
  });
});

describe("the peer closes", () => {
  it.each<[string, string | Uint8Array, number, string]>([
    ["with nothing", "", 1005, ""],
    ["with a code", closePayload(1001), 1001, ""],
    ["with a code and a reason", closePayload(3999, "Gehen wir"), 3999, "Gehen wir"],
    ["with a reason that begins with a byte order mark", closePayload(1000, "\ufeffx"), 1000, "\ufeffx"],
  ])("%s: it is clean", async (_name, payload, code, reason) => {
    const { peer, log } = await openOver(raw);
    peer.send(op.close, payload, { mask: false });
    expect((await peer.readClose()).code).toBe(code === 1005 ? undefined : code);
    peer.end();
    expect(await log.closed()).toEqual({ code, reason, wasClean: true });
    expect(log.types).toEqual(["open", "close"]);
    expect(log.states).toEqual([1, 3]);
  });

  it("behind messages: all come, and until then the state is OPEN", async () => {
    const { peer, log } = await openOver(raw);
    for (const text of ["1", "2", "3"]) peer.send(op.text, text, { mask: false });
    peer.send(op.close, closePayload(1000), { mask: false });
    peer.end();
    await log.closed();
    expect(log.types).toEqual(["open", "message", "message", "message", "close"]);
    expect(log.states).toEqual([1, 1, 1, 1, 3]);
  });

  it("and leaves TCP open: the state is CLOSING, and nothing is sent any more", async () => {
    const { ws, peer, log } = await openOver(raw);
    peer.send(op.close, closePayload(1000), { mask: false });
    await peer.readClose();
    await turns(5);
    expect(ws.readyState).toBe(2);
    ws.send("x");
    expect(ws.bufferedAmount).toBe(1);
    ws.close();
    expect(log.types).toEqual(["open"]);
    peer.end();
    await log.closed();
    expect(ws.bufferedAmount).toBe(1);
    expect((await peer.rest()).length).toBe(0);
  });

  it("at the same time as we do", async () => {
    const { ws, peer, log } = await openOver(raw);
    peer.send(op.close, closePayload(4001, "theirs"), { mask: false });
    ws.close(4002, "ours");
    expect(await peer.readClose()).toEqual({ code: 4002, reason: "ours" });
    peer.end();
    expect(await log.closed()).toEqual({ code: 4001, reason: "theirs", wasClean: true });
  });

  it("as `ws` does it, and `ws` understands ours", async () => {
    await using listening = await WsListening.start();
    const ws = new WebSocket(listening.url);
    const [{ ws: other }] = await Promise.all([listening.connection(), event(ws, "open")]);
    const log = new EventLog(ws);
    ws.close(4321, "für dich");
    expect(await other.closed()).toEqual([[4321, "für dich"]]);
    expect(await log.closed()).toEqual({ code: 4321, reason: "für dich", wasClean: true });
  });
});
