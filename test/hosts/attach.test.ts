import * as net from "node:net";
import * as tls from "node:tls";
import { WebSocket } from "ws";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { run, runtimes, type Program } from "../../e2e/run.ts";
import { noise } from "../helpers/bytes.ts";
import { certificates, type Certificates } from "../helpers/certificates.ts";
import { Ws } from "../helpers/peers.ts";
import { RawPeer, closePayload, frame, op, request } from "../helpers/raw-peer.ts";
import { until } from "../helpers/until.ts";

let certs: Certificates;
beforeAll(async () => {
  certs = await certificates();
});

type Scheme = "http" | "https";
type Web = Scheme | "paths" | "others" | "asking" | "detached" | "ended";

const MIB = 1 << 20;
const BLOCKS = 320;
let targets = 0;

/** The program under one runtime, and the ways to reach it. */
class Webs {
  readonly program: Program;
  readonly ports: Readonly<Record<Web, number>>;
  readonly #peers: { destroy(): unknown }[] = [];

  constructor(program: Program, ports: Record<Web, number>) {
    this.program = program;
    this.ports = ports;
  }

  /** One that no other test asks for, so that its lines in the output are its own. */
  target(path: string): string {
    return `${path}?${++targets}`;
  }

  /** The details of what happened to the connection at `target`, once it has. */
  async printed(target: string, event: string): Promise<unknown[]> {
    const start = JSON.stringify([target, event]).slice(0, -1).replace("?", "\\?");
    const [line] = await this.program.printed(new RegExp(`^${start.replace("[", "\\[")}.*$`, "m"));
    return (JSON.parse(line) as unknown[]).slice(2);
  }

  async connect(web: Web): Promise<RawPeer> {
    const peer = web === "https" ? await this.#connectSecurely() : await RawPeer.connect(this.ports[web]);
    this.#peers.push(peer);
    return peer;
  }

  async #connectSecurely(): Promise<RawPeer> {
    const socket = net.connect({ port: this.ports.https, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const secure = tls.connect({ socket, ca: certs.ca, servername: "localhost" });
    // A TLS socket answers the end of the stream with its own, unless it is told not to.
    secure.allowHalfOpen = true;
    await new Promise((resolve, reject) => secure.once("secureConnect", resolve).once("error", reject));
    return new RawPeer(secure);
  }

  async open(web: Web, target: string): Promise<RawPeer> {
    const peer = await this.connect(web);
    peer.write(request({}, `GET ${target} HTTP/1.1`));
    expect((await peer.readHead()).status).toBe(101);
    return peer;
  }

  async ws(web: Scheme, target: string): Promise<Ws> {
    const url = `${web.replace("http", "ws")}://localhost:${this.ports[web]}${target}`;
    const ws = new Ws(new WebSocket(url, { ca: certs.ca, perMessageDeflate: false }));
    this.#peers.push({ destroy: () => ws.socket.terminate() });
    await ws.opened;
    return ws;
  }

  /** Leaves nothing of a test behind for the next one. */
  async endAll(): Promise<void> {
    for (const peer of this.#peers.splice(0)) peer.destroy();
    while ((await this.get("/open")) !== 0);
  }

  /** What a plain request is answered with. */
  async get(path: string, web: Web = "http"): Promise<unknown> {
    const options = { headers: { connection: "close" } };
    return (await fetch(`http://127.0.0.1:${this.ports[web]}${path}`, options)).json();
  }

  /** The answer to `path` once it has been the same for a while, in which the program was never idle. */
  async settled(path: string, also: () => unknown = () => undefined): Promise<unknown> {
    let last: string | undefined;
    for (let same = 0; same < 20; same++) {
      const now = JSON.stringify([await this.get(path), also()]);
      if (now !== last) same = 0;
      last = now;
    }
    return (JSON.parse(last!) as unknown[])[0];
  }
}

describe.each(runtimes)("attach on %s", (runtime) => {
  let webs: Webs;
  beforeAll(async () => {
    const program = run(runtime, "test/hosts/programs/attach.mjs", JSON.stringify(certs.server));
    const [line] = await program.printed(/^\[\{.*$/m);
    webs = new Webs(program, (JSON.parse(line) as [Record<Web, number>])[0]);
  });
  afterEach(() => webs.endAll());
  afterAll(async () => {
    webs.program.child.kill("SIGKILL");
    expect((await webs.program.ended).stderr).toBe("");
  });

  describe.each(["http", "https"] as const)("to a server of node:%s", (scheme) => {
    it("carries messages up to 16 MiB both ways, and knows who sends them", async () => {
      const target = webs.target("/echo");
      const ws = await webs.ws(scheme, target);
      const messages = ["", "Grüße", noise(1), noise(70_000), noise(16 * MIB)];
      for (const message of messages) ws.socket.send(message);
      await until(() => ws.messages.length === messages.length);
      for (const [i, message] of messages.entries())
        expect(Buffer.from(message).equals(Buffer.from(ws.messages[i]!))).toBe(true);
      const [secure, address, port] = await webs.printed(target, "open");
      expect([secure, address, typeof port]).toEqual([scheme === "https", "127.0.0.1", "number"]);
      ws.socket.close(1000, "enough");
      expect(await ws.closed()).toEqual([[1000, "enough"]]);
      expect(await webs.printed(target, "close")).toEqual([1000, "enough"]);
    });

    it("loses nothing of what came in one packet with the request", async () => {
      const peer = await webs.connect(scheme);
      const frames = Array.from({ length: 50 }, (_, i) => frame(op.text, `message ${i}`));
      const large = noise(4 * MIB);
      peer.write(
        Buffer.concat([
          Buffer.from(request({}, `GET ${webs.target("/echo")} HTTP/1.1`)),
          ...frames,
          frame(op.binary, large),
        ]),
      );
      expect((await peer.readHead()).status).toBe(101);
      for (let i = 0; i < 50; i++) expect((await peer.readFrame()).payload.toString()).toBe(`message ${i}`);
      expect((await peer.readFrame()).payload.equals(large)).toBe(true);
    });

    it("takes a connection that had requests of another kind before", async () => {
      const peer = await webs.connect(scheme);
      for (const path of ["/one", "/two"]) {
        peer.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        const { status, headers } = await peer.readHead();
        const body = await peer.readBytes(Number(headers["content-length"]));
        expect([status, body.toString()]).toEqual([200, `"page ${path}"`]);
      }
      peer.write(request({}, "GET /echo HTTP/1.1"));
      expect((await peer.readHead()).status).toBe(101);
      peer.send(op.text, "at last");
      expect((await peer.readFrame()).payload.toString()).toBe("at last");
    });

    it("stops the peer while it is paused", async () => {
      const peer = await webs.open(scheme, webs.target("/paused"));
      const total = 40 * MIB;
      const bytes = frame(op.binary, Buffer.alloc(MIB));
      for (let sent = 0; sent < total; sent += MIB) peer.write(bytes);
      await webs.settled("/ready", () => peer.socket.writableLength);
      expect(peer.socket.writableLength).toBeGreaterThan(total / 2);
      await webs.get("/resume");
      peer.send(op.text, "how much?");
      expect((await peer.readFrame()).payload.toString()).toBe(String(total));
    });

    it("is told when the peer does not read, and keeps little for it", async () => {
      const target = webs.target("/blocks");
      const ws = await webs.ws(scheme, target);
      ws.socket.pause();
      const [sent, buffered] = (await webs.settled("/sent")) as [number, number];
      expect(sent).toBeLessThan(BLOCKS);
      expect(buffered).toBeLessThan(200_000);
      ws.socket.resume();
      expect(await ws.closed()).toEqual([[1000, "all sent"]]);
      expect(ws.messages.map(({ length }) => length)).toEqual(Array<number>(BLOCKS).fill(65_536));
      expect(await webs.printed(target, "close")).toEqual([1000, "all sent"]);
    });

    it("answers the end of the peer's stream with its own, behind what was sent; the code is 1006", async () => {
      const target = webs.target("/echo");
      const peer = await webs.open(scheme, target);
      const large = noise(8 * MIB);
      peer.send(op.binary, large);
      peer.end();
      expect((await peer.readFrame()).payload.equals(large)).toBe(true);
      await until(() => peer.closed);
      expect(await webs.printed(target, "close")).toEqual([1006, ""]);
    });

    it("survives a peer that vanishes", async () => {
      const target = webs.target("/echo");
      const peer = await webs.open(scheme, target);
      peer.destroy();
      expect(await webs.printed(target, "close")).toEqual([1006, ""]);
    });

    it("terminates", async () => {
      const target = webs.target("/terminate");
      const peer = await webs.open(scheme, target);
      peer.send(op.text, "now");
      await until(() => peer.ended);
      expect(peer.pending).toBe(0);
      expect(await webs.printed(target, "close")).toEqual([1006, ""]);
    });

    it.each([
      [400, { "Sec-WebSocket-Key": undefined }, "GET /echo HTTP/1.1"],
      [400, { "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="] }, "GET /echo HTTP/1.1"],
      [400, { "Content-Length": "5" }, "GET /echo HTTP/1.1"],
      [405, {}, "POST /echo HTTP/1.1"],
      [426, { "Sec-WebSocket-Version": "7" }, "GET /echo HTTP/1.1"],
      [426, {}, "GET /echo HTTP/1.0"],
    ])("refuses with %i, and closes", async (status, changes, line) => {
      const peer = await webs.connect(scheme);
      peer.write(request(changes, line));
      const head = await peer.readHead();
      expect(head.status).toBe(status);
      expect(head.headers["connection"]).toMatch(/^close/);
      const body = await peer.rest();
      expect(body.length).toBe(Number(head.headers["content-length"]));
      peer.end();
      await until(() => peer.closed);
    });
  });

  it("leaves requests alone that are not for a WebSocket", async () => {
    for (const changes of [{ Connection: "keep-alive" }, { Upgrade: undefined }]) {
      const peer = await webs.connect("http");
      peer.write(request(changes, "GET /page HTTP/1.1"));
      const { status, headers } = await peer.readHead();
      expect([status, headers["content-length"]]).toEqual([200, "12"]);
    }
    expect(await webs.get("/page")).toBe("page /page");
  });

  it("fails a connection whose peer sends something else than frames", async () => {
    const target = webs.target("/echo");
    const peer = await webs.connect("http");
    peer.write(request({}, `GET ${target} HTTP/1.1`).repeat(2));
    expect((await peer.readHead()).status).toBe(101);
    expect((await peer.readClose()).code).toBe(1002);
    await until(() => peer.ended);
    peer.end();
    expect(await webs.printed(target, "error")).toEqual(["ERR_PROTOCOL"]);
    expect(await webs.printed(target, "close")).toEqual([1006, ""]);
  });

  it("survives a peer that resets the connection", async () => {
    const target = webs.target("/echo");
    const peer = await webs.open("http", target);
    peer.reset();
    expect(await webs.printed(target, "close")).toEqual([1006, ""]);
  });

  it("tells two servers apart by their path, and answers with 404 in their place", async () => {
    const [echoing, terminating] = [await webs.open("paths", "/echo"), await webs.open("paths", "/terminate")];
    echoing.send(op.text, "here");
    expect((await echoing.readFrame()).payload.toString()).toBe("here");
    terminating.send(op.text, "there");
    await until(() => terminating.ended);
    for (const target of ["/", "/echo/", "/Echo"]) {
      const peer = await webs.connect("paths");
      peer.write(request({}, `GET ${target} HTTP/1.1`));
      expect([target, (await peer.readHead()).status]).toEqual([target, 404]);
    }
  });

  it("leaves to another listener of `upgrade` what no server takes", async () => {
    const own = await webs.open("others", "/echo");
    const other = await webs.connect("others");
    other.write(request({}, "GET /other HTTP/1.1"));
    expect((await other.rest()).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nother$/s);
    own.send(op.text, "still mine");
    expect((await own.readFrame()).payload.toString()).toBe("still mine");
    // Nobody takes this one, so nobody answers it.
    const third = await webs.connect("others");
    third.write(request({}, "GET /third HTTP/1.1"));
    await webs.settled("/ready");
    expect([third.ended, third.pending]).toEqual([false, 0]);
  });

  it("takes a request that was decided on late, with all that has come by then", async () => {
    const target = webs.target("/echo");
    const peer = await webs.connect("asking");
    const large = noise(4 * MIB);
    peer.write(Buffer.concat([Buffer.from(request({}, `GET ${target} HTTP/1.1`)), frame(op.text, "first")]));
    await webs.printed(target, "asking");
    peer.send(op.binary, large);
    peer.send(op.text, "last");
    await webs.settled("/ready");
    expect(peer.pending).toBe(0);
    await webs.get("/decide");
    expect((await peer.readHead()).status).toBe(101);
    expect((await peer.readFrame()).payload.toString()).toBe("first");
    expect((await peer.readFrame()).payload.equals(large)).toBe(true);
    expect((await peer.readFrame()).payload.toString()).toBe("last");
    await webs.settled("/ready");
    peer.send(op.text, "after a while");
    expect((await peer.readFrame()).payload.toString()).toBe("after a while");
    peer.destroy();
    expect(await webs.printed(target, "close")).toEqual([1006, ""]);
  });

  it.each(["end", "destroy", "reset"] as const)("takes one whose client has gone by then: %s", async (how) => {
    const target = webs.target("/echo");
    const peer = await webs.connect("asking");
    peer.write(request({}, `GET ${target} HTTP/1.1`));
    await webs.printed(target, "asking");
    peer[how]();
    await webs.settled("/ready");
    await webs.get("/decide");
    expect(await webs.printed(target, "close")).toEqual([1006, ""]);
  });

  it("leaves the web server running when it closes", async () => {
    const target = webs.target("/echo");
    const peer = await webs.open("detached", target);
    const closed = webs.get("/detach");
    expect(await peer.readClose()).toEqual({ code: 1001, reason: "" });
    expect(await webs.get("/page", "detached")).toBe("page /page");
    const status = async (): Promise<number> => {
      const other = await webs.connect("detached");
      other.write(request({}, "GET /echo HTTP/1.1"));
      return (await other.readHead()).status;
    };
    // As long as it drains.
    expect(await status()).toBe(503);
    peer.send(op.close, closePayload(1001));
    await until(() => peer.ended);
    peer.end();
    expect(await closed).toBe("closed");
    expect(await webs.printed(target, "close")).toEqual([1001, ""]);
    // Then it is no listener any more, and without one the request is like any other.
    expect(await status()).toBe(200);
  });

  it("goes on with its connections when the web server closes, which ends behind the last of them", async () => {
    const target = webs.target("/echo");
    const peer = await webs.open("ended", target);
    await webs.get("/end");
    await webs.settled("/ready");
    await expect(webs.connect("ended")).rejects.toThrow("ECONNREFUSED");
    peer.send(op.text, "still here");
    expect((await peer.readFrame()).payload.toString()).toBe("still here");
    peer.send(op.close, closePayload(1000));
    expect((await peer.readClose()).code).toBe(1000);
    peer.end();
    await webs.program.printed(/^\["ended"\]$/m);
    expect(await webs.printed(target, "close")).toEqual([1000, ""]);
  });

  it("refuses the runtime's own kind of web server, which has no `upgrade` event", async () => {
    expect(await webs.get("/serve")).toBe("ERR_OPTION_TYPE");
  });
});
