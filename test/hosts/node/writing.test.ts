import * as Net from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { NodeTransport } from "../../../src/hosts/node-transport.ts";
import type { ServerConnection } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { Listening } from "../../helpers/peers.ts";
import { closePayload, op, type RawPeer } from "../../helpers/raw-peer.ts";
import { next, plateau, turns, until } from "../../helpers/until.ts";

interface Handle {
  writeBuffer(request: object, bytes: Uint8Array): number;
}
type WithHandle = Net.Socket & { readonly _handle: Handle };

const rawOf = (connection: ServerConnection): WithHandle => connection.socket!.raw as WithHandle;

/** How a connection's handle is bent behind its opening handshake, so that the stream has to write; or not. */
const ways: [name: string, bend: (handle: Handle) => void, streamWrites: number][] = [
  ["past the stream", () => undefined, 0],
  [
    "by the stream, since the handle does not tell what waits",
    (handle) => Object.defineProperty(handle, "writeQueueSize", { value: undefined }),
    1,
  ],
];

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(ways)("what leaves %s", (_, bend, streamWrites) => {
  async function open(listening: Listening): Promise<{ peer: RawPeer; server: ServerConnection }> {
    // The first write of all shows what Node's requests are.
    (await listening.raw()).peer.destroy();
    const both = await listening.raw();
    bend(rawOf(both.server)._handle);
    return both;
  }

  it("goes that way", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await open(listening);
    const write = vi.spyOn(rawOf(server), "write");
    server.send("once");
    expect((await peer.readFrame()).payload.toString()).toBe("once");
    expect(write).toHaveBeenCalledTimes(streamWrites);
    peer.destroy();
  });

  it("waits for a peer that does not read, and arrives whole, in order, and told of in order", async () => {
    await using listening = await Listening.start({ highWaterMark: 2 ** 26 });
    const { peer, server } = await open(listening);
    peer.socket.pause();
    const told: number[] = [];
    const sizes = [10, 3_000_000, 0, 20_000, 70_000, 1, 5_000_000, 300];
    sizes.forEach((size, i) => {
      server.send(noise(size, i), { callback: (error) => told.push(error ? -1 : i) });
      // A write of its own for each.
      if (i % 2 === 0) server.send(`behind ${i}`);
    });
    await plateau(() => server.bufferedAmount);
    expect(server.bufferedAmount).toBeGreaterThan(0);
    peer.socket.resume();
    for (const [i, size] of sizes.entries()) {
      expect(equal((await peer.readFrame()).payload, noise(size, i))).toBe(true);
      if (i % 2 === 0) expect((await peer.readFrame()).payload.toString()).toBe(`behind ${i}`);
    }
    await until(() => told.length === sizes.length);
    expect(told).toEqual(sizes.map((_size, i) => i));
    expect(server.bufferedAmount).toBe(0);
    peer.destroy();
  });

  it("stays as it was while the system does not take it, and others write", async () => {
    await using listening = await Listening.start({ highWaterMark: 2 ** 26 });
    const slow = await open(listening);
    const other = await open(listening);
    slow.peer.socket.pause();
    let sent = 0;
    while (slow.server.bufferedAmount === 0) {
      for (let i = 0; i < 60; i++) slow.server.send(noise(1000, sent++));
      await turns(1);
    }
    // As much at a time, so that the same memory would do.
    for (let i = 0; i < 60; i++) other.server.send(noise(1000, sent + i));
    for (let i = 0; i < 60; i++)
      expect(equal((await other.peer.readFrame()).payload, noise(1000, sent + i))).toBe(true);
    slow.peer.socket.resume();
    for (let i = 0; i < sent; i++) expect(equal((await slow.peer.readFrame()).payload, noise(1000, i))).toBe(true);
    slow.peer.destroy();
    other.peer.destroy();
  });

  it("leaves before the end of the stream", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await open(listening);
    peer.socket.pause();
    server.send(noise(4_000_000));
    const closed = server.close(1000, "behind it");
    peer.socket.resume();
    expect(equal((await peer.readFrame()).payload, noise(4_000_000))).toBe(true);
    expect(await peer.readClose()).toEqual({ code: 1000, reason: "behind it" });
    peer.send(op.close, closePayload(1000));
    peer.end();
    expect(await closed).toMatchObject({ code: 1000, wasClean: true });
  });

  it("is lost with a peer that breaks off, which its callback is told, and one close", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await open(listening);
    peer.socket.pause();
    const closes: number[] = [];
    server.on("close", (code) => closes.push(code));
    const lost = new Promise<Error | undefined>((resolve) => {
      server.send(noise(8_000_000), { callback: resolve });
    });
    await plateau(() => server.bufferedAmount);
    const closed = next(server, "close");
    peer.reset();
    expect(await lost).toBeInstanceOf(Error);
    await closed;
    expect(server.send("too late")).toBe(false);
    expect(closes).toEqual([1006]);
  });

  it("counts among the bytes that Node says the socket has written", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await open(listening);
    const before = rawOf(server).bytesWritten;
    server.send(noise(100));
    await peer.readFrame();
    expect(rawOf(server).bytesWritten - before).toBe(102);
    peer.destroy();
  });
});

it("what the handle refuses is written by the stream, and what comes behind it past the stream again", async () => {
  await using listening = await Listening.start();
  (await listening.raw()).peer.destroy();
  const { peer, server } = await listening.raw();
  const handle = rawOf(server)._handle;
  const writeBuffer = handle.writeBuffer.bind(handle);
  let calls = 0;
  handle.writeBuffer = (request, bytes) => (++calls === 1 ? -1 : writeBuffer(request, bytes));
  const write = vi.spyOn(rawOf(server), "write");
  for (const text of ["refused", "taken"]) {
    server.send(text);
    expect((await peer.readFrame()).payload.toString()).toBe(text);
  }
  expect(calls).toBe(3);
  expect(write).toHaveBeenCalledTimes(1);
  peer.destroy();
});

it("of a write that waits with no byte left to write, the request is left alone until its end", async () => {
  await using listening = await Listening.start();
  (await listening.raw()).peer.destroy();
  const { peer, server } = await listening.raw();
  // A socket that is still connecting takes nothing at once: here not even nothing.
  const socket = Net.connect(listening.port, "127.0.0.1");
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const transport = new NodeTransport(socket, false);
  const done = vi.fn();
  const handle = (socket as WithHandle)._handle as Handle & { readonly writeQueueSize: number };
  transport.write([new Uint8Array(0)], done);
  expect(handle.writeQueueSize).toBe(0);
  server.send("meanwhile");
  expect((await peer.readFrame()).payload.toString()).toBe("meanwhile");
  await until(() => done.mock.calls.length === 1);
  expect(done).toHaveBeenCalledWith(undefined);
  socket.destroy();
  peer.destroy();
});
