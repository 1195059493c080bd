import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { describe, expect, it } from "vitest";
import { Server, type Connection } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { Listening, WsListening, type Ws } from "../../helpers/peers.ts";
import { Recording, deferred, turns, until } from "../../helpers/until.ts";

interface Both {
  /** Ours. */
  readonly own: Connection;
  readonly ws: Ws;
}

/** Each test runs with hybi as the server of a ws client, and as the client of a ws server. */
const directions: [name: string, run: (test: (both: Both) => Promise<void>) => Promise<void>][] = [
  [
    "ws client → hybi server",
    async (test) => {
      await using listening = await Listening.start();
      const { ws, server } = await listening.ws();
      await test({ own: server, ws });
    },
  ],
  [
    "hybi client → ws server",
    async (test) => {
      await using listening = await WsListening.start();
      const { client, ws } = await listening.pair();
      await test({ own: client, ws });
    },
  ],
];

const texts = [
  "Hello",
  "",
  "Grüße, 世界 👋",
  "\u0000",
  "a".repeat(125),
  "b".repeat(126),
  "é".repeat(63),
  "c".repeat(65_536),
];

describe.each(directions)("%s", (_, run) => {
  it("text goes both ways, and is what it was", () =>
    run(async ({ own, ws }) => {
      const recording = new Recording(own);
      for (const text of texts) {
        own.send(text);
        ws.socket.send(text);
      }
      await until(() => ws.messages.length === texts.length && recording.messages.length === texts.length);
      expect(ws.messages).toEqual(texts);
      expect(recording.messages).toEqual(texts);
    }));

  it("binary of every length form goes both ways", () =>
    run(async ({ own, ws }) => {
      const recording = new Recording(own);
      const lengths = [0, 1, 125, 126, 127, 16_383, 16_384, 65_535, 65_536, 70_001];
      for (const length of lengths) {
        own.send(noise(length, length));
        ws.socket.send(noise(length, length));
      }
      await until(() => ws.messages.length === lengths.length && recording.messages.length === lengths.length);
      lengths.forEach((length, i) => {
        expect(equal(ws.messages[i] as Buffer, noise(length, length))).toBe(true);
        expect(equal(recording.messages[i] as Uint8Array, noise(length, length))).toBe(true);
      });
    }));

  it("16 MiB, as bytes and as text, go both ways", () =>
    run(async ({ own, ws }) => {
      const recording = new Recording(own);
      const bytes = Buffer.alloc(1 << 24, noise(65_537));
      const text = "0123456789abcdé".repeat(1 << 20);
      own.send(bytes);
      own.send(text);
      ws.socket.send(bytes);
      ws.socket.send(text);
      await until(() => ws.messages.length === 2 && recording.messages.length === 2);
      expect(equal(ws.messages[0] as Buffer, bytes)).toBe(true);
      expect(equal(recording.messages[0] as Uint8Array, bytes)).toBe(true);
      expect([ws.messages[1] === text, recording.messages[1] === text]).toEqual([true, true]);
    }));

  it("fragments go both ways, with control frames between", () =>
    run(async ({ own, ws }) => {
      const recording = new Recording(own);
      own.send("one ", { fin: false });
      own.sendPing("inside");
      own.send("two ", { type: "continuation", fin: false });
      own.send("three", { type: "continuation" });
      ws.socket.send("one ", { fin: false });
      ws.socket.ping("inside");
      ws.socket.send("two ", { fin: false });
      ws.socket.send("three", { fin: true });
      ws.socket.send(noise(70_000), { fin: false });
      ws.socket.send(noise(70_000), { fin: true });
      await until(() => ws.messages.length === 1 && recording.messages.length === 2);
      expect(ws.messages).toEqual(["one two three"]);
      expect(recording.messages[0]).toBe("one two three");
      expect(equal(recording.messages[1] as Uint8Array, Buffer.concat([noise(70_000), noise(70_000)]))).toBe(true);
      expect(ws.pings).toEqual(["inside"]);
      expect(recording.of("ping")).toEqual([new Uint8Array(Buffer.from("inside"))]);
    }));

  it("pings are answered, and their callbacks run, both ways", () =>
    run(async ({ own, ws }) => {
      const recording = new Recording(own);
      const answered = deferred<Error | undefined>();
      own.sendPing("from us", (error) => answered.resolve(error));
      expect(await answered.promise).toBeUndefined();
      ws.socket.ping("from ws");
      await until(() => ws.pongs.length === 1);
      ws.socket.pong("unasked");
      own.sendPong("unasked");
      await until(() => recording.of("pong").length === 2 && ws.pongs.length === 2);
      expect(ws.pings).toEqual(["from us"]);
      expect(ws.pongs).toEqual(["from ws", "unasked"]);
      const pongs = recording.of("pong").map((payload) => Buffer.from(payload).toString());
      expect(pongs).toEqual(["from us", "unasked"]);
    }));

  it.each([
    [1000, ""],
    [1001, "going"],
    [1011, "tschüß"],
    [1014, ""],
    [3000, "é".repeat(61)],
    [4999, "x".repeat(123)],
  ])("a close with %i %j is understood, whoever begins", async (code, reason) => {
    await run(async ({ own, ws }) => {
      const recording = new Recording(own);
      expect(await own.close(code, reason)).toEqual({ code, reason, wasClean: true });
      expect(await ws.closed()).toEqual([[code, reason]]);
      expect(recording.closes).toEqual([[code, reason]]);
      expect(ws.errors).toEqual([]);
    });
    await run(async ({ own, ws }) => {
      const recording = new Recording(own);
      ws.socket.close(code, reason);
      expect(await recording.closed()).toEqual([[code, reason]]);
      expect(await ws.closed()).toEqual([[code, reason]]);
      expect(own.wasClean).toBe(true);
    });
  });

  it("a close without a code is 1005 here", () =>
    run(async ({ own, ws }) => {
      const recording = new Recording(own);
      ws.socket.close();
      expect(await recording.closed()).toEqual([[1005, ""]]);
      expect(await ws.closed()).toEqual([[1005, ""]]);
    }));

  it("terminate is 1006 at the other side, whoever does it", async () => {
    await run(async ({ own, ws }) => {
      own.terminate();
      expect(await ws.closed()).toEqual([[1006, ""]]);
    });
    await run(async ({ own, ws }) => {
      const recording = new Recording(own);
      ws.socket.terminate();
      expect(await recording.closed()).toEqual([[1006, ""]]);
    });
  });

  it("10,000 messages, of many sizes and both kinds, come in order, both ways at once", () =>
    run(async ({ own, ws }) => {
      const count = 10_000;
      const messageOf = (i: number): string | Uint8Array =>
        i % 7 === 0 ? noise((i * 31) % 3000, i) : `${i}:${"x".repeat((i * 17) % 200)}`;
      let [atOwn, atWs] = [0, 0];
      const isRight = (message: string | Uint8Array, i: number): boolean => {
        const right = messageOf(i);
        return typeof right === "string" ? message === right : equal(message as Uint8Array, right);
      };
      const wrong: number[] = [];
      own.on("message", (message) => {
        if (!isRight(message, atOwn++)) wrong.push(atOwn);
      });
      ws.socket.removeAllListeners("message");
      ws.socket.on("message", (data: Buffer, isBinary) => {
        if (!isRight(isBinary ? data : data.toString(), atWs++)) wrong.push(-atWs);
      });
      for (let i = 0; i < count; i++) {
        own.send(messageOf(i));
        ws.socket.send(messageOf(i));
        if (i % 1000 === 0) await turns(1);
      }
      await until(() => atOwn === count && atWs === count);
      expect(wrong).toEqual([]);
      expect(own.bufferedAmount).toBe(0);
    }));
});

describe("subprotocols with ws", () => {
  it("the hybi server chooses for a ws client", async () => {
    await using listening = await Listening.start({ acceptProtocols: ["a", "b"] });
    const { ws, server } = await listening.ws({}, "", ["c", "b", "a"]);
    expect([ws.socket.protocol, server.protocol]).toEqual(["b", "b"]);
    const { ws: none, server: other } = await listening.ws();
    expect([none.socket.protocol, other.protocol]).toEqual(["", ""]);
  });

  it("the hybi client takes what a ws server chose", async () => {
    await using listening = await WsListening.start({ handleProtocols: (offered) => [...offered].at(-1)! });
    const { client, ws } = await listening.pair({ acceptProtocols: ["a", "b"] });
    expect([client.protocol, ws.socket.protocol]).toEqual(["b", "b"]);
  });
});

describe("compression that only ws offers", () => {
  it("is declined by the hybi server, and the connection works", async () => {
    await using listening = await Listening.start();
    const { ws, server } = await listening.ws({ perMessageDeflate: true });
    expect(ws.socket.extensions).toBe("");
    ws.socket.send("a".repeat(5000));
    expect(await server.read()).toBe("a".repeat(5000));
  });
});

describe("on one http server with ws", () => {
  it("each takes its own path", async () => {
    const web = http.createServer();
    const theirs = new WebSocketServer({ noServer: true });
    web.on("upgrade", (message, socket, head) => {
      if (message.url === "/ws") theirs.handleUpgrade(message, socket, head, (connection) => connection.send("ws"));
    });
    await using server = new Server({ server: web, path: "/hybi" });
    server.on("connection", (connection) => connection.send("hybi"));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    for (const name of ["ws", "hybi"]) {
      const client = new WebSocket(`ws://127.0.0.1:${(web.address() as AddressInfo).port}/${name}`);
      const [data] = (await once(client, "message")) as [Buffer];
      expect(data.toString()).toBe(name);
      client.close();
      await once(client, "close");
    }
    web.close();
  });
});
