import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  driverFor,
  makeClient,
  makeServer,
  type Host,
  type Message,
  type ServerConnection,
  type TransportHandler,
} from "../../src/driver.ts";
import { host as nodeHost } from "../../src/hosts/node.ts";
import { equal, noise } from "../helpers/bytes.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import { RawPeer, RawServer, closePayload, frame, op, request } from "../helpers/raw-peer.ts";
import { Recording, deferred, next, thrownBy, turns, until } from "../helpers/until.ts";
import { Web, rawClient } from "../helpers/web.ts";

let web: Web;
beforeEach(async () => {
  web = await Web.listen();
});
afterEach(() => web.close());

describe("S30 to S35 events", () => {
  it("S30 S31 S33 open, message and close come in order, each with its arguments", async () => {
    const { client, atClient, server, atServer } = await web.pair();
    server.send("from the server");
    client.send("from the client");
    await until(() => atClient.messages.length === 1 && atServer.messages.length === 1);
    void client.close(4001, "why");
    await atServer.closed();
    await atClient.closed();
    expect(atServer.entries).toEqual([["open"], ["message", "from the client"], ["close", 4001, "why"]]);
    expect(atClient.entries).toEqual([["open"], ["message", "from the server"], ["close", 4001, "why"]]);
  });

  it("S32 error comes before close, and kills nothing when nobody listens", async () => {
    const { peer, server, atServer } = await rawClient(web);
    peer.send(3);
    expect(await peer.readClose()).toMatchObject({ code: 1002 });
    peer.end();
    await atServer.closed();
    expect(atServer.names).toEqual(["open", "error", "close"]);
    expect(server.listenerCount("error")).toBe(1);

    const deaf = RawPeer.open(web.port);
    const alone = await web.makeServer();
    alone.startConnection();
    const other = await deaf;
    other.send(3);
    expect(await other.readClose()).toMatchObject({ code: 1002 });
    other.end();
    await next(alone, "close");
  });

  it("S33 ping, pong and drain are events too", async () => {
    const { client, server, atClient, atServer } = await web.pair();
    client.sendPing("p");
    server.sendPong(Uint8Array.of(1));
    await until(() => atClient.of("pong").length === 2 && atServer.of("ping").length === 1);
    expect(
      atClient
        .of("pong")
        .map((payload) => Buffer.from(payload).toString("latin1"))
        .sort(),
    ).toEqual(["\u0001", "p"]);
    // More than a socket takes at once.
    while (client.send(new Uint8Array(1 << 20)));
    expect(client.bufferedAmount).toBeGreaterThan(65_536);
    await next(client, "drain");
    expect(client.bufferedAmount).toBeLessThanOrEqual(32_768);
    expect(client.send("again")).toBe(true);
  });

  it("S34 S35 on, once, addListener, off, removeListener, removeAllListeners", async () => {
    const { client, server } = await web.pair();
    server.removeAllListeners("message");
    const calls: string[] = [];
    const every = (message: Message): number => calls.push(`every ${String(message)}`);
    const added = (message: Message): number => calls.push(`added ${String(message)}`);
    const one = (message: Message): number => calls.push(`once ${String(message)}`);
    expect(server.on("message", every)).toBe(server);
    server.addListener("message", added);
    server.once("message", one);
    expect(server.listeners("message")).toEqual([every, added, one]);
    expect(server.listenerCount("message")).toBe(3);
    client.send("1");
    client.send("2");
    await until(() => calls.length === 5);
    server.removeListener("message", added);
    client.send("3");
    await until(() => calls.length === 6);
    expect(calls).toEqual(["every 1", "added 1", "once 1", "every 2", "added 2", "every 3"]);
    server.off("message", every);
    expect(server.listeners("message")).toEqual([]);
    expect(server.listenerCount("message")).toBe(0);
    server.once("message", one).removeListener("message", one);
    expect(server.listenerCount("message")).toBe(0);
    server
      .removeAllListeners("pong")
      .on("ping", () => undefined)
      .on("pong", () => undefined);
    server.removeAllListeners("ping");
    expect([server.listenerCount("ping"), server.listenerCount("pong")]).toEqual([0, 1]);
    server.removeAllListeners();
    expect(server.listenerCount("pong")).toBe(0);
    expect(() => server.on("message", "not a function" as never)).toThrow(TypeError);
  });

  it("S35 emit calls the listeners in order, and tells whether there were any", async () => {
    const { client } = await web.pair();
    const calls: unknown[] = [];
    expect(client.emit("drain")).toBe(true); // the recording listens
    client.on("message", (message) => calls.push(1, message)).once("message", () => calls.push(2));
    expect(client.emit("message", "made up")).toBe(true);
    expect(client.emit("message", "again")).toBe(true);
    expect(calls).toEqual([1, "made up", 2, 1, "again"]);
    client.removeAllListeners("message");
    expect(client.emit("message", "nobody")).toBe(false);
  });

  it("S35 a listener may add and remove listeners while they are called", async () => {
    const { client } = await web.pair();
    const calls: string[] = [];
    const second = (): number => calls.push("second");
    client.on("pong", () => {
      calls.push("first");
      client.off("pong", second);
      client.once("pong", () => calls.push("added"));
    });
    client.on("pong", second);
    client.emit("pong", new Uint8Array(0));
    // As with Node's: who was there when the event came is called.
    expect(calls).toEqual(["first", "second"]);
    client.emit("pong", new Uint8Array(0));
    expect(calls).toEqual(["first", "second", "first", "added"]);
  });
});

describe("S36 to S42 the protocol", () => {
  it("S36 fragments become one message", async () => {
    const { peer, atServer } = await rawClient(web);
    const text = Buffer.from("Grüße 👋");
    // Cut inside characters.
    for (let i = 0; i < text.length; i++)
      peer.send(i === 0 ? op.text : op.continuation, text.subarray(i, i + 1), { fin: i === text.length - 1 });
    peer.send(op.binary, "", { fin: false });
    peer.send(op.continuation, Uint8Array.of(1), { fin: false });
    peer.send(op.continuation, "");
    await until(() => atServer.messages.length === 2);
    expect(atServer.messages).toEqual(["Grüße 👋", Uint8Array.of(1)]);
    peer.destroy();
  });

  it("S37 control frames may come between fragments, and are answered at once", async () => {
    const { peer, atServer } = await rawClient(web);
    peer.send(op.text, "frag", { fin: false });
    peer.send(op.ping, "now");
    expect(await peer.readFrame()).toMatchObject({ opcode: op.pong, payload: Buffer.from("now") });
    expect(atServer.messages).toEqual([]);
    peer.send(op.pong);
    peer.send(op.continuation, "ment");
    await until(() => atServer.messages.length === 1);
    expect(atServer.names).toEqual(["open", "ping", "pong", "message"]);
    peer.destroy();
  });

  const breaches: [row: string, what: string, bytes: Uint8Array, code: number][] = [
    ["S38", "an unmasked frame", frame(op.text, "a", { mask: false }), 1002],
    ["S39", "RSV1", frame(op.text, "a", { rsv: 0x40 }), 1002],
    ["S39", "RSV2", frame(op.text, "a", { rsv: 0x20 }), 1002],
    ["S39", "RSV3 on a control frame", frame(op.ping, "a", { rsv: 0x10 }), 1002],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, string, Uint8Array, number] => [
      "S40",
      `opcode ${opcode}`,
      frame(opcode),
      1002,
    ]),
    ["S40", "a continuation of nothing", frame(op.continuation, "a"), 1002],
    ["S40", "a text inside a message", Buffer.concat([frame(1, "a", { fin: false }), frame(1, "b")]), 1002],
    ["S40", "a fragmented ping", frame(op.ping, "a", { fin: false }), 1002],
    ["S40", "a ping of 126 bytes", frame(op.ping, Buffer.alloc(126)), 1002],
    ["S41", "a text that is not UTF-8", frame(op.text, Uint8Array.of(0x61, 0xc0)), 1007],
    ["S41", "a close reason that is not UTF-8", frame(op.close, closePayload(1000, Uint8Array.of(0xff))), 1007],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((code): [string, string, Uint8Array, number] => [
      "S42",
      `a Close with ${code}`,
      frame(op.close, closePayload(code)),
      1002,
    ]),
    ["S42", "a Close of one byte", frame(op.close, "x"), 1002],
  ];
  it.each(breaches)("%s %s", async (_, __, bytes, code) => {
    const { peer, atServer } = await rawClient(web);
    peer.write(Buffer.concat([bytes, frame(op.text, "discarded")]));
    expect(await peer.readClose()).toMatchObject({ code });
    expect(await peer.rest()).toHaveLength(0);
    peer.end();
    // §7.1.5: no Close frame of the peer's was taken.
    expect(await atServer.closed()).toEqual([[1006, ""]]);
    expect(atServer.names).toEqual(["open", "error", "close"]);
    expect(atServer.errors[0]).toMatchObject({ closeCode: code });
  });

  it("S38 a masked frame fails a client", async () => {
    await using raw = await RawServer.listen();
    const client = makeClient(raw.url);
    const recording = new Recording(client);
    client.startConnection();
    const peer = await raw.open();
    peer.send(op.text, "a");
    expect(await peer.readClose()).toMatchObject({ code: 1002 });
    peer.end();
    expect(await recording.closed()).toEqual([[1006, ""]]);
  });

  it("S42 every code that may be sent is taken, and reported at both sides", async () => {
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]) {
      const { client, atServer, atClient } = await web.pair();
      void client.close(code, `r${code}`);
      expect(await atServer.closed()).toEqual([[code, `r${code}`]]);
      expect(await atClient.closed()).toEqual([[code, `r${code}`]]);
      expect(atServer.errors).toEqual([]);
    }
  });

  it("S42 1006 when the transport ends without a Close", async () => {
    const { peer, server, atServer } = await rawClient(web);
    peer.end();
    expect(await atServer.closed()).toEqual([[1006, ""]]);
    expect(server.wasClean).toBe(false);
    expect(atServer.names).toEqual(["open", "close"]);
  });
});

describe("S43 to S45 push, pull and the port", () => {
  it("S43 push: messages go to the listeners as they come", async () => {
    const { client, atServer } = await web.pair();
    for (let i = 0; i < 1000; i++) client.send(`message ${i}`);
    await until(() => atServer.messages.length === 1000);
    expect(atServer.messages).toEqual(Array.from({ length: 1000 }, (_, i) => `message ${i}`));
  });

  it("S44 pull: for await takes messages in order and ends at a clean close", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    const got: Message[] = [];
    const loop = (async () => {
      for await (const message of server) got.push(message);
    })();
    await next(client, "open");
    for (let i = 0; i < 1000; i++) client.send(String(i));
    await client.close();
    await loop;
    expect(got).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
  });

  it("S44 pull: leaving the loop closes nothing, and another one goes on", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    await next(client, "open");
    for (const message of ["a", "b", "c"]) client.send(message);
    const got: Message[] = [];
    for await (const message of server) {
      got.push(message);
      break;
    }
    expect(server.readyState).toBe("open");
    void client.close();
    for await (const message of server) got.push(message);
    expect(got).toEqual(["a", "b", "c"]);
  });

  it("S44 pull: read() gives one message each, then undefined", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    await next(client, "open");
    const first = server.read();
    const second = server.read();
    client.send("1");
    client.send(Uint8Array.of(2));
    client.send("3");
    expect([await first, await second]).toEqual(["1", Uint8Array.of(2)]);
    expect(await server.read()).toBe("3");
    const none = server.read();
    await client.close();
    expect(await none).toBeUndefined();
    expect(await server.read()).toBeUndefined();
  });

  it("S44 pull: what came before a break is still given, then ERR_CLOSED", async () => {
    const client = web.makeClient();
    client.startConnection();
    const server = await web.makeServer();
    server.startConnection();
    await next(client, "open");
    client.send("1");
    client.send("2");
    expect(await server.read()).toBe("1");
    client.terminate();
    await next(server, "close");
    expect(await server.read()).toBe("2");
    expect(await thrownBy(() => server.read())).toMatchObject({ code: "ERR_CLOSED" });
    const error = await thrownBy(async () => {
      for await (const message of server) throw new Error(`There is a message ${String(message)}.`);
    });
    expect(error).toMatchObject({ code: "ERR_CLOSED" });
  });

  /** A web server on the port's own terms: it reads the head, then hands the transport on. */
  function serve(transport: MemoryTransport, options?: Parameters<typeof makeServer>[1]): Promise<ServerConnection> {
    const made = deferred<ServerConnection>();
    let text = "";
    const reader: TransportHandler = {
      data(chunk) {
        text += Buffer.from(chunk).toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        const [line = "", ...fields] = text.slice(0, end).split("\r\n");
        const [method, url] = line.split(" ");
        const headers = fields.map((field): [string, string] => {
          const colon = field.indexOf(":");
          return [field.slice(0, colon), field.slice(colon + 1).trim()];
        });
        const head = new Uint8Array(Buffer.from(text.slice(end + 4), "latin1"));
        made.resolve(makeServer({ method, url, headers, socket: transport, head }, options));
      },
      end: () => undefined,
      close: () => undefined,
    };
    transport.start(reader);
    return made.promise;
  }

  /** Node's clock and randomness, and a dial that leads nowhere but here. */
  const hostOver = (transport: MemoryTransport): Host => ({
    ...nodeHost,
    name: "memory",
    dial: () => Promise.resolve(transport),
  });

  it.each([Infinity, 1, 7, 4096])(
    "S45 the port: the whole protocol over a pipe in memory, %s bytes a chunk",
    async (size) => {
      const [near, far] = MemoryTransport.pipe(size);
      const client = driverFor(hostOver(near)).makeClient("ws://memory/path?query", { acceptProtocols: ["p"] });
      const atClient = new Recording(client);
      client.send("queued");
      client.startConnection();
      const server = await serve(far, { acceptProtocols: ["p"], additionalHeaders: { "X-A": "b" } });
      const atServer = new Recording(server);
      expect(server.request).toMatchObject({ path: "/path", query: "query", host: "memory" });
      server.startConnection();
      await until(() => client.readyState === "open");
      expect([client.protocol, client.response!.headers.get("x-a")]).toEqual(["p", "b"]);
      expect(client.socket).toBe(near);
      expect(server.socket).toBe(far);

      const large = noise(size < 100 ? 3000 : 300_000);
      let answered = 0;
      client.sendPing("ping", () => answered++);
      client.send(large);
      server.send("ünder way");
      server.send(large, { fin: false });
      server.sendPing("inside", () => answered++);
      server.send(large, { type: "continuation" });
      await until(() => answered === 2 && atServer.messages.length === 2 && atClient.messages.length === 2);
      expect(atServer.messages[0]).toBe("queued");
      expect(equal(atServer.messages[1] as Uint8Array, large)).toBe(true);
      expect(atClient.messages[0]).toBe("ünder way");
      expect(equal(atClient.messages[1] as Uint8Array, Buffer.concat([large, large]))).toBe(true);

      expect(await client.close(4000, "over")).toEqual({ code: 4000, reason: "over", wasClean: true });
      expect(await atServer.closed()).toEqual([[4000, "over"]]);
      expect(await atClient.closed()).toEqual([[4000, "over"]]);
      expect(atClient.errors).toEqual([]);
      expect(atServer.errors).toEqual([]);
    },
  );

  it("S45 the port: what a transport has read behind the request reaches the connection first", async () => {
    const [near, far] = MemoryTransport.pipe();
    near.write([Buffer.from(request()), frame(op.text, "one")], () => undefined);
    near.write([frame(op.text, "two")], () => undefined);
    near.start({ data: () => undefined, end: () => near.end(), close: () => undefined });
    const all = deferred<ServerConnection>();
    let text = Buffer.alloc(0);
    far.start({
      data(chunk) {
        text = Buffer.concat([text, chunk]);
        const at = text.indexOf("\r\n\r\n") + 4;
        if (at < 4 || text.length === at) return;
        const env = { headers: [["Host", "a"]] as [string, string][], socket: far, head: text.subarray(at) };
        for (const line of text.toString("latin1", 0, at).split("\r\n").slice(2, -2))
          env.headers.push(line.split(": ") as [string, string]);
        all.resolve(makeServer(env));
      },
      end: () => undefined,
      close: () => undefined,
    });
    const server = await all.promise;
    const recording = new Recording(server);
    server.startConnection();
    await until(() => recording.messages.length === 2);
    expect(recording.messages).toEqual(["one", "two"]);
    near.destroy();
    expect(await recording.closed()).toEqual([[1006, ""]]);
  });

  it("S45 the port: pausing reaches the transport, and one close comes from terminating either end", async () => {
    for (const which of ["client", "server"] as const) {
      const [near, far] = MemoryTransport.pipe();
      const client = driverFor(hostOver(near)).makeClient("ws://memory/");
      const atClient = new Recording(client);
      client.startConnection();
      const server = await serve(far);
      const atServer = new Recording(server);
      server.startConnection();
      await next(client, "open");
      server.pause();
      expect(server.isPaused).toBe(true);
      for (let i = 0; i < 10; i++) client.send(noise(10_000, i));
      await turns();
      expect(atServer.messages.length).toBe(0);
      expect(client.bufferedAmount).toBe(10 * 10_008);
      server.resume();
      await until(() => atServer.messages.length === 10);
      expect(client.bufferedAmount).toBe(0);
      (which === "client" ? client : server).terminate();
      expect(await atClient.closed()).toEqual([[1006, ""]]);
      expect(await atServer.closed()).toEqual([[1006, ""]]);
    }
  });
});
