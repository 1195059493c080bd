import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { beforeAll, describe, expect, it } from "vitest";
import { Server, type Connection, type Message } from "../../../src/index.ts";
import { makeClient } from "../../../src/driver.ts";
import { certificates, type Certificates } from "../../helpers/certificates.ts";
import { Listening, Ws, WsListening } from "../../helpers/peers.ts";
import { RawServer, frame, op } from "../../helpers/raw-peer.ts";
import { deferred, next, plateau, turns, until } from "../../helpers/until.ts";

let certs: Certificates;
beforeAll(async () => {
  certs = await certificates();
});

interface Both {
  readonly own: Connection;
  readonly ws: WebSocket;
}

/** Every way by which bytes come in on Node: `onread` on both kinds of socket, `data` events, and TLS. */
const ways: [name: string, run: (test: (both: Both) => Promise<void>) => Promise<void>][] = [
  [
    "an accepted socket",
    async (test) => {
      await using listening = await Listening.start();
      const { ws, server } = await listening.ws();
      await test({ own: server, ws: ws.socket });
    },
  ],
  [
    "a dialed socket",
    async (test) => {
      await using listening = await WsListening.start();
      const { client, ws } = await listening.pair();
      await test({ own: client, ws: ws.socket });
    },
  ],
  [
    "an accepted socket with TLS",
    async (test) => {
      await using listening = await Listening.start({ tls: certs.server });
      const { ws, server } = await listening.ws({ ca: certs.ca });
      await test({ own: server, ws: ws.socket });
    },
  ],
  [
    "a socket of a web server",
    async (test) => {
      const web = http.createServer();
      await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
      await using server = new Server({ server: web });
      const opened = next(server, "connection");
      const ws = new Ws(new WebSocket(`ws://127.0.0.1:${(web.address() as AddressInfo).port}/`));
      const [own] = await opened;
      await ws.opened;
      await test({ own, ws: ws.socket });
      ws.socket.terminate();
      web.close();
    },
  ],
];

const COUNT = 320;
const SIZE = 1 << 16;
/** More than the system keeps for a socket, each with its number in front. */
const blockOf = (i: number): Buffer => Buffer.alloc(SIZE, `${i}.`);
const isBlock = (message: Message | undefined, i: number): boolean =>
  message instanceof Uint8Array && message.length === SIZE && blockOf(i).equals(message);

/** Sends what no socket holds. */
function sendAll(ws: WebSocket): void {
  for (let i = 0; i < COUNT; i++) ws.send(blockOf(i));
}

describe.each(ways)("the peer is held back on %s", (_, run) => {
  it("by pause(), until resume()", () =>
    run(async ({ own, ws }) => {
      const wrong: number[] = [];
      let count = 0;
      own.on("message", (message) => {
        if (!isBlock(message, count++)) wrong.push(count);
        if (count === 100) own.pause();
      });
      own.pause();
      sendAll(ws);
      // 16 of the 20 MiB fit into no socket's buffers.
      expect(await plateau(() => ws.bufferedAmount)).toBeGreaterThan(1 << 22);
      expect([count, own.isPaused]).toEqual([0, true]);
      own.resume();
      await until(() => count >= 100);
      await plateau(() => ws.bufferedAmount);
      // What the chunk under way held is not held back.
      expect(count).toBeLessThan(104);
      own.resume();
      await until(() => count === COUNT);
      expect([ws.bufferedAmount, wrong]).toEqual([0, []]);
    }));

  it("by a slow `for await`, whose memory stays bounded", () =>
    run(async ({ own, ws }) => {
      const wrong: number[] = [];
      let count = 0;
      let gate = deferred();
      const loop = (async () => {
        for await (const message of own) {
          if (!isBlock(message, count++)) wrong.push(count);
          if (count === 1 || count === 100) await gate.promise;
          if (count === COUNT) break;
        }
      })();
      const memory = process.memoryUsage().arrayBuffers;
      sendAll(ws);
      const sent = process.memoryUsage().arrayBuffers - memory;
      const left = await plateau(() => ws.bufferedAmount);
      expect(count).toBe(1);
      expect(left).toBeGreaterThan(1 << 22);
      // What the receiver holds is far from what was sent.
      expect(process.memoryUsage().arrayBuffers - memory - sent).toBeLessThan(1 << 23);
      gate.resolve();
      gate = deferred();
      await until(() => count === 100);
      await plateau(() => ws.bufferedAmount);
      expect(count).toBe(100);
      gate.resolve();
      await loop;
      expect(wrong).toEqual([]);
      await until(() => ws.bufferedAmount === 0);
    }));

  it("while nobody listens or reads, and gets all in order once somebody does", () =>
    run(async ({ own, ws }) => {
      sendAll(ws);
      expect(await plateau(() => ws.bufferedAmount)).toBeGreaterThan(1 << 22);
      const wrong: number[] = [];
      let count = 0;
      expect(isBlock(await own.read(), count++)).toBe(true);
      own.on("message", (message) => {
        if (!isBlock(message, count++)) wrong.push(count);
      });
      await until(() => count === COUNT);
      expect(wrong).toEqual([]);
      expect(ws.bufferedAmount).toBe(0);
    }));
});

describe("pause", () => {
  it("before the connection is open holds from the first message on", async () => {
    await using raw = await RawServer.listen();
    const client = makeClient(raw.url);
    const messages: Message[] = [];
    client.on("message", (message) => messages.push(message));
    client.pause();
    client.startConnection();
    const opened = next(client, "open");
    const peer = await raw.open();
    await opened;
    expect(client.isPaused).toBe(true);
    peer.send(op.text, "held", { mask: false });
    await turns();
    expect(messages).toEqual([]);
    client.resume();
    await until(() => messages.length === 1);
    client.terminate();
  });

  it("and resume, many times over, lose and repeat nothing", async () => {
    await using listening = await Listening.start();
    const { ws, server } = await listening.ws();
    let count = 0;
    const wrong: string[] = [];
    server.on("message", (message) => {
      if (message !== String(count++)) wrong.push(String(message));
      if (count % 3 === 0) server.pause();
      if (count % 7 === 0) server.resume();
    });
    for (let i = 0; i < 5000; i++) ws.socket.send(String(i));
    await until(() => {
      server.resume();
      return count === 5000;
    });
    expect(wrong).toEqual([]);
  });

  it("does not hide the end of the connection once it is closing", async () => {
    await using listening = await Listening.start();
    const { ws, server } = await listening.ws();
    server.on("message", () => undefined);
    server.pause();
    for (let i = 0; i < 10; i++) ws.socket.send("x");
    expect(await server.close(3000, "over")).toEqual({ code: 3000, reason: "over", wasClean: true });
    expect(await ws.closed()).toEqual([[3000, "over"]]);
  });

  it("drops what nobody takes once resume() has said so", async () => {
    await using listening = await Listening.start();
    const { ws, server } = await listening.ws();
    server.resume();
    sendAll(ws.socket);
    await until(() => ws.socket.bufferedAmount === 0);
    const messages: Message[] = [];
    server.on("message", (message) => messages.push(message));
    ws.socket.send("last");
    await until(() => messages.at(-1) === "last");
    // At most what was still on its way when somebody began to listen.
    expect(messages.length).toBeLessThan(COUNT);
  });
});

describe("taking turns", () => {
  const open = async (listening: Listening, count: number): Promise<{ ws: Ws; own: Connection }> => {
    const { ws, server } = await listening.ws();
    for (let i = 0; i < count; i++) ws.socket.send(String(i));
    return { ws, own: server };
  };
  const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i));

  it("read() once, then a listener: it gets all the others, however many", async () => {
    await using listening = await Listening.start({ highWaterMark: 1000 });
    const { own } = await open(listening, 5000);
    expect(await own.read()).toBe("0");
    const messages: Message[] = [];
    own.on("message", (message) => messages.push(message));
    await until(() => messages.length === 4999);
    expect(messages).toEqual(numbers(1, 5000));
  });

  it("a listener, and read() beside it now and then: the listener goes on getting all", async () => {
    await using listening = await Listening.start({ highWaterMark: 1000 });
    const { ws, server } = await listening.ws();
    const messages: Message[] = [];
    server.on("message", (message) => messages.push(message));
    const first = server.read();
    for (let i = 0; i < 5000; i++) ws.socket.send(String(i));
    expect(await first).toBe("0");
    await until(() => messages.length === 5000);
    expect(messages).toEqual(numbers(0, 5000));
  });

  it("a loop that is left, then a listener", async () => {
    await using listening = await Listening.start({ highWaterMark: 1000 });
    const { own } = await open(listening, 5000);
    for await (const message of own) if (message === "9") break;
    const messages: Message[] = [];
    own.on("message", (message) => messages.push(message));
    await until(() => messages.length === 4990);
    expect(messages).toEqual(numbers(10, 5000));
  });

  it("a listener beside a loop: both get all, and the listener goes on when the loop is left", async () => {
    await using listening = await Listening.start({ highWaterMark: 1000 });
    const { ws, server } = await listening.ws();
    const heard: Message[] = [];
    server.on("message", (message) => heard.push(message));
    const read: Message[] = [];
    const loop = (async () => {
      for await (const message of server) {
        read.push(message);
        if (message === "99") break;
      }
    })();
    for (let i = 0; i < 5000; i++) ws.socket.send(String(i));
    await loop;
    await until(() => heard.length === 5000);
    expect(read).toEqual(numbers(0, 100));
    expect(heard).toEqual(numbers(0, 5000));
  });

  it("a loop that begins to listen and is left: nothing of the same chunk is lost", async () => {
    await using listening = await Listening.start();
    const { own } = await open(listening, 50);
    const messages: Message[] = [];
    for await (const message of own) {
      messages.push(message);
      own.on("message", (later) => messages.push(later));
      break;
    }
    await until(() => messages.length === 50);
    expect(messages).toEqual(numbers(0, 50));
  });

  it("a listener that begins in the midst of a chunk, after resume() and while closing, gets the rest", async () => {
    await using listening = await Listening.start();
    for (const way of ["resume", "close"] as const) {
      const { peer, server } = await listening.raw();
      const messages: Message[] = [];
      server.once("pong", () => {
        server.on("message", (message) => messages.push(message));
        void server[way]();
      });
      peer.write(Buffer.concat([frame(op.text, "held"), frame(op.pong), frame(op.text, "1"), frame(op.text, "2")]));
      await until(() => messages.length === 3);
      expect(messages).toEqual(["held", "1", "2"]);
      peer.destroy();
    }
  });

  it("a listener that is removed, then another way: nothing is lost between", async () => {
    await using listening = await Listening.start();
    const { own } = await open(listening, 30);
    const messages: Message[] = [];
    const listener = (message: Message): void => {
      messages.push(message);
      if (messages.length === 10) own.off("message", listener);
    };
    own.on("message", listener);
    await until(() => messages.length === 10);
    await turns(20);
    while (messages.length < 20) messages.push((await own.read())!);
    for await (const message of own) if (messages.push(message) === 30) break;
    expect(messages).toEqual(numbers(0, 30));
  });

  it("once, again and again", async () => {
    await using listening = await Listening.start();
    const { own } = await open(listening, 30);
    const messages: Message[] = [];
    while (messages.length < 30) messages.push(...(await next(own, "message")));
    expect(messages).toEqual(numbers(0, 30));
  });
});

describe("what the peer does not read", () => {
  it("is counted to the byte, makes send answer false, and drain follow", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await listening.raw();
    peer.socket.pause();
    const [size, header] = [100_000, 10];
    let untaken = 0;
    let drains = 0;
    server.on("drain", () => drains++);
    const answers: boolean[] = [];
    for (let i = 0; i < 200; i++) {
      untaken += size + header;
      const callback = (): void => void (untaken -= size + header);
      answers.push(server.send(new Uint8Array(size).fill(i), { callback }));
    }
    expect(answers[0]).toBe(true);
    expect(answers.slice(-100)).toEqual(Array.from({ length: 100 }, () => false));
    await plateau(() => server.bufferedAmount);
    expect(server.bufferedAmount).toBeGreaterThan(1 << 20);
    // A callback runs once its bytes are taken: what is left is what is buffered.
    expect(server.bufferedAmount).toBe(untaken);
    expect(drains).toBe(0);
    peer.socket.resume();
    await next(server, "drain");
    expect(server.bufferedAmount).toBeLessThanOrEqual(32_768);
    for (let i = 0; i < 200; i++) {
      const { payload } = await peer.readFrame();
      expect([payload.length, payload[0], payload.at(-1)]).toEqual([size, i, i]);
    }
    await until(() => server.bufferedAmount === 0);
    expect([untaken, drains]).toEqual([0, 1]);
    expect(server.send("again")).toBe(true);
  });

  it("is counted at a client, whose frames are masked", async () => {
    await using raw = await RawServer.listen();
    const client = makeClient(raw.url);
    client.startConnection();
    const peer = await raw.open();
    await until(() => client.readyState === "open");
    peer.socket.pause();
    let untaken = 0;
    const callback = (): void => void (untaken -= 1_000_014);
    while (client.bufferedAmount < 1 << 24) {
      untaken += 1_000_014;
      client.send(new Uint8Array(1_000_000), { callback });
    }
    await plateau(() => client.bufferedAmount);
    expect(client.bufferedAmount).toBe(untaken);
    peer.socket.resume();
    await until(() => untaken === 0);
    expect(client.bufferedAmount).toBe(0);
    client.terminate();
  });

  it("is measured against highWaterMark", async () => {
    await using listening = await Listening.start({ highWaterMark: 1 << 23 });
    const { peer, server } = await listening.raw();
    peer.socket.pause();
    while (server.send(new Uint8Array(100_000)));
    expect(server.bufferedAmount).toBeGreaterThanOrEqual(1 << 23);
    expect(server.bufferedAmount).toBeLessThan((1 << 23) + 200_000);
    peer.socket.resume();
    await next(server, "drain");
    expect(server.bufferedAmount).toBeLessThanOrEqual(1 << 22);
  });

  it("does not stall the others of a broadcast", async () => {
    await using listening = await Listening.start();
    const { peer, server: slow } = await listening.raw();
    peer.socket.pause();
    const fast = [await listening.ws(), await listening.ws()];
    for (let i = 0; i < COUNT; i++) {
      for (const connection of listening.server.connections) connection.send(blockOf(i));
      if (i % 32 === 0) await turns(1);
    }
    await until(() => fast.every(({ ws }) => ws.messages.length === COUNT));
    for (const { ws } of fast)
      expect(ws.messages.every((message, i) => blockOf(i).equals(message as Buffer))).toBe(true);
    expect(slow.bufferedAmount).toBeGreaterThan(1 << 22);
    expect(slow.readyState).toBe("open");
    // And it can be let go of at once.
    slow.terminate();
    expect(await next(slow, "close")).toEqual([1006, ""]);
  });

  it("gets callbacks with errors when the connection ends first", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await listening.raw();
    peer.socket.pause();
    const outcomes: (Error | null | undefined)[] = [];
    for (let i = 0; i < 200; i++) server.send(new Uint8Array(100_000), { callback: (error) => outcomes.push(error) });
    await plateau(() => server.bufferedAmount);
    const sent = outcomes.length;
    server.terminate();
    await next(server, "close");
    await until(() => outcomes.length === 200);
    expect(outcomes.slice(0, sent).every((error) => error === undefined)).toBe(true);
    expect(outcomes.slice(sent).every((error) => error instanceof Error)).toBe(true);
    expect(sent).toBeLessThan(200);
  });

  it("still leaves before the end of the stream when the peer half-closes", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await listening.raw();
    const total = 64;
    peer.socket.pause();
    for (let i = 0; i < total; i++) server.send(new Uint8Array(100_000).fill(i));
    peer.end();
    await until(() => server.readyState !== "open");
    expect(server.send("too late")).toBe(false);
    peer.socket.resume();
    for (let i = 0; i < total; i++) expect((await peer.readFrame()).payload[0]).toBe(i);
    expect(await peer.rest()).toHaveLength(0);
  });

  it("is given up at closeTimeout when the peer half-closes and reads nothing", async () => {
    await using listening = await Listening.start({ closeTimeout: 60 });
    const { peer, server } = await listening.raw();
    peer.socket.pause();
    for (let i = 0; i < 200; i++) server.send(new Uint8Array(100_000));
    peer.end();
    expect(await next(server, "close")).toEqual([1006, ""]);
  });

  it("and goes on pinging: pongs coalesce, and the last one answers the last ping", async () => {
    await using listening = await Listening.start({ maxPendingPongs: 100_000 });
    const { peer, server } = await listening.raw();
    // What fills the way to the peer, so that pongs have to wait.
    peer.socket.pause();
    while (server.send(new Uint8Array(1 << 20)));
    const full = await plateau(() => server.bufferedAmount);
    let pings = 0;
    server.on("ping", () => pings++);
    const total = 100_000;
    for (let i = 0; i < total; i += 1000) {
      peer.write(Buffer.concat(Array.from({ length: 1000 }, (_, k) => frame(op.ping, String(i + k)))));
      await turns(1);
    }
    await until(() => pings === total);
    expect(server.bufferedAmount - full).toBeLessThan(1 << 16);
    peer.socket.resume();
    const pongs: string[] = [];
    while (pongs.at(-1) !== String(total - 1)) {
      const { opcode, payload } = await peer.readFrame();
      if (opcode === op.pong) pongs.push(payload.toString());
    }
    expect(pongs.length).toBeLessThan(100);
  });
});
