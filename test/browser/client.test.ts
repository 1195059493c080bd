import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client, Connection, ConnectionError, connect } from "../../src/browser.ts";
import type { Client as AnyClient, ServerConnection } from "../../src/index.ts";
import type { Listening } from "../helpers/peers.ts";
import { RawServer, closePayload, op } from "../helpers/raw-peer.ts";
import { Recording, next, plateau, thrownBy, turns, until } from "../helpers/until.ts";
import { Servers } from "./servers.ts";
import { sockets } from "./sockets.ts";

describe.each(sockets)("a page's client over %s", (_name, WebSocket) => {
  let servers: Servers;
  let listening: Listening;
  let raw: RawServer;
  beforeEach(async () => {
    servers = await Servers.start(WebSocket);
    ({ listening, raw } = servers);
  });
  afterEach(() => servers.stop());

  const pair: Servers["pair"] = (options) => servers.pair(options);
  const rawPair: Servers["rawPair"] = (options) => servers.rawPair(options);
  const record = (client: Client): Recording => new Recording(client);
  /** Has the client send to a server that does not read, until the buffers on the way are full. */
  const fill = async (client: Client, server: ServerConnection): Promise<void> => {
    server.pause();
    let drains = 0;
    client.on("drain", () => drains++);
    for (;;) {
      const before = drains;
      const goOn = client.send(new Uint8Array(1 << 20));
      if ((await plateau(() => client.bufferedAmount)) > 0) return;
      if (!goOn) await until(() => drains > before);
    }
  };

  describe("messages", () => {
    it("are text and binary, each way", async () => {
      const { client, server } = await pair();
      const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
      const bytes = [Uint8Array.of(0, 255), new Uint8Array(0), shared];
      const cases = ["Hello", "", "Grüße 😀\uFEFF", ...bytes, "x".repeat(70_000)];
      for (const data of cases) {
        client.send(data);
        const message = await server.read();
        expect(message).toEqual(typeof data === "string" ? data : Uint8Array.from(data));
        server.send(message!);
        const echo = await client.read();
        expect(echo).toEqual(message);
        expect(typeof echo === "string" || echo?.constructor === Uint8Array).toBe(true);
      }
      client.sendText(new TextEncoder().encode("\uFEFFas text"));
      expect(await server.read()).toBe("\uFEFFas text");
      client.sendBinary("as bytes");
      expect(await server.read()).toEqual(new TextEncoder().encode("as bytes"));
      client.send("a part", { start: 2, end: 6 });
      expect(await server.read()).toBe("part");
      expect(() => client.sendText(Uint8Array.of(255))).toThrow(expect.objectContaining({ code: "ERR_DATA_TYPE" }));
      expect(() => client.send(7 as never)).toThrow(expect.objectContaining({ code: "ERR_DATA_TYPE" }));
      expect(await client.close()).toEqual({ code: 1000, reason: "", wasClean: true });
    });

    it("stay in order, a thousand of them, before the connection is open and after", async () => {
      const client = new Client(listening.url);
      for (let i = 0; i < 500; i++) expect(client.send(`${i}`)).toBe(true);
      await next(client as unknown as AnyClient, "open");
      const server = await listening.connection();
      for (let i = 500; i < 1000; i++) client.send(`${i}`);
      for (let i = 0; i < 1000; i++) expect(await server.read()).toBe(`${i}`);
      for (let i = 0; i < 1000; i++) server.send(`${i}`);
      for (let i = 0; i < 1000; i++) expect(await client.read()).toBe(`${i}`);
      await client.close();
    });

    it("wait for the opening handshake, 1,024 of them", async () => {
      const client = new Client(raw.url);
      const recording = record(client);
      for (let i = 0; i < 1024; i++) client.send("x");
      expect(() => client.send("x")).toThrow(expect.objectContaining({ code: "ERR_QUEUE_FULL" }));
      client.terminate();
      await recording.closed();
    });

    it("are held until someone listens, and go to loops and reads", async () => {
      const { client, server } = await pair();
      for (const message of ["1", "2", "3", "4"]) server.send(message);
      for await (const message of client) if (message === "2") break;
      expect(await client.read()).toBe("3");
      const recording = record(client);
      await until(() => recording.messages.length > 0);
      expect(recording.messages).toEqual(["4"]);
      await server.close(4000, "over");
      expect(await client.read()).toBeUndefined();
    });

    it("are a stream, and so are those that leave", async () => {
      const { client, server } = await pair();
      void server.readable.pipeTo(server.writable);
      const writer = client.writable.getWriter();
      const reader = client.readable.getReader();
      for (const message of ["1", Uint8Array.of(2), "3".repeat(100_000)]) {
        await writer.write(message);
        expect((await reader.read()).value).toEqual(message);
      }
      await writer.close();
      expect((await reader.read()).done).toBe(true);
      expect([client.closeCode, client.wasClean]).toEqual([1005, true]);
    });

    it("over maxLength, in bytes of UTF-8, cost the connection", async () => {
      for (const message of ["é".repeat(6), new Uint8Array(11), "x".repeat(11)]) {
        const { client, server } = await pair({ maxLength: 10 });
        const recording = record(client);
        server.send("é".repeat(5));
        server.send(message);
        const [code] = await next(server, "close");
        expect(code).toBe(4009);
        expect(await recording.closed()).toEqual([[1006, ""]]);
        expect(recording.messages).toEqual(["é".repeat(5)]);
        expect(recording.errors).toMatchObject([{ name: "ProtocolError", code: "ERR_TOO_LONG", closeCode: 4009 }]);
        expect(client.wasClean).toBe(false);
      }
    });
  });

  describe("opening", () => {
    it("tells what was agreed on", async () => {
      const { client } = await pair({ acceptProtocols: ["v1.chat"] });
      const { protocol, extensions, role, version, readyState, url, response, socket } = client;
      expect({ protocol, extensions, role, version, readyState, url, response, socket }).toEqual({
        protocol: "v1.chat",
        extensions: [],
        role: "client",
        version: "hybi-13",
        readyState: "open",
        url: listening.url,
        response: undefined,
        socket: undefined,
      });
      expect(client).toBeInstanceOf(Connection);
      expect(client.startConnection()).toBe(false);
      client.terminate();
    });

    it("takes http: and URL objects", async () => {
      const client = await connect(new URL(listening.url.replace("ws", "http")));
      expect(await client.close()).toMatchObject({ wasClean: true });
    });

    it("fails when the server takes none of the subprotocols", async () => {
      const client = connect(raw.url, { acceptProtocols: ["chat"] });
      const peer = raw.open();
      expect(await thrownBy(() => client)).toMatchObject({ name: "ConnectionError", code: "ERR_CONNECT" });
      await peer;
    });

    it("is refused without a reason, since a page sees none", async () => {
      const error = await thrownBy(() => connect(`${listening.url}elsewhere`));
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ code: "ERR_CONNECT" });
      expect(error).not.toHaveProperty("status");
    });

    it("fails when nobody is there: one error, one close", async () => {
      await raw.close();
      const client = new Client(raw.url);
      const recording = record(client);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.names).toEqual(["error", "close"]);
      expect(recording.errors).toMatchObject([{ code: "ERR_CONNECT" }]);
      expect([client.readyState, client.wasClean]).toEqual(["closed", false]);
      servers.raw = await RawServer.listen();
    });

    it("is given up by its signal, before it begins and under way", async () => {
      const reason = new Error("enough");
      const early = await thrownBy(() => connect(raw.url, { signal: AbortSignal.abort(reason) }));
      expect(early).toMatchObject({ code: "ERR_ABORTED", cause: reason });
      const abort = new AbortController();
      const client = connect(raw.url, { signal: abort.signal });
      await raw.request();
      abort.abort(reason);
      expect(await thrownBy(() => client)).toMatchObject({ code: "ERR_ABORTED", cause: reason });
    });

    it("is not harmed by a signal that comes later", async () => {
      const abort = new AbortController();
      const { client } = await pair({ signal: abort.signal });
      abort.abort();
      expect(client.readyState).toBe("open");
      expect(await client.close()).toMatchObject({ code: 1000 });
    });

    it("has a deadline", async () => {
      const client = new Client(raw.url, { handshakeTimeout: 50 });
      const recording = record(client);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.errors).toMatchObject([{ code: "ERR_HANDSHAKE_TIMEOUT" }]);
    });

    it("is given up by close", async () => {
      const client = new Client(raw.url);
      const recording = record(client);
      expect(await client.close(4000)).toEqual({ code: 1006, reason: "", wasClean: false });
      await recording.closed();
      expect(recording.names).toEqual(["close"]);
    });
  });

  describe("closing", () => {
    it.each([
      [1000, ""],
      [3000, "a library's"],
      [4999, "ours: é"],
    ] as const)("with %i %s, from here", async (code, reason) => {
      const { client, server } = await pair();
      const closed = next(server, "close");
      expect(await client.close(code, reason)).toEqual({ code, reason, wasClean: true });
      expect(await closed).toEqual([code, reason]);
      expect(await client.close()).toEqual({ code, reason, wasClean: true });
      expect(client.send("too late")).toBe(false);
    });

    it.each([
      [1001, "going"],
      [1011, ""],
      [4000, "théière"],
    ] as const)("with %i %s, from there", async (code, reason) => {
      const { client, server } = await pair();
      const recording = record(client);
      void server.close(code, reason);
      expect(await recording.closed()).toEqual([[code, reason]]);
      const { closeCode, closeReason, wasClean } = client;
      expect({ closeCode, closeReason, wasClean }).toEqual({ closeCode: code, closeReason: reason, wasClean: true });
    });

    it("from there can be seen at once, and nothing is sent any more", async () => {
      const { client, peer } = await rawPair();
      const recording = record(client);
      peer.send(op.close, closePayload(4000, "so"), { mask: false });
      await until(() => client.readyState === "closing");
      expect(client.send("too late")).toBe(false);
      expect((await peer.readClose()).code).toBe(4000);
      peer.end();
      expect(await recording.closed()).toEqual([[4000, "so"]]);
      expect(client.wasClean).toBe(true);
    });

    it("has a deadline of its own", async () => {
      const { client, peer } = await rawPair({ closeTimeout: 50 });
      const recording = record(client);
      expect(await client.close(4000)).toEqual({ code: 1006, reason: "", wasClean: false });
      expect((await peer.readClose()).code).toBe(4000);
      expect(await recording.closed()).toEqual([[1006, ""]]);
    });

    it("by terminate waits for nobody", async () => {
      const { client, server } = await pair();
      const recording = record(client);
      const ended = next(server, "close");
      client.terminate();
      expect(client.readyState).toBe("closing");
      client.terminate();
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.errors).toEqual([]);
      await ended;
    });

    it("is not clean when the server just goes, and an error when it breaks", async () => {
      const gone = await rawPair();
      const goneRecording = record(gone.client);
      gone.peer.end();
      expect(await goneRecording.closed()).toEqual([[1006, ""]]);
      await expect(gone.client.read()).rejects.toMatchObject({ code: "ERR_CLOSED" });

      const { client, peer } = await rawPair();
      const recording = record(client);
      // Masked, which no server may do (RFC 6455 §5.1): the browser fails the connection.
      peer.send(op.text, "x");
      peer.end();
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.errors).toMatchObject([{ code: "ERR_TRANSPORT" }]);
    });

    it("for a listener that throws", async () => {
      const { client, server } = await pair();
      const recording = record(client);
      client.on("message", () => {
        throw new Error("oops");
      });
      server.send("x");
      const [code] = await next(server, "close");
      expect(code).toBe(4011);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(recording.errors).toMatchObject([{ code: "ERR_HANDLER" }]);
    });

    it("at the end of a scope", async () => {
      const { client } = await pair();
      await client[Symbol.asyncDispose]();
      expect(client.closeCode).toBe(1000);
    });
  });

  describe("a server that does not read", () => {
    it("has send answer false, and drain come later", async () => {
      const { client, server } = await pair();
      await fill(client, server);
      expect(client.bufferedAmount).toBeGreaterThanOrEqual(65_536);
      expect(client.queuedMessages).toBeGreaterThan(0);
      let isTaken = false;
      client.send("the last", { callback: (error) => (isTaken = error === undefined) });
      await turns();
      expect(isTaken).toBe(false);
      const drained = next(client as unknown as AnyClient, "drain");
      server.resume();
      await drained;
      expect(client.bufferedAmount).toBeLessThanOrEqual(32_768);
      await until(() => isTaken);
      expect(await client.close()).toMatchObject({ code: 1000, wasClean: true });
      expect([client.bufferedAmount, client.queuedMessages]).toEqual([0, 0]);
    });

    it("is told 1013, as a page can, once its queue is full", async () => {
      const { client, server } = await pair({ maxQueuedBytes: 1 << 17 });
      const recording = record(client);
      await fill(client, server);
      const callback = vi.fn();
      expect(client.send(new Uint8Array(1 << 17), { callback })).toBe(false);
      expect(recording.errors).toMatchObject([{ code: "ERR_SLOW_CONSUMER" }]);
      server.resume();
      expect((await next(server, "close"))[0]).toBe(4013);
      expect(await recording.closed()).toEqual([[1006, ""]]);
      expect(callback).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "ERR_NOT_OPEN" }));
    });

    it("costs messages, if the user says so", async () => {
      for (const slowConsumer of ["drop-newest", "drop-oldest"] as const) {
        const { client, server } = await pair({ slowConsumer, maxQueuedBytes: 1 << 17 });
        await fill(client, server);
        const callback = vi.fn();
        client.send(new Uint8Array(1 << 17), { callback });
        await turns();
        expect(callback).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "ERR_DROPPED" }));
        client.terminate();
      }
      const { client, server } = await pair({ slowConsumer: "wait", maxQueuedBytes: 1 << 17 });
      await fill(client, server);
      expect(() => client.send(new Uint8Array(1 << 17))).toThrow(expect.objectContaining({ code: "ERR_QUEUE_FULL" }));
      client.terminate();
    });

    it("tells who waits when the connection is lost", async () => {
      const { client, server } = await pair();
      await fill(client, server);
      const callback = vi.fn();
      client.send(new Uint8Array(1 << 20), { callback });
      client.terminate();
      await turns();
      expect(callback).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "ERR_CLOSED" }));
    });
  });
});
