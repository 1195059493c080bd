import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { X509Certificate } from "node:crypto";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { RefusalError, Server, connect, type UpgradeRequest } from "../../src/index.ts";
import { certificates } from "../helpers/certificates.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import { Listening } from "../helpers/peers.ts";
import { RawPeer, frame, op, request } from "../helpers/raw-peer.ts";
import { deferred, next, turns, until } from "../helpers/until.ts";

async function listening<Data>(
  options: ConstructorParameters<typeof Server<Data>>[0],
): Promise<{ server: Server<Data>; port: number; url: string }> {
  const server = new Server<Data>({ port: 0, host: "127.0.0.1", ...options });
  const { port } = (await server.listen()) as { port: number };
  return { server, port, url: `ws://127.0.0.1:${port}/` };
}

describe("the upgrade hook", () => {
  it("sees the request, and gives the connection data, a subprotocol and headers", async () => {
    const seen: UpgradeRequest[] = [];
    const server = new Server({
      port: 0,
      host: "127.0.0.1",
      acceptProtocols: ["a"],
      additionalHeaders: { "X-All": "1" },
      upgrade: async (asked) => {
        seen.push(asked);
        await turns(3);
        return { data: { name: "Ann" }, protocol: "b", headers: { "X-One": "2" } };
      },
    });
    expectTypeOf(server).toEqualTypeOf<Server<{ name: string }>>();
    const { port } = (await server.listen()) as { port: number };
    const opened = next(server as unknown as Server, "connection");
    const ws = await connect(`ws://127.0.0.1:${port}/chat?room=7`, {
      acceptProtocols: ["a", "b"],
      additionalHeaders: { Authorization: "Bearer x" },
    });
    const [connection] = await opened;
    expect(connection.data).toEqual({ name: "Ann" });
    expect([ws.protocol, ws.response!.headers.get("x-all"), ws.response!.headers.get("x-one")]).toEqual([
      "b",
      "1",
      "2",
    ]);
    const [asked] = seen;
    expect(asked).toMatchObject({ method: "GET", path: "/chat", query: "room=7", address: "127.0.0.1", secure: false });
    expect(asked!.headers.get("authorization")).toBe("Bearer x");
    expect(asked!.subprotocols).toEqual(["a", "b"]);
    expect(asked!.peerCertificate).toBeUndefined();
    expect(asked!.signal.aborted).toBe(false);
    expect(connection.address).toBe("127.0.0.1");
    ws.terminate();
    await server.close();
  });

  it("may be synchronous, and accepts by answering nothing", async () => {
    const { server, url } = await listening({ upgrade: () => undefined });
    const ws = await connect(url);
    expect([...server.connections][0]!.data).toBeUndefined();
    ws.terminate();
    await server.close();
  });

  it.each([
    ["answers", (error: RefusalError) => error],
    ["throws", (error: RefusalError) => Promise.reject(error)],
  ])("refuses with the status, the headers and the body of the RefusalError that it %s", async (_, refuse) => {
    const refusal = new RefusalError(401, "Who are you? é", { "WWW-Authenticate": 'Basic realm="chat"' });
    const { server, url } = await listening({ upgrade: () => refuse(refusal) });
    const refused = next(server as unknown as Server, "refused");
    await expect(connect(url)).rejects.toMatchObject({
      status: 401,
      body: new TextEncoder().encode("Who are you? é"),
      headers: expect.objectContaining({}) as object,
    });
    expect((await refused)[0]).toBe(refusal);
    expect(server.stats().refusals).toEqual({ upgrade: 1 });
    await server.close();
  });

  it("has a RefusalError checked where it is made", () => {
    for (const status of [200, 101, 304, 600, 99, NaN]) expect(() => new RefusalError(status)).toThrow(RangeError);
    expect(() => new RefusalError(403, "", { "X-A": "b\r\nX-C: d" })).toThrow(
      expect.objectContaining({ code: "ERR_HEADER" }),
    );
    expect(() => new RefusalError(403, "", { "Content-Length": "5" })).toThrow(
      expect.objectContaining({ code: "ERR_HEADER" }),
    );
  });

  it.each<[string, () => unknown]>([
    ["throws", () => expect.fail("my mistake")],
    ["rejects", () => Promise.reject(new Error("my mistake"))],
    ["answers false", () => false],
    ["answers null", () => null],
    ["answers with an unknown option", () => ({ dat: 1 })],
    ["chooses a subprotocol that was not offered", () => ({ protocol: "x" })],
    ["gives a header of the handshake's own", () => ({ headers: { Upgrade: "x" } })],
  ])("that %s is answered 500, and reported", async (_, upgrade) => {
    const { server, url } = await listening({ upgrade: upgrade as () => undefined });
    const errors: Error[] = [];
    server.on("error", (error) => errors.push(error));
    await expect(connect(url)).rejects.toMatchObject({ status: 500 });
    expect(errors).toHaveLength(1);
    expect(server.stats().refusals).toEqual({ error: 1 });
    // The server goes on.
    expect(server.connections.size).toBe(0);
    await server.close();
  });

  it("that throws is shown to the developer when nobody listens for errors", async () => {
    const shown = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { server, url } = await listening({ upgrade: () => Promise.reject(new Error("my mistake")) });
    await expect(connect(url)).rejects.toMatchObject({ status: 500 });
    expect(shown).toHaveBeenCalledOnce();
    shown.mockRestore();
    await server.close();
  });

  it("has handshakeTimeout for it, and then the client gets 503 and the signal is raised", async () => {
    const { server, url } = await listening({
      handshakeTimeout: 60,
      upgrade: ({ signal }) =>
        new Promise<object>((resolve) => signal.addEventListener("abort", () => resolve({ data: 1 }), { once: true })),
    });
    await expect(connect(url)).rejects.toMatchObject({ status: 503 });
    await turns();
    expect([server.connections.size, server.stats().refusals]).toEqual([0, { timeout: 1 }]);
    await server.close();
  });

  it("is told by the signal when the client goes, and what it decides then has no effect", async () => {
    const aborted = deferred();
    const { server, port } = await listening({
      upgrade: async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        aborted.resolve();
        return {};
      },
    });
    const opened = vi.fn();
    server.on("connection", opened).on("refused", opened);
    for (const leave of ["end", "reset"] as const) {
      const peer = await RawPeer.connect(port);
      peer.write(request());
      await until(() => server.stats().opening === 1);
      peer[leave]();
      await until(() => server.stats().opening === 0);
    }
    await aborted.promise;
    await turns();
    expect(opened).not.toHaveBeenCalled();
    await server.close();
  });

  it("has what comes meanwhile kept up to 64 KiB, then the client waits; all is delivered in order after the 101", async () => {
    const decision = deferred();
    const { server, port } = await listening({ upgrade: () => decision.promise });
    const peer = await RawPeer.connect(port);
    const total = 400;
    peer.write(Buffer.concat([Buffer.from(request()), frame(op.text, "0")]));
    for (let i = 1; i < total; i++) peer.write(frame(op.text, String(i).padEnd(50_000)));
    // More than what the system and the 64 KiB hold together: the rest stays with the client.
    let left = -1;
    await until(() => {
      const before = left;
      left = peer.socket.writableLength;
      return left === before && server.stats().opening === 1;
    });
    await turns(200);
    expect(peer.socket.writableLength).toBeGreaterThan(1 << 20);
    expect(peer.pending).toBe(0);
    const messages: string[] = [];
    server.on("connection", (ws) => void ws.on("message", (message) => void messages.push((message as string).trim())));
    decision.resolve();
    await until(() => messages.length === total);
    expect(messages).toEqual(Array.from({ length: total }, (_, i) => String(i)));
    expect((await peer.readHead()).status).toBe(101);
    peer.destroy();
    await server.close();
  });

  it("has what comes meanwhile kept also where the transport uses a Buffer again", async () => {
    const decision = deferred();
    const server = new Server({ upgrade: () => decision.promise });
    const [accepted, other] = MemoryTransport.pipe();
    const start = vi.spyOn(accepted, "start");
    const over = server.accept(accepted);
    other.write([Buffer.from(request())], () => undefined);
    // The reader of the request, and the connection.
    await until(() => start.mock.calls.length === 2);
    const chunk = Buffer.from(frame(op.text, "early"));
    start.mock.calls[1]![0].data(chunk);
    chunk.fill(0);
    const seen: unknown[] = [];
    server.on("connection", (ws) => {
      ws.on("message", (message) => void seen.push(message)).on("error", (error) => void seen.push(error));
    });
    decision.resolve();
    await until(() => seen.length > 0);
    expect(seen).toEqual(["early"]);
    other.destroy();
    await over;
  });

  it("decides about the requests of a web server too", async () => {
    const web = createServer();
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    const server = new Server({
      server: web,
      upgrade: async ({ path }) => {
        await turns(3);
        if (path !== "/in") throw new RefusalError(403, "Not here.");
        return { data: path };
      },
    });
    await expect(connect(`ws://127.0.0.1:${port}/out`)).rejects.toMatchObject({ status: 403 });
    // A client that is reset while the hook decides has no socket without an error listener.
    const peer = await RawPeer.connect(port);
    peer.write(request({}, "GET /in HTTP/1.1"));
    peer.reset();
    const ws = await connect(`ws://127.0.0.1:${port}/in`);
    ws.terminate();
    await server.close();
    await new Promise((resolve) => web.close(resolve));
  });

  it("sees the client's certificate", async () => {
    const certs = await certificates();
    const seen: (Uint8Array | undefined)[] = [];
    await using server = await Listening.start({
      tls: { ...certs.server, ca: certs.ca, verify: true },
      upgrade: ({ peerCertificate, secure }) => {
        seen.push(peerCertificate);
        expect(secure).toBe(true);
        return undefined;
      },
    });
    const ws = await connect(server.url, { tls: { ca: certs.ca, ...certs.client } });
    expect(new X509Certificate(seen[0]!).raw.equals(new X509Certificate(certs.client.cert).raw)).toBe(true);
    ws.terminate();
  });
});
