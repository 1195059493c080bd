import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { Server, connect, type ServerOptions } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { RawPeer, request } from "../helpers/raw-peer.ts";
import { next, until } from "../helpers/until.ts";

const answer = async (
  port: number,
  changes: Parameters<typeof request>[0] = {},
): Promise<[status: number, retryAfter: string | undefined]> => {
  const peer = await RawPeer.connect(port);
  peer.write(request(changes));
  const { status, headers } = await peer.readHead();
  peer.destroy();
  return [status, headers["retry-after"]];
};

describe("origins", () => {
  it.each<[ServerOptions["origins"], origin: string, status: number]>([
    [undefined, "https://evil.example", 403],
    [undefined, "http://localhost", 101],
    ["same", "null", 403],
    ["any", "https://evil.example", 101],
    [["https://app.example"], "https://app.example", 101],
    [["https://app.example"], "http://localhost", 403],
  ])("%j answer a page of %s with %d", async (origins, origin, status) => {
    await using listening = await Listening.start(origins === undefined ? {} : { origins });
    expect(await answer(listening.port, { Origin: origin })).toEqual([status, undefined]);
    expect(await answer(listening.port)).toEqual([101, undefined]);
    expect(listening.server.stats().refusals).toEqual(status === 403 ? { origin: 1 } : {});
  });
});

describe("maxConnections", () => {
  it("refuses newcomers with 503 and Retry-After, and takes others once there is room", async () => {
    await using listening = await Listening.start({ maxConnections: 2 });
    const first = await listening.pair();
    await listening.pair();
    await expect(connect(listening.url)).rejects.toMatchObject({ status: 503 });
    expect(await answer(listening.port)).toEqual([503, "10"]);
    expect(listening.server.stats()).toMatchObject({ open: 2, opened: 2, refusals: { connections: 2 } });
    await first.client.close();
    await until(() => listening.server.connections.size === 1);
    await listening.pair();
  });

  it("counts handshakes that are under way, by the request and by the hook", async () => {
    await using listening = await Listening.start({ maxConnections: 2, upgrade: () => new Promise(() => undefined) });
    const silent = await RawPeer.connect(listening.port);
    const asking = await RawPeer.connect(listening.port);
    asking.write(request());
    await until(() => listening.server.stats().opening === 2);
    expect(await answer(listening.port)).toEqual([503, "10"]);
    silent.destroy();
    asking.destroy();
    await until(() => listening.server.stats().opening === 0);
  });

  it("of 0 lets nobody in, and of 2^53 everyone", async () => {
    for (const [maxConnections, status] of [
      [0, 503],
      [2 ** 31, 101],
      [2 ** 53, 101],
    ] as const) {
      await using listening = await Listening.start({ maxConnections });
      expect((await answer(listening.port))[0]).toBe(status);
    }
  });

  it("cuts off whoever comes while a thousand refused ones hold their sockets", async () => {
    await using listening = await Listening.start({ maxConnections: 0 });
    const peers: RawPeer[] = [];
    for (let i = 0; i < 1030; i++) {
      const peer = await RawPeer.connect(listening.port);
      peers.push(peer);
      if (i === 0) peer.write(request());
    }
    const last = peers.at(-1)!;
    await until(() => last.closed || last.ended);
    expect(last.pending).toBe(0);
    expect((await peers[0]!.readHead()).status).toBe(503);
    for (const peer of peers) peer.destroy();
  });

  it("holds for the requests of a web server", async () => {
    const web = createServer();
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    const server = new Server({ server: web, maxConnections: 1 });
    const ws = await connect(`ws://127.0.0.1:${port}/`);
    expect(await answer(port)).toEqual([503, "10"]);
    ws.terminate();
    await until(() => server.connections.size === 0);
    expect((await answer(port))[0]).toBe(101);
    await server.close();
    await new Promise((resolve) => web.close(resolve));
  });
});

describe("maxConnectionsPerAddress", () => {
  it("counts clients by their address, and what is still opening", async () => {
    await using listening = await Listening.start({ maxConnectionsPerAddress: 2 });
    const { client } = await listening.pair();
    const silent = await RawPeer.connect(listening.port);
    await until(() => listening.server.stats().opening === 1);
    expect(await answer(listening.port)).toEqual([503, "10"]);
    expect(listening.server.stats().refusals).toEqual({ address: 1 });
    silent.destroy();
    await until(() => listening.server.stats().opening === 0);
    const second = await listening.pair();
    expect((await answer(listening.port))[0]).toBe(503);
    for (const one of [client, second.client]) await one.close();
    await until(() => listening.server.connections.size === 0);
    expect((await answer(listening.port))[0]).toBe(101);
  });

  it("counts by the word of trusted proxies, and of nobody else", async () => {
    const from = (address: string): Parameters<typeof request>[0] => ({ "X-Forwarded-For": address });
    await using trusting = await Listening.start({ maxConnectionsPerAddress: 1, trustedProxies: ["127.0.0.1"] });
    const one = await RawPeer.open(trusting.port, from("9.9.9.9, 5.6.7.8"));
    expect((await trusting.connection()).address).toBe("5.6.7.8");
    const other = await RawPeer.open(trusting.port, from("5.6.7.9"));
    expect((await answer(trusting.port, from("5.6.7.8")))[0]).toBe(503);
    one.destroy();
    await until(() => trusting.server.connections.size === 1);
    expect((await answer(trusting.port, from("5.6.7.8")))[0]).toBe(101);
    other.destroy();

    await using wary = await Listening.start({ maxConnectionsPerAddress: 1 });
    const first = await RawPeer.open(wary.port, from("5.6.7.8"));
    expect((await wary.connection()).address).toBe("127.0.0.1");
    expect((await answer(wary.port, from("5.6.7.9")))[0]).toBe(503);
    first.destroy();
  });

  it("of 0 lets nobody in", async () => {
    await using listening = await Listening.start({ maxConnectionsPerAddress: 0 });
    expect((await answer(listening.port))[0]).toBe(503);
  });
});

describe("limits of the head", () => {
  it.each<[string, ServerOptions, status: number]>([
    ["maxHeadLength as it is", { maxHeadLength: 200 }, 101],
    ["maxHeadLength too small", { maxHeadLength: 100 }, 431],
    ["maxHeadLength 0", { maxHeadLength: 0 }, 431],
    ["maxHeaders as it is", { maxHeaders: 5 }, 101],
    ["maxHeaders too small", { maxHeaders: 4 }, 431],
    ["maxHeaders 0", { maxHeaders: 0 }, 431],
    ["no limits", { maxHeadLength: 2 ** 53, maxHeaders: 2 ** 31 }, 101],
  ])("%s", async (_, options, status) => {
    await using listening = await Listening.start(options);
    expect((await answer(listening.port))[0]).toBe(status);
  });

  it("hold for a client as well", async () => {
    await using listening = await Listening.start({ additionalHeaders: { "X-Long": "x".repeat(1000) } });
    for (const limits of [{ maxHeadLength: 1000 }, { maxHeaders: 3 }])
      await expect(connect(listening.url, limits)).rejects.toMatchObject({ code: "ERR_HANDSHAKE_HEAD" });
    const opened = next(listening.server, "connection");
    (await connect(listening.url, { maxHeadLength: 1200, maxHeaders: 4 })).terminate();
    await opened;
  });
});
