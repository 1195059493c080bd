import { EventEmitter } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { createRequire } from "node:module";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer } from "ws";
import { afterEach, describe, expect, it } from "vitest";
import { connect, Server, type Message, type ServerConnection, type ServerOptions } from "../../src/index.ts";
import { certificates } from "../helpers/certificates.ts";
import { RawPeer, frame, op, request } from "../helpers/raw-peer.ts";
import { asHandshakeError, next, thrownBy, until } from "../helpers/until.ts";

// Not all of them bring types.
const require = createRequire(import.meta.url);
const webs: http.Server[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    for (const connection of server.connections) connection.terminate();
    await server.close();
  }
  for (const web of webs.splice(0)) {
    web.closeAllConnections();
    await new Promise((resolve) => web.close(resolve));
  }
});

const portOf = (web: http.Server): number => (web.address() as AddressInfo).port;
const urlOf = (web: http.Server, path = "/"): string => `ws://localhost:${portOf(web)}${path}`;

/** A web server of Node's own, that answers "web" to everything. */
async function start(web: http.Server = http.createServer()): Promise<http.Server> {
  web.on("request", (message: http.IncomingMessage, response: http.ServerResponse) => {
    response.end(`web ${message.url}`);
  });
  webs.push(web);
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  return web;
}

/** A server that says its name to whoever connects. */
function greeter(name: string, options: ServerOptions): Server {
  const server = new Server(options);
  servers.push(server);
  server.on("connection", (connection: ServerConnection) => {
    connection.send(name);
    connection.on("message", (message: Message) => connection.send(message));
  });
  return server;
}

async function greeting(url: string, options?: Parameters<typeof connect>[1]): Promise<Message | undefined> {
  const client = await connect(url, options);
  const message = await client.read();
  expect((await client.close()).wasClean).toBe(true);
  return message;
}

async function statusOf(url: string): Promise<number> {
  return asHandshakeError(await thrownBy(() => connect(url))).status;
}

const get = async (web: http.Server, path: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${portOf(web)}${path}`, { headers: { connection: "close" } })).text();

describe("attach", () => {
  it("takes the WebSocket requests of an http server, and leaves it the others", async () => {
    const web = await start();
    const server = greeter("hybi", { server: web });
    expect(await greeting(urlOf(web, "/any?thing"))).toBe("hybi");
    expect(await get(web, "/page")).toBe("web /page");
    const client = await connect(urlOf(web));
    client.send("echo");
    expect([await client.read(), await client.read()]).toEqual(["hybi", "echo"]);
    expect(await get(web, "/page2")).toBe("web /page2");
    expect(server.connections.size).toBe(1);
    await client.close();
    expect(server.address).toBeUndefined();
  });

  it("takes those of an https server", async () => {
    const { ca, server: identity } = await certificates();
    const web = await start(https.createServer(identity));
    const server = greeter("secure", {});
    expect(server.attach(web)).toBe(server);
    const opened = next(server, "connection");
    const url = urlOf(web).replace("ws:", "wss:");
    expect(await greeting(url, { tls: { ca } })).toBe("secure");
    expect((await opened)[0].socket!.secure).toBe(true);
  });

  it("tells several servers on one port apart by their path", async () => {
    const web = await start();
    greeter("chat", { server: web, path: "/chat" });
    greeter("news", { server: web, path: "/news" });
    expect(await greeting(urlOf(web, "/chat"))).toBe("chat");
    expect(await greeting(urlOf(web, "/news?since=1"))).toBe("news");
    expect(web.listenerCount("upgrade")).toBe(1);
    for (const path of ["/", "/chat/", "/chatter", "/CHAT", "/%63hat"])
      expect(await statusOf(urlOf(web, path))).toBe(404);
  });

  it("answers what no server takes with 404, and a broken request with its own status", async () => {
    const web = await start();
    const server = greeter("chat", { server: web, path: "/chat" });
    const refused: number[] = [];
    server.on("refused", ({ status }) => refused.push(status));
    expect(await statusOf(urlOf(web, "/other"))).toBe(404);
    for (const [target, changes, status] of [
      ["/chat", { "Sec-WebSocket-Version": "7" }, 426],
      ["/chat", { "Sec-WebSocket-Key": undefined }, 400],
      ["http://localhost/chat", {}, 400],
      ["//chat", {}, 400],
      ["/chat", { Upgrade: "h2c" }, 426],
    ] as const) {
      const peer = await RawPeer.connect(portOf(web));
      peer.write(request(changes, `GET ${target} HTTP/1.1`));
      expect([target, (await peer.readHead()).status]).toEqual([target, status]);
      peer.end();
      await until(() => peer.ended);
    }
    expect(refused).toEqual([404, 426, 400, 400, 400, 426]);
  });

  it.each(["before", "behind"])("leaves another listener of `upgrade` alone that stands %s its own", async (where) => {
    const web = await start();
    if (where === "behind") greeter("hybi", { server: web, path: "/hybi" });
    const other = new WebSocketServer({ noServer: true });
    web.on("upgrade", (message, socket, head) => {
      if (message.url !== "/ws") return;
      other.handleUpgrade(message, socket, head, (connection) => connection.send("ws"));
    });
    if (where === "before") greeter("hybi", { server: web, path: "/hybi" });
    expect(await greeting(urlOf(web, "/ws"))).toBe("ws");
    expect(await greeting(urlOf(web, "/hybi"))).toBe("hybi");
    expect(await greeting(urlOf(web, "/ws"))).toBe("ws");
  });

  it("detaches on close, and lets the web server go on", async () => {
    const web = await start();
    const first = greeter("first", { server: web, path: "/first" });
    const second = greeter("second", { server: web, path: "/second" });
    const client = await connect(urlOf(web, "/first"));
    const closed = next(client, "close");
    await first.close();
    expect(await closed).toEqual([1001, ""]);
    expect(web.listenerCount("upgrade")).toBe(1);
    expect(await statusOf(urlOf(web, "/first"))).toBe(404);
    expect(await greeting(urlOf(web, "/second"))).toBe("second");
    await second.close();
    expect(web.listenerCount("upgrade")).toBe(0);
    expect(await get(web, "/still")).toBe("web /still");
    // And can be attached to again.
    greeter("third", { server: web });
    expect(await greeting(urlOf(web, "/second"))).toBe("third");
  });

  it("may be attached to two web servers, and listen on a port of its own besides", async () => {
    const [one, two] = [await start(), await start()];
    const server = greeter("everywhere", { server: one, port: 0, host: "127.0.0.1" }).attach(two);
    const { port } = (await server.listen()) as { port: number };
    for (const url of [urlOf(one), urlOf(two), `ws://127.0.0.1:${port}/`])
      expect(await greeting(url)).toBe("everywhere");
    await server.close();
    expect([one.listenerCount("upgrade"), two.listenerCount("upgrade")]).toEqual([0, 0]);
  });

  it("delivers the frames that came right behind the request, in order", async () => {
    const web = await start();
    greeter("hello", { server: web });
    const peer = await RawPeer.connect(portOf(web));
    const frames = Array.from({ length: 50 }, (_, i) => frame(op.text, `message ${i}`));
    peer.write(Buffer.concat([Buffer.from(request()), ...frames]));
    expect((await peer.readHead()).status).toBe(101);
    expect((await peer.readFrame()).payload.toString()).toBe("hello");
    for (let i = 0; i < 50; i++) expect((await peer.readFrame()).payload.toString()).toBe(`message ${i}`);
    peer.destroy();
  });

  it.each([
    ["Express's application", require("express")()],
    ["Koa's", new (require("koa"))()],
    ["Fastify's", require("fastify")()],
    ["Hono's", new (require("hono").Hono)()],
    ["a plain emitter", new EventEmitter()],
    ["a listener", () => undefined],
    ["a port", 3000],
    ["null", null],
  ])("refuses what does not listen: %s", async (_, wrong: http.Server) => {
    for (const attach of [() => new Server({ server: wrong }), () => new Server().attach(wrong)]) {
      const error = await thrownBy(attach);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.code).toBe("ERR_OPTION_TYPE");
      expect(error.message).toMatch(/^server must be a web server with an "upgrade" event, as node:http/);
    }
  });

  it("does not follow the web server's timeouts once a connection is open", async () => {
    const web = http.createServer({ keepAliveTimeout: 20, requestTimeout: 0, headersTimeout: 0 });
    web.timeout = 20;
    await start(web);
    greeter("hello", { server: web });
    const client = await connect(urlOf(web));
    const { socket } = [...servers[0]!.connections][0]!;
    expect((socket!.raw as Socket).timeout ?? 0).toBe(0);
    await client.close();
  });
});
