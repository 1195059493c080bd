import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CloseEvent, WebSocket } from "../../src/websocket.ts";
import { EventLog, event, openOver, thrownName } from "../helpers/face.ts";
import { Listening } from "../helpers/peers.ts";
import { RawServer, closePayload, frame, op, switching } from "../helpers/raw-peer.ts";
import { plateau, until } from "../helpers/until.ts";

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

const unmasked = (text: string): Buffer => frame(op.text, text, { mask: false });

describe("open", () => {
  it("comes in a task of its own, with the state, protocol and extensions set", async () => {
    await using listening = await Listening.start({ acceptProtocols: ["chat"] });
    const ws = new WebSocket(listening.url, "chat");
    const seen: unknown[] = [];
    ws.onopen = (event) => seen.push(event.constructor, event.type, ws.readyState, ws.protocol, ws.extensions);
    await event(ws, "open");
    expect(seen).toEqual([Event, "open", 1, "chat", ""]);
    ws.close();
  });

  it("comes before the messages that came with the response", async () => {
    const ws = new WebSocket(raw.url);
    const log = new EventLog(ws);
    await raw.open("", Buffer.concat([unmasked("1"), unmasked("2"), frame(op.close, "", { mask: false })]));
    await raw.close();
    await log.closed();
    expect(log.types).toEqual(["open", "message", "message", "close"]);
    expect(log.data).toEqual(["1", "2"]);
    expect(log.states).toEqual([1, 1, 1, 3]);
  });
});

describe("message", () => {
  it("is a MessageEvent with the data and the origin, that neither bubbles nor can be cancelled", async () => {
    const { ws, peer } = await openOver(raw);
    peer.write(unmasked("Grüße"));
    const message = await event<MessageEvent>(ws, "message");
    expect(message).toBeInstanceOf(MessageEvent);
    expect(message.data).toBe("Grüße");
    expect(message.origin).toBe(`ws://127.0.0.1:${raw.port}`);
    expect(message.lastEventId).toBe("");
    expect(message.source).toBeNull();
    expect(message.ports).toEqual([]);
    expect([message.bubbles, message.cancelable, message.composed]).toEqual([false, false, false]);
    expect(message.target).toBe(ws);
    ws.close();
  });

  it.each<["blob" | "arraybuffer"]>([["blob"], ["arraybuffer"]])("brings binary data as %s", async (type) => {
    const { ws, peer } = await openOver(raw);
    ws.binaryType = type;
    for (const size of [0, 3, 100_000]) {
      peer.send(op.binary, new Uint8Array(size).fill(5), { mask: false });
      const { data }: { data: unknown } = await event<MessageEvent>(ws, "message");
      expect(data).toBeInstanceOf(type === "blob" ? Blob : ArrayBuffer);
      const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : (data as ArrayBuffer));
      expect(bytes.length).toBe(size);
      expect(bytes.every((byte) => byte === 5)).toBe(true);
    }
    ws.close();
  });

  it("brings binary data as binaryType is when it is dispatched", async () => {
    const { ws, peer, log } = await openOver(raw);
    ws.addEventListener("message", () => (ws.binaryType = "arraybuffer"));
    peer.write(Buffer.concat([1, 2].map((byte) => frame(op.binary, Uint8Array.of(byte), { mask: false }))));
    await until(() => log.data.length === 2);
    expect(log.data[0]).toBeInstanceOf(Blob);
    expect(log.data[1]).toBeInstanceOf(ArrayBuffer);
    ws.close();
  });

  it("gives each message memory of its own", async () => {
    const { ws, peer, log } = await openOver(raw);
    ws.binaryType = "arraybuffer";
    peer.write(Buffer.concat([1, 2].map((byte) => frame(op.binary, Uint8Array.of(byte), { mask: false }))));
    await until(() => log.data.length === 2);
    expect(log.data.map((one) => [...new Uint8Array(one as ArrayBuffer)])).toEqual([[1], [2]]);
    expect(log.data[0]).not.toBe(log.data[1]);
    ws.close();
  });

  it("lets the reactions of promises run before the next one, however many there are", async () => {
    const { ws, peer } = await openOver(raw);
    peer.write(Buffer.concat(["1", "2", "3"].map(unmasked)));
    const got: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const message = await new Promise<MessageEvent>((resolve) => (ws.onmessage = (event) => resolve(event)));
      ws.onmessage = null;
      for (let hop = 0; hop < 20; hop++) await Promise.resolve();
      got.push(message.data);
    }
    expect(got).toEqual(["1", "2", "3"]);
    ws.close();
  });

  it("holds back the server while too many wait for their tasks, and none is lost", async () => {
    const { ws, peer, log } = await openOver(raw);
    const tasks: (() => void)[] = [];
    const waiting = vi.spyOn(globalThis, "setImmediate").mockImplementation(((task: () => void) => {
      tasks.push(task);
    }) as never);
    const piece = frame(op.binary, new Uint8Array(65_536), { mask: false });
    const count = 1024;
    let written = 0;
    const pump = (): void => {
      while (written < count) {
        written++;
        if (!peer.write(piece)) return void peer.socket.once("drain", pump);
      }
    };
    pump();
    expect(await plateau(() => written, 200)).toBeLessThan(count);
    waiting.mockRestore();
    for (const task of tasks) task();
    await until(() => log.data.length === count);
    ws.close();
  });

  it("comes also when nobody listened at first", async () => {
    const { ws, peer } = await openOver(raw);
    peer.write(Buffer.concat([unmasked("lost"), frame(op.ping, "", { mask: false })]));
    await peer.readFrame();
    await until(() => true);
    ws.send("now");
    await peer.readFrame();
    const next = event<MessageEvent>(ws, "message");
    peer.write(unmasked("heard"));
    expect((await next).data).toBe("heard");
    ws.close();
  });

  it("puts fragments together, and does not show control frames", async () => {
    const { ws, peer, log } = await openOver(raw);
    peer.send(op.text, "He", { mask: false, fin: false });
    peer.send(op.ping, "x", { mask: false });
    peer.send(op.continuation, "llo", { mask: false });
    await until(() => log.data.length === 1);
    expect(log.data).toEqual(["Hello"]);
    expect((await peer.readFrame()).opcode).toBe(op.pong);
    ws.close();
  });
});

describe("binaryType", () => {
  it("takes what the standard names, and leaves itself alone otherwise", () => {
    const ws = new WebSocket(raw.url);
    const set = (value: unknown): string => {
      ws.binaryType = value as "blob";
      return ws.binaryType;
    };
    expect(["arraybuffer", "", "Blob", null, 5, "nodebuffer"].map(set)).toEqual(Array(6).fill("arraybuffer"));
    expect(set({ toString: () => "blob" })).toBe("blob");
    expect(thrownName(() => set(Symbol("x")))).toBe("TypeError");
    ws.close();
  });

  it.each(["blob", "x"])("can only be set of a WebSocket: %s", (type) => {
    expect(thrownName(() => Reflect.set(WebSocket.prototype, "binaryType", type, {}))).toBe("TypeError");
  });
});

describe("error and close", () => {
  it.each<[string, (peer: Awaited<ReturnType<RawServer["open"]>>) => unknown, string]>([
    ["breaks the protocol", (peer) => peer.write(frame(op.text, "x", { mask: false, rsv: 0x40 })), "ERR_PROTOCOL"],
    ["masks", (peer) => peer.write(frame(op.text, "x")), "ERR_PROTOCOL"],
    ["sends no UTF-8", (peer) => peer.send(op.text, Uint8Array.of(0xff), { mask: false }), "ERR_INVALID_DATA"],
    [
      "closes with a code that may not be sent",
      (peer) => peer.send(op.close, closePayload(1006), { mask: false }),
      "ERR_PROTOCOL",
    ],
    ["resets the connection", (peer) => peer.reset(), "ERR_TRANSPORT"],
  ])("come when the server %s", async (_name, act, code) => {
    const { peer, log } = await openOver(raw);
    act(peer);
    await until(() => peer.ended);
    peer.destroy();
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["open", "error", "close"]);
    expect(log.states).toEqual([1, 3, 3]);
    expect(log.error?.code).toBe(code);
  });

  it("come when the server ends TCP without a Close frame", async () => {
    const { ws, peer, log } = await openOver(raw);
    peer.end();
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["open", "error", "close"]);
    expect(ws.readyState).toBe(3);
  });

  it("come behind the messages that came before the failure", async () => {
    const { peer, log } = await openOver(raw);
    peer.write(Buffer.concat([unmasked("1"), unmasked("2"), frame(op.text, "x", { mask: false, rsv: 0x10 })]));
    await until(() => peer.ended);
    peer.destroy();
    await log.closed();
    expect(log.types).toEqual(["open", "message", "message", "error", "close"]);
  });

  it.each<[string, string, string]>([
    ["refuses", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "ERR_HANDSHAKE_REFUSED"],
    ["redirects", "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "ERR_HANDSHAKE_REFUSED"],
    ["is no WebSocket server", switching("x"), "ERR_HANDSHAKE_RESPONSE"],
    ["speaks no HTTP", "SSH-2.0-x\r\n\r\n", "ERR_HANDSHAKE_HEAD"],
  ])("come when the server %s, without open", async (_name, answer, code) => {
    const ws = new WebSocket(raw.url);
    const log = new EventLog(ws);
    const { peer } = await raw.request();
    peer.write(answer);
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["error", "close"]);
    expect(log.states).toEqual([3, 3]);
    expect(log.error?.code).toBe(code);
    expect([ws.protocol, ws.extensions]).toEqual(["", ""]);
  });

  it("come when the signal is raised, and when nobody listens there", async () => {
    const log = new EventLog(new WebSocket(raw.url, [], { signal: AbortSignal.abort() }));
    await log.closed();
    expect(log.error?.code).toBe("ERR_ABORTED");
    const { url } = raw;
    await raw.close();
    const other = new EventLog(new WebSocket(url));
    await other.closed();
    expect(other.error?.code).toBe("ERR_CONNECT");
  });

  it("are an Event and a CloseEvent", async () => {
    const ws = new WebSocket(raw.url);
    const error = event(ws, "error");
    const close = event<CloseEvent>(ws, "close");
    ws.close();
    for (const one of [await error, await close])
      expect([one.bubbles, one.cancelable, one.target]).toEqual([false, false, ws]);
    expect((await error).constructor).toBe(Event);
    expect(await close).toBeInstanceOf(CloseEvent);
  });
});

describe("event handlers", () => {
  const names = ["onopen", "onmessage", "onerror", "onclose"] as const;

  it.each(names)("%s takes functions and objects, and null for anything else", (name) => {
    const ws = new WebSocket(raw.url);
    const set = (value: unknown): unknown => {
      (ws as unknown as Record<string, unknown>)[name] = value;
      return ws[name];
    };
    const handler = (): void => undefined;
    const object = { handleEvent: () => undefined };
    expect(set(handler)).toBe(handler);
    expect(set(object)).toBe(object);
    expect([set(5), set("x"), set(undefined), set(null), set(Symbol("x"))]).toEqual([null, null, null, null, null]);
    ws.close();
  });

  it("are called with the target as `this`, and only the latest one", () => {
    const ws = new WebSocket(raw.url);
    const called: unknown[] = [];
    ws.onmessage = () => called.push("first");
    ws.onmessage = function (this: unknown, event) {
      called.push(this, event.type);
    };
    ws.dispatchEvent(new MessageEvent("message"));
    ws.onmessage = null;
    ws.dispatchEvent(new MessageEvent("message"));
    (ws as { onmessage: unknown }).onmessage = { handleEvent: () => called.push("never") };
    ws.dispatchEvent(new MessageEvent("message"));
    expect(called).toEqual([ws, "message"]);
    ws.close();
  });

  it("keep their place among the listeners while they are set", () => {
    const ws = new WebSocket(raw.url);
    const called: string[] = [];
    ws.addEventListener("x", () => undefined);
    ws.addEventListener("open", () => called.push("listener 1"));
    ws.onopen = () => called.push("handler");
    ws.addEventListener("open", () => called.push("listener 2"));
    ws.onopen = () => called.push("other handler");
    ws.dispatchEvent(new Event("open"));
    expect(called.splice(0)).toEqual(["listener 1", "other handler", "listener 2"]);
    ws.onopen = null;
    ws.onopen = () => called.push("back again");
    ws.dispatchEvent(new Event("open"));
    expect(called).toEqual(["listener 1", "listener 2", "back again"]);
    ws.close();
  });

  it("and listeners may be objects, once, and taken away", async () => {
    const { ws, peer, log } = await openOver(raw);
    const called: string[] = [];
    const gone = (): unknown => called.push("gone");
    ws.addEventListener("message", { handleEvent: () => called.push("object") });
    ws.addEventListener("message", () => called.push("once"), { once: true });
    ws.addEventListener("message", gone);
    ws.removeEventListener("message", gone);
    peer.write(Buffer.concat(["1", "2"].map(unmasked)));
    await until(() => log.data.length === 2);
    expect(called).toEqual(["object", "once", "object"]);
    ws.close();
  });
});

describe("CloseEvent", () => {
  it("has the defaults of the standard, and converts", () => {
    const { wasClean, code, reason, type } = new CloseEvent("foo");
    expect([wasClean, code, reason, type]).toEqual([false, 0, "", "foo"]);
    const init = { wasClean: 1, code: 65536 + 4000.9, reason: "a\ud800", bubbles: true, cancelable: true };
    const event = new CloseEvent("foo", init as never);
    expect([event.wasClean, event.code, event.reason, event.bubbles, event.cancelable]).toEqual([
      true,
      4000,
      "a\ufffd",
      true,
      true,
    ]);
    expect(event).toBeInstanceOf(Event);
    expect(Object.prototype.toString.call(event)).toBe("[object CloseEvent]");
    expect([CloseEvent.name, CloseEvent.length]).toEqual(["CloseEvent", 1]);
    expect(thrownName(() => new (CloseEvent as unknown as new () => Event)())).toBe("TypeError");
    expect(thrownName(() => new CloseEvent("x", 5 as never))).toBe("TypeError");
    expect(thrownName(() => new CloseEvent("x", { code: 1n } as never))).toBe("TypeError");
  });
});
