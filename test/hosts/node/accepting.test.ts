import type * as Net from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { defaultCodec } from "../../../src/codec/index.ts";
import { connect, type Message, type ServerConnection } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { Listening } from "../../helpers/peers.ts";
import { RawPeer, closePayload, frame, op, request } from "../../helpers/raw-peer.ts";
import { Recording, next, plateau, turns, until } from "../../helpers/until.ts";

type Accept = (error: number | undefined, handle: object) => void;

/** What is other than the host expects: what a server accepts by, and the handles that it accepts. */
interface Bend {
  readonly hidesAccept?: true;
  readonly useUserBuffer?: unknown;
}
const bent: { now: Bend } = vi.hoisted(() => ({ now: {} }));

// The seams are the fields that the host's feature checks read, so it is Node that is bent here, and not the host.
vi.mock("node:net", async (original) => {
  const net = await original<typeof Net>();
  const createServer = (options: Net.ServerOpts, listener: (socket: Net.Socket) => void): Net.Server => {
    const server = net.createServer(options, listener) as Net.Server & { _handle: { onconnection: Accept } };
    return server.once("listening", () => {
      let accept: Accept = server._handle.onconnection.bind(server._handle);
      let isHidden = bent.now.hidesAccept;
      Object.defineProperty(server._handle, "onconnection", {
        get(): Accept | undefined {
          const was = accept;
          if (isHidden) return (isHidden = undefined);
          return (error, handle) => {
            if ("useUserBuffer" in bent.now)
              Object.defineProperty(handle, "useUserBuffer", { value: bent.now.useUserBuffer });
            was(error, handle);
          };
        },
        set: (other: Accept) => (accept = other),
      });
    });
  };
  return { ...net, createServer };
});
afterEach(() => {
  bent.now = {};
});

const dataListeners = (connection: ServerConnection): number =>
  (connection.socket!.raw as Net.Socket).listenerCount("data");

const ways: [name: string, bend: Bend, dataListeners: number][] = [
  ["into the codec's window (onread)", {}, 0],
  ["by data events, since the server lacks onconnection", { hidesAccept: true }, 1],
  ["by data events, since the handle lacks useUserBuffer", { useUserBuffer: undefined }, 1],
  ["by data events, since useUserBuffer is something else", { useUserBuffer: true }, 1],
];

describe.each(ways)("an accepted socket that is read %s", (_, bend, expected) => {
  async function start(options?: Parameters<typeof Listening.start>[0]): Promise<Listening> {
    bent.now = bend;
    return Listening.start(options);
  }

  it("is read in that way", async () => {
    await using listening = await start();
    const { peer, server } = await listening.raw();
    expect(dataListeners(server)).toBe(expected);
    peer.destroy();
  });

  it("carries a handshake in pieces, and messages of all sizes, both ways, in order", async () => {
    await using listening = await start();
    const peer = await RawPeer.connect(listening.port);
    const head = Buffer.from(request());
    await peer.writeEach([head.subarray(0, 7), head.subarray(7, 100), head.subarray(100)]);
    const server = await listening.connection();
    server.on("message", (message) => server.send(message));
    expect((await peer.readHead()).status).toBe(101);
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 200_000, 1 << 20];
    for (const size of sizes) peer.send(op.binary, noise(size, size));
    for (const size of sizes) expect(equal((await peer.readFrame()).payload, noise(size, size))).toBe(true);
    // Cut anywhere.
    const bytes = Buffer.concat([frame(op.text, "Grüße"), frame(op.ping, "p"), frame(op.binary, noise(300))]);
    await peer.writeEach(Array.from({ length: 40 }, (_, i) => bytes.subarray(i * 8, i === 39 ? undefined : i * 8 + 8)));
    expect((await peer.readFrame()).payload.toString()).toBe("Grüße");
    expect(await peer.readFrame()).toMatchObject({ opcode: op.pong, payload: Buffer.from("p") });
    expect(equal((await peer.readFrame()).payload, noise(300))).toBe(true);
    peer.send(op.close, closePayload(3000, "enough"));
    expect(await peer.readClose()).toEqual({ code: 3000, reason: "enough" });
    peer.end();
    expect(await next(server, "close")).toEqual([3000, "enough"]);
  });

  it("keeps many connections apart that share the window", async () => {
    await using listening = await start();
    listening.server.on("connection", (server) => server.on("message", (message) => server.send(message)));
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect(listening.url)));
    const got = clients.map(() => [] as Message[]);
    clients.forEach((client, i) => {
      client.on("message", (message) => got[i]!.push(message));
      for (let k = 0; k < 20; k++) client.send(k % 2 ? `${i}/${k}` : noise(1000 * k + i, i));
    });
    await until(() => got.every((messages) => messages.length === 20));
    got.forEach((messages, i) => {
      messages.forEach((message, k) => {
        if (k % 2) expect(message).toBe(`${i}/${k}`);
        else expect(equal(message as Uint8Array, noise(1000 * k + i, i))).toBe(true);
      });
    });
    for (const client of clients) client.terminate();
  });

  it("holds the peer back while paused", async () => {
    await using listening = await start();
    const { peer, server } = await listening.raw();
    let count = 0;
    server.on("message", () => count++);
    server.pause();
    for (let i = 0; i < 256; i++) peer.send(op.binary, Buffer.alloc(1 << 16));
    expect(await plateau(() => peer.socket.writableLength)).toBeGreaterThan(1 << 22);
    expect(count).toBe(0);
    server.resume();
    await until(() => count === 256);
    peer.destroy();
  });

  it("tells where its peer is", async () => {
    await using listening = await start();
    const { peer, server } = await listening.raw();
    const { localPort, localAddress } = peer.socket;
    expect(server.socket).toMatchObject({ remoteAddress: localAddress, remotePort: localPort, secure: false });
    peer.destroy();
  });

  it("ends once, however it ends, and leaves nothing behind", async () => {
    await using listening = await start({ closeTimeout: 200 });
    const before = defaultCodec.slotsTaken;
    for (const end of [
      (peer: RawPeer) => peer.end(),
      (peer: RawPeer) => peer.reset(),
      (peer: RawPeer) => peer.destroy(),
      (_: RawPeer, server: ServerConnection) => server.terminate(),
      (_: RawPeer, server: ServerConnection) => void server.close(),
      (peer: RawPeer) => peer.send(3),
    ]) {
      const { peer, server } = await listening.raw();
      const recording = new Recording(server);
      end(peer, server);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      peer.destroy();
    }
    expect(listening.server.connections.size).toBe(0);
    expect(defaultCodec.slotsTaken).toBe(before);
  });

  it("refuses a bad handshake, and a slow one", async () => {
    await using listening = await start({ handshakeTimeout: 200 });
    const bad = await RawPeer.connect(listening.port);
    bad.write(request({ "Sec-WebSocket-Version": "8" }));
    expect((await bad.readHead()).status).toBe(426);
    const silent = await RawPeer.connect(listening.port);
    expect((await silent.readHead()).status).toBe(408);
    for (const peer of [bad, silent]) {
      await peer.rest();
      peer.destroy();
    }
  });

  it("does not wait for a socket that is already gone when it is accepted", async () => {
    await using listening = await start();
    for (let i = 0; i < 20; i++) (await RawPeer.connect(listening.port)).reset();
    await turns(20);
    const { peer, server } = await listening.raw();
    peer.send(op.text, "alive");
    expect(await server.read()).toBe("alive");
    peer.destroy();
  });
});
