import { afterEach, describe, expect, it } from "vitest";
import { connect, Server, type Client, type Message, type ServerConnection } from "../../../src/index.ts";
import { StreamsTransport } from "../../../src/hosts/streams-transport.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { kindsOfPairs } from "../../helpers/stream-pairs.ts";
import { deferred, next, plateau, Recording, thrownBy, until } from "../../helpers/until.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

describe.each(kindsOfPairs)("a server and a client over %s", (_kind, make) => {
  /** Both sides of a connection, and the end of it for whoever accepted it. */
  async function open(): Promise<{ client: Client; server: ServerConnection; over: Promise<void> }> {
    const { near, far, close } = await make();
    ends.push(close);
    // On a busy machine a test may see the first Ping, which waits as messages do.
    const server = new Server({ heartbeat: false });
    const opened = next(server, "connection");
    const over = server.accept(far);
    const client = await connect("ws://somewhere.example/", { heartbeat: false, dial: () => near });
    const [connection] = await opened;
    expect(connection.socket).toBeInstanceOf(StreamsTransport);
    return { client, server: connection, over };
  }

  it("send each other messages of all sizes, and close", async () => {
    const { client, server, over } = await open();
    const sizes = [0, 1, 125, 126, 16_383, 16_384, 65_535, 65_536, 1 << 24];
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      for (const size of sizes) {
        const sent = noise(size, size);
        const copy = sent.slice();
        const written = deferred();
        from.send("é".repeat(size >> 4));
        from.send(sent, { callback: () => written.resolve() });
        expect(await to.read()).toBe("é".repeat(size >> 4));
        expect(equal((await to.read()) as Uint8Array, copy)).toBe(true);
        await written.promise;
        expect(equal(sent, copy)).toBe(true);
      }
      expect(from.bufferedAmount).toBe(0);
    }
    const atServer = new Recording(server);
    expect(await client.close(4000, "done")).toEqual({ code: 4000, reason: "done", wasClean: true });
    await over;
    expect(atServer.entries).toEqual([["close", 4000, "done"]]);
    expect(server.wasClean).toBe(true);
  });

  it("fragment, ping, and let the server close", async () => {
    const { client, server, over } = await open();
    client.send("one ", { fin: false });
    client.sendPing("?");
    const pinged = next(server, "ping");
    for (let i = 0; i < 10; i++)
      client.send(
        noise(100_000, i).map((byte) => byte & 0x7f),
        { type: "continuation", fin: false },
      );
    client.send("end", { type: "continuation" });
    const message = (await server.read()) as string;
    expect([message.length, message.slice(0, 4), message.slice(-3)]).toEqual([1_000_007, "one ", "end"]);
    expect(Buffer.from((await pinged)[0]).toString()).toBe("?");
    expect(await server.close(1001)).toEqual({ code: 1001, reason: "", wasClean: true });
    await over;
    expect([client.closeCode, client.wasClean]).toEqual([1001, true]);
  });

  it.each(["client", "server"] as const)("hold each other back: the %s does not read", async (slow) => {
    const { client, server } = await open();
    const [from, to] = slow === "client" ? [server, client] : [client, server];
    to.pause();
    const block = (i: number): Uint8Array => noise(1 << 16, i);
    let sent = 0;
    let drained = 0;
    const wrong: number[] = [];
    let got = 0;
    to.on("message", (message: Message) => {
      if (!equal(message as Uint8Array, block(got++))) wrong.push(got);
    });
    // 32 MiB: more than the system keeps for two sockets.
    const all = 512;
    const go = (): void => {
      while (sent < all) if (!from.send(block(sent++))) return;
    };
    from.on("drain", () => {
      drained++;
      go();
    });
    go();
    await plateau(() => sent);
    expect(sent).toBeLessThan(all);
    expect(from.bufferedAmount).toBeGreaterThan(0);
    expect(got).toBe(0);
    to.resume();
    await until(() => got === all);
    expect([wrong, drained > 0]).toEqual([[], true]);
    await until(() => from.bufferedAmount === 0);
  });

  it.each(["client", "server"] as const)("end at once when the %s terminates", async (which) => {
    const { client, server, over } = await open();
    const recordings = [new Recording(client), new Recording(server)];
    (which === "client" ? client : server).terminate();
    for (const recording of recordings) expect(await recording.closed()).toEqual([[1006, ""]]);
    await over;
  });
});

it("a pair that is locked, or is none, is not accepted or dialed", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  readable.getReader();
  const server = new Server();
  const wrong = { name: "TypeError", code: "ERR_OPTION_TYPE" };
  expect(await thrownBy(() => server.accept({ readable, writable }))).toMatchObject(wrong);
  expect(await thrownBy(() => server.accept({ readable }))).toMatchObject(wrong);
  expect(await thrownBy(() => connect("ws://x/", { dial: () => ({ readable, writable }) }))).toMatchObject({
    code: "ERR_CONNECT",
    cause: wrong,
  });
});
