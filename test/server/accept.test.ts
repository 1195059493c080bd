import * as http from "node:http";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { Client, connect, Server, type ClientOptions, type RefusalError } from "../../src/index.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import { asHandshakeError, next, thrownBy, until } from "../helpers/until.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as net.AddressInfo).port;
}

function echoing(): Server {
  const server = new Server();
  server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
  return server;
}

/** Each way to bring a socket, as the two ends of one connection. */
const ways: [name: string, make: () => Promise<[server: unknown, client: unknown]>][] = [
  [
    "a socket of Node's",
    async () => {
      const accepted: net.Socket[] = [];
      const port = await listening(net.createServer({ pauseOnConnect: true }, (socket) => void accepted.push(socket)));
      const client = net.connect(port, "127.0.0.1");
      await until(() => accepted.length > 0 && !client.connecting);
      return [accepted[0], client];
    },
  ],
  [
    "a pair of web streams",
    () => {
      const [up, down] = [new TransformStream<Uint8Array>(), new TransformStream<Uint8Array>()];
      return Promise.resolve([
        { readable: up.readable, writable: down.writable },
        { readable: down.readable, writable: up.writable },
      ]);
    },
  ],
  ["a Transport", () => Promise.resolve(MemoryTransport.pipe())],
];

describe.each(ways)("Server.accept and a client's dial, with %s", (_name, make) => {
  it("open a connection, and accept resolves once it is closed", async () => {
    const server = echoing();
    const [accepted, dialed] = await make();
    let isOver = false;
    const over = server.accept(accepted).then(() => (isOver = true));
    const ws = await connect("ws://nowhere.example/room", { dial: () => dialed });
    expect([...server.connections][0]!.request!.path).toBe("/room");
    ws.send("Hi");
    expect(await ws.read()).toBe("Hi");
    expect(isOver).toBe(false);
    expect(await ws.close(1000, "done")).toEqual({ code: 1000, reason: "done", wasClean: true });
    await over;
    expect(server.connections.size).toBe(0);
  });

  it("refuse a request that breaks the rules, and accept resolves as well", async () => {
    const server = new Server({ path: "/here" });
    const refused = new Promise<RefusalError>((resolve) => server.once("refused", resolve));
    const [accepted, dialed] = await make();
    const over = server.accept(accepted);
    const error = asHandshakeError(await thrownBy(() => connect("ws://nowhere.example/there", { dial: () => dialed })));
    expect(error.status).toBe(404);
    expect((await refused).status).toBe(404);
    await over;
  });
});

describe("Server.accept", () => {
  it("resolves when the socket is closed before there was a request", async () => {
    const [accepted, other] = MemoryTransport.pipe();
    const over = new Server().accept(accepted);
    other.start({ data: () => undefined, end: () => undefined, close: () => undefined });
    other.end();
    await over;
    expect(accepted.bufferedAmount).toBe(0);
  });

  it("keeps the address that was asked for, of a transport that forgets it", async () => {
    const server = new Server();
    const [accepted, dialed] = MemoryTransport.pipe();
    const over = server.accept(accepted);
    const client = await connect("ws://nowhere.example", { dial: () => dialed });
    const [ws] = server.connections;
    expect(ws!.address).toBe("memory");
    await client.close();
    await over;
    Object.defineProperty(accepted, "remoteAddress", { value: undefined });
    expect(ws!.address).toBe("memory");
  });

  it("answers 503 once the server is closed", async () => {
    const server = new Server();
    await server.close();
    const [accepted, dialed] = MemoryTransport.pipe();
    const over = server.accept(accepted);
    const error = asHandshakeError(await thrownBy(() => connect("ws://nowhere.example", { dial: () => dialed })));
    expect(error.status).toBe(503);
    await over;
  });

  it.each([undefined, null, 5, "socket", {}, { readable: true, writable: true }])("refuses %o", async (socket) => {
    await expect(new Server().accept(socket)).rejects.toMatchObject({ code: "ERR_OPTION_TYPE" });
  });
});

describe("a client's dial", () => {
  it("has its opening handshake left out of bufferedAmount", async () => {
    const [dialed, other] = MemoryTransport.pipe();
    const client = new Client("ws://nowhere.example", { dial: () => dialed });
    client.on("error", () => undefined);
    await until(() => dialed.bufferedAmount > 0);
    expect(client.bufferedAmount).toBe(0);
    client.send("early");
    expect(client.bufferedAmount).toBe("early".length + 14);
    client.terminate();
    other.destroy();
  });

  it("learns where to go, and that TLS is its own affair", async () => {
    const targets: unknown[] = [];
    const dial: ClientOptions["dial"] = (target) => {
      targets.push({ ...target, signal: target.signal.aborted });
      throw new Error("not today");
    };
    for (const url of ["ws://a.example/x", "wss://[::1]:8443/", "wss://b.example"]) {
      const error = (await thrownBy(() => connect(url, { dial }))) as Error & { code: string };
      expect(error.code).toBe("ERR_CONNECT");
      expect(error.message).toContain("not today");
    }
    expect(targets).toEqual([
      { hostname: "a.example", port: 80, secure: false, signal: false },
      { hostname: "::1", port: 8443, secure: true, signal: false },
      { hostname: "b.example", port: 443, secure: true, signal: false },
    ]);
  });

  it("must be a function, and answer with a socket", async () => {
    const wrong = { dial: "socks5://127.0.0.1" } as unknown as ClientOptions;
    await expect(connect("ws://a.example", wrong)).rejects.toMatchObject({ code: "ERR_OPTION_TYPE" });
    const error = (await thrownBy(() => connect("ws://a.example", { dial: () => 5 }))) as Error & { cause: unknown };
    expect(error).toMatchObject({ code: "ERR_CONNECT", cause: { code: "ERR_OPTION_TYPE" } });
  });

  it("is told when the client gives up, and a socket that comes too late is destroyed", async () => {
    const [late] = MemoryTransport.pipe();
    const controller = new AbortController();
    let signal: AbortSignal | undefined;
    let answer: (socket: unknown) => void = () => undefined;
    const dial: ClientOptions["dial"] = (target) => {
      signal = target.signal;
      return new Promise((resolve) => (answer = resolve));
    };
    const opening = thrownBy(() => connect("ws://a.example", { dial, signal: controller.signal }));
    await until(() => signal !== undefined);
    controller.abort();
    expect(await opening).toMatchObject({ code: "ERR_ABORTED" });
    expect(signal!.aborted).toBe(true);
    answer(late);
    const closed = new Promise<void>((resolve) =>
      late.start({ data: () => undefined, end: () => undefined, close: () => resolve() }),
    );
    await closed;
  });

  it("may end its socket with the signal: that is not raised once the connection is open", async () => {
    const server = echoing();
    const port = await listening(net.createServer((socket) => void server.accept(socket)));
    const dial: ClientOptions["dial"] = ({ signal }) => net.connect({ port, host: "127.0.0.1", signal });
    const controller = new AbortController();
    const ws = await connect("ws://a.example", { dial, signal: controller.signal });
    controller.abort();
    ws.send("Hi");
    expect(await ws.read()).toBe("Hi");
    expect(await ws.close()).toMatchObject({ code: 1000, wasClean: true });
  });

  it("goes through an HTTP proxy", async () => {
    const server = echoing();
    const port = await listening(net.createServer((socket) => void server.accept(socket)));
    const proxy = http.createServer();
    proxy.on("connect", (request: http.IncomingMessage, down: Duplex) => {
      const up = net.connect(Number(request.url!.split(":")[1]), "127.0.0.1", () => {
        down.write("HTTP/1.1 200 OK\r\n\r\n");
        down.pipe(up).pipe(down);
      });
    });
    const proxyPort = await listening(proxy);
    const dial: ClientOptions["dial"] = (target) =>
      new Promise((resolve, reject) => {
        const path = `${target.hostname}:${target.port}`;
        const asked = http.request({
          port: proxyPort,
          host: "127.0.0.1",
          method: "CONNECT",
          path,
          signal: target.signal,
        });
        asked.once("connect", (_response, socket) => resolve(socket)).once("error", reject);
        asked.end();
      });
    const ws = await connect(`ws://127.0.0.1:${port}/`, { dial });
    ws.send("through");
    expect(await ws.read()).toBe("through");
    const closed = next(ws, "close");
    void ws.close();
    await closed;
  });
});
