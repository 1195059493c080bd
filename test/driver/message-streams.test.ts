import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocketError } from "../../src/websocketstream.ts";
import { Listening } from "../helpers/peers.ts";
import { closePayload, frame, op } from "../helpers/raw-peer.ts";
import { plateau, thrownBy, until } from "../helpers/until.ts";

let listening: Listening;
beforeEach(async () => {
  listening = await Listening.start();
});
afterEach(() => listening[Symbol.asyncDispose]());

async function read(readable: ReadableStream): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const one of readable as AsyncIterable<unknown>) all.push(one);
  return all;
}

describe("the streams of a server's connection", () => {
  it("are made once, and are what the proposal opens with", async () => {
    const { client, server } = await listening.pair();
    const { readable, writable, protocol, extensions } = server;
    expect([readable, writable]).toEqual([server.readable, server.writable]);
    expect(server.readable).toBe(readable);
    expect(server.writable).toBe(writable);
    expect([protocol, extensions]).toEqual(["", []]);
    client.terminate();
  });

  it("echo when one is piped into the other", async () => {
    const { client, server } = await listening.pair();
    const piped = server.readable.pipeTo(server.writable);
    for (const message of ["1", Uint8Array.of(2), "", "x".repeat(100_000)]) {
      client.send(message);
      expect(await client.read()).toEqual(message);
    }
    expect(await client.close(4000, "done")).toEqual({ code: 4000, reason: "done", wasClean: true });
    await piped;
  });

  it("work at a client as well, through a transformation", async () => {
    const { client, server } = await listening.pair();
    const shout = new TransformStream<string | Uint8Array, string>({
      transform: (message, controller) => controller.enqueue((message as string).toUpperCase()),
    });
    const piped = client.readable.pipeThrough(shout).pipeTo(client.writable);
    server.send("hello");
    expect(await server.read()).toBe("HELLO");
    await server.close();
    await piped;
  });

  it("hold back a peer whose messages nobody reads", async () => {
    const { peer, server } = await listening.raw();
    const reader = server.readable.getReader();
    const piece = frame(op.binary, new Uint8Array(65_536));
    const total = 64 << 20;
    let written = 0;
    const pump = (): void => {
      while (written < total) {
        written += piece.length;
        if (!peer.write(piece)) return void peer.socket.once("drain", pump);
      }
    };
    pump();
    await reader.read();
    const stuck = await plateau(() => written, 200);
    expect(stuck).toBeLessThan(total);
    for (let bytes = 0; bytes < total - (4 << 20); bytes += 65_536) await reader.read();
    await until(() => written >= total);
  });

  it("have a write wait until the peer has caught up", async () => {
    const { peer, server } = await listening.raw();
    peer.socket.pause();
    const writer = server.writable.getWriter();
    let done = 0;
    const total = 64;
    const all = (async () => {
      for (; done < total; done++) await writer.write(new Uint8Array(1 << 20));
    })();
    expect(await plateau(() => done, 200)).toBeLessThan(total);
    peer.socket.resume();
    await all;
  });

  it("refuse what is neither a string nor bytes", async () => {
    const { client, server } = await listening.pair();
    const error = await thrownBy(() => server.writable.getWriter().write(5 as unknown as string));
    expect(error.code).toBe("ERR_DATA_TYPE");
    client.terminate();
  });

  it("end when the connection is closed cleanly, behind what came", async () => {
    const { client, server } = await listening.pair();
    for (const text of ["1", "2", "3"]) client.send(text);
    await client.close();
    expect(await read(server.readable)).toEqual(["1", "2", "3"]);
    expect((await thrownBy(() => server.writable.getWriter().write("x"))).code).toBe("ERR_NOT_OPEN");
  });

  it("also when they are asked for only then", async () => {
    const { client, server } = await listening.pair();
    client.send("1");
    await client.close();
    await until(() => server.readyState === "closed");
    expect(await read(server.readable)).toEqual(["1"]);
    expect((await thrownBy(() => server.writable.getWriter().write("x"))).code).toBe("ERR_NOT_OPEN");
  });

  it("err with ERR_CLOSED, and what broke as its cause, behind what came", async () => {
    const { peer, server } = await listening.raw();
    peer.write(Buffer.concat([frame(op.text, "1"), frame(op.text, "2"), frame(3)]));
    await until(() => server.readyState !== "open");
    peer.destroy();
    await until(() => server.readyState === "closed");
    const reader = server.readable.getReader();
    expect([(await reader.read()).value, (await reader.read()).value]).toEqual(["1", "2"]);
    const error = await thrownBy(() => reader.read());
    expect(error).toMatchObject({ code: "ERR_CLOSED", cause: { code: "ERR_PROTOCOL" } });
    expect((await thrownBy(() => server.writable.getWriter().closed)).code).toBe("ERR_CLOSED");
  });

  it("close the connection with what a WebSocketError says, and drop what still comes", async () => {
    const { peer, server } = await listening.raw();
    const closed = new Promise((resolve) => server.on("close", (...info) => resolve(info)));
    const reader = server.readable.getReader();
    const waiting = reader.read();
    await server.writable.abort(new WebSocketError("", { closeCode: 4001, reason: "go" }));
    expect(await peer.readClose()).toEqual({ code: 4001, reason: "go" });
    peer.send(op.text, "late");
    peer.send(op.close, closePayload(4001, "go"));
    peer.end();
    expect(await closed).toEqual([4001, "go"]);
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("tell a writer that its message was dropped", async () => {
    await using dropping = await Listening.start({ slowConsumer: "drop-newest", maxQueuedBytes: 1 << 20 });
    const { peer, server } = await dropping.raw();
    peer.socket.pause();
    for (let i = 0; i < 64; i++) server.send(new Uint8Array(1 << 19));
    const error = await thrownBy(() => server.writable.getWriter().write(new Uint8Array(1 << 20)));
    expect(error.code).toBe("ERR_DROPPED");
  });

  it("leave room for listeners, who get everything too", async () => {
    const { client, server } = await listening.pair();
    const heard: unknown[] = [];
    server.on("message", (message) => heard.push(message));
    const reader = server.readable.getReader();
    const first = reader.read();
    client.send("1");
    expect(await first).toEqual({ done: false, value: "1" });
    expect(heard).toEqual(["1"]);
  });
});
