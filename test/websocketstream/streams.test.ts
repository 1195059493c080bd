import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  WebSocketError,
  WebSocketStream,
  type WebSocketOpenInfo,
  type WebSocketOptions,
} from "../../src/websocketstream.ts";
import { lostWith, thrownName } from "../helpers/face.ts";
import { WsListening } from "../helpers/peers.ts";
import { RawServer, closePayload, frame, op, type RawPeer } from "../helpers/raw-peer.ts";
import { plateau, thrownBy, turns, until } from "../helpers/until.ts";

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

interface Open extends WebSocketOpenInfo {
  readonly stream: WebSocketStream;
  readonly peer: RawPeer;
}

async function open(options: WebSocketOptions = {}, behind?: Uint8Array): Promise<Open> {
  const stream = new WebSocketStream(raw.url, {}, options);
  const peer = await raw.open("", behind);
  return { stream, peer, ...(await stream.opened) };
}

const message = (data: string | Uint8Array): Buffer =>
  frame(typeof data === "string" ? op.text : op.binary, data, { mask: false });

/** The peer's part of a closing handshake that the other side began. */
async function answerClose(peer: RawPeer): Promise<{ code: number | undefined; reason: string }> {
  const close = await peer.readClose();
  peer.send(op.close, close.code === undefined ? "" : closePayload(close.code, close.reason), { mask: false });
  peer.end();
  return close;
}

async function read(readable: ReadableStream): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const one of readable as AsyncIterable<unknown>) all.push(one);
  return all;
}

describe("readable", () => {
  it("gives text as strings and binary as Uint8Arrays, also what came with the response", async () => {
    const { readable, peer, stream } = await open({}, Buffer.concat([message("1"), message(Uint8Array.of(2))]));
    peer.write(message(""));
    peer.send(op.close, "", { mask: false });
    peer.end();
    expect(await read(readable)).toEqual(["1", Uint8Array.of(2), ""]);
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: "" });
  });

  it("that nobody reads holds the peer back, by the socket", async () => {
    const { readable, peer, stream } = await open({ highWaterMark: 1000 });
    const piece = message(new Uint8Array(65_536));
    let written = 0;
    peer.socket.on("drain", () => undefined);
    const total = 64 << 20;
    const pump = (): void => {
      while (written < total) {
        written += piece.length;
        if (!peer.write(piece)) return void peer.socket.once("drain", pump);
      }
    };
    pump();
    const stuck = await plateau(() => written, 200);
    expect(stuck).toBeLessThan(total);
    // Some is read, and some more can be sent; then it stops again.
    const reader = readable.getReader();
    for (let bytes = 0; bytes < 16 << 20; bytes += 65_536) await reader.read();
    const later = await plateau(() => written, 200);
    expect(later).toBeGreaterThan(stuck);
    expect(later).toBeLessThan(total);
    void reader.cancel();
    peer.destroy();
    await thrownBy(() => stream.closed);
  });

  it("closes behind the last message, though nobody read before", async () => {
    const { readable, peer, stream } = await open();
    peer.write(Buffer.concat([message("1"), message("2"), frame(op.close, closePayload(1000), { mask: false })]));
    peer.end();
    expect(await stream.closed).toEqual({ closeCode: 1000, reason: "" });
    const reader = readable.getReader();
    expect(await reader.read()).toEqual({ done: false, value: "1" });
    expect(await reader.read()).toEqual({ done: false, value: "2" });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    await reader.closed;
  });

  it("closes for who waits, and for who only watches", async () => {
    const { readable, peer, writable, stream } = await open();
    const reader = readable.getReader();
    const { closed } = reader;
    const waiting = reader.read();
    const writer = writable.getWriter();
    peer.send(op.close, "", { mask: false });
    peer.end();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await closed;
    expect((await thrownBy(() => writer.closed)).name).toBe("InvalidStateError");
    await stream.closed;
  });

  it("errs when the connection was not closed cleanly, behind what came before", async () => {
    const { readable, writable, peer, stream } = await open();
    const writer = writable.getWriter();
    peer.write(Buffer.concat([message("1"), message("2"), frame(op.text, "x", { mask: false, rsv: 0x40 })]));
    await until(() => peer.ended);
    peer.destroy();
    const error = await lostWith(() => stream.closed);
    expect([error.name, error.closeCode, error.reason]).toEqual(["WebSocketError", 1006, ""]);
    expect(error.cause).toMatchObject({ code: "ERR_PROTOCOL" });
    const reader = readable.getReader();
    expect([(await reader.read()).value, (await reader.read()).value]).toEqual(["1", "2"]);
    const lost = await lostWith(() => reader.read());
    expect([lost.name, lost.closeCode]).toEqual(["WebSocketError", 1006]);
    expect(await thrownBy(() => writer.closed)).toBe(lost);
  });

  it.each<[string, unknown, number | undefined, string]>([
    ["nothing", undefined, undefined, ""],
    ["an Error", new Error("x"), undefined, ""],
    ["a WebSocketError", new WebSocketError("x", { closeCode: 4000, reason: "why" }), 4000, "why"],
    ["a WebSocketError without a code", new WebSocketError("x"), undefined, ""],
    ["a WebSocketError with a reason alone", new WebSocketError("x", { reason: "why" }), 1000, "why"],
    ["one of another maker", { name: "WebSocketError", closeCode: 3000, reason: "" }, 3000, ""],
    ["one that may not be sent", { name: "WebSocketError", closeCode: 1006, reason: "" }, undefined, ""],
    ["one past all codes", { name: "WebSocketError", closeCode: 5000, reason: "" }, undefined, ""],
    ["a name only", { name: "WebSocketError" }, undefined, ""],
  ])("cancelled with %s closes the connection", async (_name, reason, code, text) => {
    const { readable, peer, stream } = await open();
    peer.write(message("never read"));
    await readable.cancel(reason);
    expect(await answerClose(peer)).toEqual({ code, reason: text });
    expect(await stream.closed).toEqual({ closeCode: code ?? 1005, reason: text });
  });

  it("cancelled does not keep the closing handshake waiting for what the peer still sends", async () => {
    const { readable, peer, stream } = await open({ highWaterMark: 1 });
    const reader = readable.getReader();
    peer.write(message("1"));
    await reader.read();
    await reader.cancel();
    await peer.readClose();
    for (let i = 0; i < 100; i++) peer.write(message(new Uint8Array(10_000)));
    peer.send(op.close, "", { mask: false });
    peer.end();
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: "" });
  });
});

describe("writable", () => {
  it.each<[string, unknown, number, string]>([
    ["a string", "aü\ud800", op.text, "aü\ufffd"],
    ["a number", 1.5, op.text, "1.5"],
    ["null", null, op.text, "null"],
    ["an object", {}, op.text, "[object Object]"],
    ["a Uint8Array", Buffer.from("abc").subarray(1), op.binary, "bc"],
    ["an ArrayBuffer", Uint8Array.of(97).buffer, op.binary, "a"],
    ["a DataView", new DataView(Uint8Array.of(97, 98).buffer, 1), op.binary, "b"],
  ])("sends %s", async (_name, chunk, opcode, text) => {
    const { writable, peer, stream } = await open();
    await writable.getWriter().write(chunk as string);
    const frame = await peer.readFrame();
    expect([frame.opcode, frame.payload.toString()]).toEqual([opcode, text]);
    stream.close();
  });

  it.each<[string, () => unknown]>([
    ["a symbol", () => Symbol("x")],
    ["shared memory", () => new Uint8Array(new SharedArrayBuffer(2))],
  ])("errs for %s", async (_name, chunk) => {
    const { writable, stream } = await open();
    const writer = writable.getWriter();
    expect((await thrownBy(() => writer.write(chunk() as string))).name).toBe("TypeError");
    expect((await thrownBy(() => writer.closed)).name).toBe("TypeError");
    stream.close();
  });

  it("a write waits until the transport has taken it", async () => {
    const { writable, peer, stream } = await open();
    peer.socket.pause();
    const writer = writable.getWriter();
    const piece = new Uint8Array(1 << 20);
    let done = 0;
    const total = 64;
    const all = (async () => {
      for (; done < total; done++) await writer.write(piece);
    })();
    const stuck = await plateau(() => done, 200);
    expect(stuck).toBeLessThan(total);
    expect(writer.desiredSize).toBe(0);
    peer.socket.resume();
    await all;
    expect(writer.desiredSize).toBe(1);
    stream.close();
    peer.destroy();
    await thrownBy(() => stream.closed);
  });

  it("sends a chunk as it is when it is written", async () => {
    const { writable, peer, stream } = await open();
    const chunk = new Uint8Array(100_000).fill(1);
    const written = writable.getWriter().write(chunk);
    await Promise.resolve();
    await Promise.resolve();
    chunk.fill(2);
    await written;
    expect((await peer.readFrame()).payload.every((byte) => byte === 1)).toBe(true);
    stream.close();
  });

  it("closed closes the connection behind what was written, with an empty Close frame", async () => {
    const { writable, peer, stream } = await open();
    const writer = writable.getWriter();
    void writer.write("1");
    void writer.write("2");
    const closed = writer.close();
    expect((await peer.readFrame()).payload.toString()).toBe("1");
    expect((await peer.readFrame()).payload.toString()).toBe("2");
    expect(await answerClose(peer)).toEqual({ code: undefined, reason: "" });
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: "" });
    await closed;
  });

  it("is closed once the connection is", async () => {
    const { writable, peer } = await open();
    let isClosed = false;
    const closed = writable.close().then(() => (isClosed = true));
    await peer.readClose();
    await turns(20);
    expect(isClosed).toBe(false);
    peer.send(op.close, "", { mask: false });
    peer.end();
    await closed;
  });

  it("cannot be closed when the connection breaks over it", async () => {
    const { writable, peer, stream } = await open();
    const error = lostWith(() => writable.close());
    await peer.readClose();
    peer.reset();
    expect((await error).closeCode).toBe(1006);
    expect(await thrownBy(() => stream.closed)).toBe(await error);
  });

  it.each<[string, unknown, number | undefined, string]>([
    ["an Error", new Error("x"), undefined, ""],
    ["a WebSocketError", new WebSocketError("x", { closeCode: 4000, reason: "why" }), 4000, "why"],
  ])("aborted with %s closes the connection", async (_name, reason, code, text) => {
    const { writable, peer, stream } = await open();
    await writable.abort(reason);
    expect(await answerClose(peer)).toEqual({ code, reason: text });
    expect(await stream.closed).toEqual({ closeCode: code ?? 1005, reason: text });
  });

  it("a write that is under way when the connection breaks is rejected", async () => {
    const { writable, peer, stream } = await open();
    peer.socket.pause();
    const writer = writable.getWriter();
    const rejected = lostWith(async () => {
      for (;;) await writer.write(new Uint8Array(1 << 20));
    });
    await turns(50);
    peer.reset();
    const error = await rejected;
    expect([error.name, error.closeCode]).toEqual(["WebSocketError", 1006]);
    expect(await thrownBy(() => writer.closed)).toBe(error);
    await thrownBy(() => stream.closed);
  });

  it("a write that is under way when the peer closes is rejected, and the close was not a clean one", async () => {
    const { readable, writable, peer, stream } = await open();
    peer.socket.pause();
    const writer = writable.getWriter();
    const rejected = thrownBy(() => writer.write(new Uint8Array(1 << 24)));
    await turns(50);
    peer.write(Buffer.concat([message("bye"), frame(op.close, closePayload(4000, "enough"), { mask: false })]));
    const reader = readable.getReader();
    expect(await reader.read()).toEqual({ done: false, value: "bye" });
    peer.socket.resume();
    expect((await peer.readFrame()).payload.length).toBe(1 << 24);
    expect((await peer.readClose()).code).toBe(4000);
    peer.end();
    const closed = await lostWith(() => stream.closed);
    expect([closed.closeCode, closed.reason]).toEqual([4000, "enough"]);
    const error = await rejected;
    expect(error.name).toBe("InvalidStateError");
    expect(await thrownBy(() => writer.write("x"))).toBe(error);
    expect(await thrownBy(() => reader.read())).toBe(closed);
  });

  it("a write that is under way when this side closes is done first", async () => {
    const { writable, peer, stream } = await open();
    peer.socket.pause();
    const written = writable.getWriter().write(new Uint8Array(1 << 24));
    await turns(50);
    stream.close();
    peer.socket.resume();
    expect((await peer.readFrame()).payload.length).toBe(1 << 24);
    await answerClose(peer);
    await written;
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: "" });
  });

  it("errs with what `closed` and the readable do when the connection broke", async () => {
    const { readable, writable, peer, stream } = await open();
    peer.reset();
    const closed = await lostWith(() => stream.closed);
    expect(await thrownBy(() => readable.getReader().read())).toBe(closed);
    expect(await thrownBy(() => writable.getWriter().ready)).toBe(closed);
  });

  it("errs with InvalidStateError once it was closed cleanly", async () => {
    const { writable, peer, stream } = await open();
    peer.send(op.close, closePayload(1000), { mask: false });
    peer.end();
    await stream.closed;
    expect((await thrownBy(() => writable.getWriter().write("x"))).name).toBe("InvalidStateError");
  });
});

describe("close()", () => {
  it.each<[string, unknown, number | undefined, string]>([
    ["nothing", undefined, undefined, ""],
    ["null", null, undefined, ""],
    ["an empty object", {}, undefined, ""],
    ["a code", { closeCode: 3456 }, 3456, ""],
    ["a reason", { reason: "pizza" }, 1000, "pizza"],
    ["both", { closeCode: 3456, reason: "pizza" }, 3456, "pizza"],
    ["a WebSocketError", new WebSocketError("x", { closeCode: 4000 }), 4000, ""],
  ])("with %s", async (_name, info, code, reason) => {
    const { peer, stream } = await open();
    stream.close(info as object);
    stream.close({ closeCode: 4999, reason: "a second time does nothing" });
    expect(await answerClose(peer)).toEqual({ code, reason });
    expect(await stream.closed).toEqual({ closeCode: code ?? 1005, reason });
  });

  it("checks its argument, and leaves the connection alone when it throws", async () => {
    const { peer, stream } = await open();
    const close = (info: unknown) => thrownName(() => stream.close(info as object));
    expect([5, { closeCode: 65536 }, { closeCode: "x" }].map(close)).toEqual(Array(3).fill("TypeError"));
    expect([{ closeCode: 999 }, { closeCode: 1001 }].map(close)).toEqual(Array(2).fill("InvalidAccessError"));
    expect(close({ reason: "x".repeat(124) })).toBe("SyntaxError");
    peer.write(message("open"));
    stream.close();
    await answerClose(peer);
    await stream.closed;
  });

  it("leaves what came before to be read, and drops what comes behind", async () => {
    const { readable, peer, stream } = await open();
    peer.write(Buffer.concat([message("1"), message("2"), frame(op.ping, "", { mask: false })]));
    await peer.readFrame();
    stream.close();
    await peer.readClose();
    peer.write(message("3"));
    peer.send(op.close, "", { mask: false });
    peer.end();
    await stream.closed;
    expect(await read(readable)).toEqual(["1", "2"]);
  });

  it("does not wait for a reader who stands still", async () => {
    const { readable, peer, stream } = await open({ highWaterMark: 1 });
    const reader = readable.getReader();
    peer.write(Buffer.concat([message("1"), message("2")]));
    await reader.read();
    stream.close();
    await peer.readClose();
    for (let i = 0; i < 100; i++) peer.write(message(new Uint8Array(10_000)));
    peer.send(op.close, "", { mask: false });
    peer.end();
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: "" });
  });

  it("fails when the peer does not answer in time", async () => {
    const { stream } = await open({ closeTimeout: 1 });
    stream.close({ closeCode: 4000 });
    const error = await lostWith(() => stream.closed);
    expect([error.name, error.closeCode, error.reason]).toEqual(["WebSocketError", 1006, ""]);
  });
});

describe("with `ws`", () => {
  it("an echo of many messages of all sizes goes through both streams", async () => {
    await using listening = await WsListening.start();
    const stream = new WebSocketStream(listening.url);
    const [{ readable, writable }, { ws }] = await Promise.all([stream.opened, listening.connection()]);
    ws.socket.on("message", (data, isBinary) => ws.socket.send(data, { binary: isBinary }));
    const sizes = Array.from({ length: 300 }, (_, i) => (i * i * 7) % 70_000);
    const source = ReadableStream.from(sizes.map((size) => (size % 2 ? "x".repeat(size) : new Uint8Array(size))));
    const piped = source.pipeTo(writable, { preventClose: true });
    const got: number[] = [];
    for await (const one of readable as unknown as AsyncIterable<string | Uint8Array>) {
      got.push(one.length);
      if (got.length === sizes.length) break;
    }
    await piped;
    expect(got).toEqual(sizes);
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: "" });
  });
});
