import * as http from "node:http";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeServer } from "../../../src/driver.ts";
import { Server, type Message } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { RawPeer, closePayload, frame, op, request } from "../../helpers/raw-peer.ts";
import { Recording, next, plateau, turns, until } from "../../helpers/until.ts";
import { Web } from "../../helpers/web.ts";

let web: Web;
beforeEach(async () => {
  web = await Web.listen();
});
afterEach(() => web.close());

/** Two streams, of which each reads what is written to the other. */
function duplexPair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _, done) => {
        setImmediate(() => {
          other().push(chunk);
          done();
        });
      },
      final: (done) => {
        other().push(null);
        done();
      },
    });
  const near: Duplex = make(() => far);
  const far: Duplex = make(() => near);
  return [near, far];
}

describe("a socket that a web server hands out", () => {
  it("is not touched by a call with a mistake in it", () => {
    const socket = new Duplex({ read: () => undefined });
    const env = { method: "GET", url: "/", headers: {}, socket, head: Buffer.from("head") };
    expect(() => makeServer(env, { maxLength: -1 })).toThrow(RangeError);
    expect(socket.eventNames()).toEqual([]);
    expect(socket.readableLength).toBe(0);
  });

  it.each([
    ["past it", 0, () => undefined],
    [
      "by it, where somebody has put their own `write` there",
      1,
      (socket: net.Socket) => (socket.write = (...args: [never]) => net.Socket.prototype.write.apply(socket, args)),
    ],
  ])("is written %s", async (_, calls, change) => {
    // The first write of all shows what Node's requests are.
    for (const isFirst of [true, false]) {
      const peer = await RawPeer.connect(web.port);
      peer.write(request());
      const environment = await web.environment();
      change(environment.socket as net.Socket);
      const server = makeServer(environment);
      server.startConnection();
      expect((await peer.readHead()).status).toBe(101);
      const write = vi.spyOn(net.Socket.prototype, "write");
      server.send("hello");
      expect((await peer.readFrame()).payload.toString()).toBe("hello");
      if (!isFirst) expect(write).toHaveBeenCalledTimes(calls);
      write.mockRestore();
      peer.destroy();
    }
  });

  it("may be any stream of Node's", async () => {
    const [near, far] = duplexPair();
    const { headers } = new http.IncomingMessage(null as never);
    for (const line of request().split("\r\n").slice(1, -2)) {
      const [name, value] = line.split(": ") as [string, string];
      headers[name.toLowerCase()] = value;
    }
    const server = makeServer({ method: "GET", url: "/", headers, socket: far, head: frame(op.text, "head") });
    const recording = new Recording(server);
    server.startConnection();
    expect(server.socket).toMatchObject({ remoteAddress: undefined, remotePort: undefined, secure: false, raw: far });
    const peer = new RawPeer(near as never);
    expect((await peer.readHead()).status).toBe(101);
    peer.write(frame(op.binary, noise(200_000)));
    await until(() => recording.messages.length === 2);
    expect(recording.messages[0]).toBe("head");
    expect(equal(recording.messages[1] as Uint8Array, noise(200_000))).toBe(true);
    server.send("back");
    expect((await peer.readFrame()).payload.toString()).toBe("back");
    peer.send(op.close, closePayload(1000));
    expect(await peer.readClose()).toEqual({ code: 1000, reason: "" });
    peer.end();
    expect(await recording.closed()).toEqual([[1000, ""]]);
  });

  it("is read no further while the user makes up their mind, and then gives all in order", async () => {
    const peer = await RawPeer.connect(web.port);
    const blocks = Array.from({ length: 256 }, (_, i) => frame(op.binary, noise(1 << 16, i)));
    peer.write(Buffer.concat([Buffer.from(request()), frame(op.text, "first"), ...blocks.slice(0, 2)]));
    const environment = await web.environment();
    const server = makeServer(environment);
    for (const block of blocks.slice(2)) peer.write(block);
    // An answer from a database, say, is awaited here.
    expect(await plateau(() => peer.socket.writableLength)).toBeGreaterThan(1 << 22);
    const messages: Message[] = [];
    server.on("message", (message) => messages.push(message));
    expect(peer.pending).toBe(0);
    server.startConnection();
    await until(() => messages.length === 257);
    expect(messages[0]).toBe("first");
    for (let i = 0; i < 256; i++) expect(equal(messages[i + 1] as Uint8Array, noise(1 << 16, i))).toBe(true);
    peer.destroy();
  });

  it.each(["reset", "end", "destroy"] as const)("may be gone (%s) before the connection is started", async (way) => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request());
    const environment = await web.environment();
    const server = makeServer(environment);
    const recording = new Recording(server);
    peer[way]();
    // A reset is not seen before the socket is read, or written to.
    await turns();
    server.startConnection();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    peer.destroy();
  });

  it("is ended when the connection is terminated instead of started", async () => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request());
    const server = await web.makeServer();
    const recording = new Recording(server);
    server.terminate();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(server.startConnection()).toBe(false);
    expect(await peer.rest()).toHaveLength(0);
  });

  it("is refused with 400 when the web server let a bad request through", async () => {
    const peer = await RawPeer.connect(web.port);
    peer.write(request({ "Content-Length": "3" }) + "abc");
    // node:http does not take a request with content for an upgrade of its own; whoever calls hybi may.
    const sockets: Duplex[] = [];
    web.server.on("connection", (socket: Duplex) => sockets.push(socket));
    const other = await RawPeer.connect(web.port);
    await until(() => sockets.length === 1);
    const server = new Server();
    const refused = next(server, "refused");
    const fields = request({ "Content-Length": "3" }).split("\r\n").slice(1, -2);
    server.upgrade({
      method: "GET",
      url: "/",
      headers: fields.map((field) => field.split(": ") as [string, string]),
      socket: sockets[0],
    });
    expect((await refused)[0]).toMatchObject({ status: 400 });
    expect((await other.readHead()).status).toBe(400);
    other.destroy();
    peer.destroy();
    await server.close();
  });
});
