import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { closePayload, frame, op, RawPeer, request } from "../../helpers/raw-peer.ts";
import { next, plateau, until } from "../../helpers/until.ts";
import { Workerd } from "../../helpers/workerd.ts";

let workerd: Workerd;
beforeAll(async () => {
  workerd = await Workerd.start({
    sockets: {
      main: {},
      lingering: { entrypoint: "lingering" },
      leaving: { entrypoint: "leaving" },
      throwing: { entrypoint: "throwing" },
    },
  });
});
afterAll(() => workerd[Symbol.asyncDispose]());

const open = (path: string, socket = "main"): Promise<RawPeer> => RawPeer.open(workerd.ports.get(socket)!, {}, path);

/** Resolves once the worker has logged it. */
async function logged(entry: string, times = 1): Promise<void> {
  for (;;) {
    const log = await workerd.ask<string[]>("/log");
    if (log.filter((each) => each === entry).length >= times) return;
  }
}

async function lives(socket = "main"): Promise<void> {
  const ws = await connect(workerd.url(socket, "/echo"));
  ws.send("alive");
  expect(await ws.read()).toBe("alive");
  expect(await ws.close()).toMatchObject({ wasClean: true });
}

describe("a socket of a connect handler", () => {
  it("carries messages of all sizes, and is closed cleanly by either side", async () => {
    const ws = await connect(workerd.url("main", "/echo"));
    for (const size of [0, 1, 125, 126, 16_384, 65_535, 65_536, 1 << 22]) {
      ws.send(noise(size, size));
      ws.send("é".repeat(size >> 3));
      expect(equal((await ws.read()) as Uint8Array, noise(size, size))).toBe(true);
      expect(await ws.read()).toBe("é".repeat(size >> 3));
    }
    expect(await ws.close(4000, "done")).toEqual({ code: 4000, reason: "done", wasClean: true });
    await logged("/echo close 4000");
    await logged("accepted to the end");
  });

  it("has its messages as streams, too", async () => {
    const peer = await open("/pipe");
    peer.send(op.text, "through");
    expect((await peer.readFrame()).payload.toString()).toBe("through");
    peer.send(op.close);
    expect(await peer.readClose()).toEqual({ code: undefined, reason: "" });
    peer.end();
    await logged("/pipe close 1005");
  });

  it("knows its peer's address; the codec was compiled while the worker was loaded", async () => {
    const peer = await open("/about");
    const { payload } = await peer.readFrame();
    expect(JSON.parse(payload.toString())).toEqual({
      remoteAddress: "127.0.0.1",
      remotePort: peer.socket.localPort,
      secure: false,
      raw: "[object Socket]",
      build: "simd",
    });
    peer.destroy();
  });

  it("refuses what is no opening handshake", async () => {
    const peer = await RawPeer.connect(workerd.ports.get("main")!);
    peer.write(request({ "Sec-WebSocket-Version": "7" }));
    expect((await peer.readHead()).status).toBe(426);
    await until(() => peer.ended);
    peer.end();
    await logged("refused 426");
  });

  it("sends all there is to a peer that has ended its stream, then ends its own", async () => {
    const peer = await RawPeer.connect(workerd.ports.get("main")!);
    peer.write(request({}, "GET /large HTTP/1.1"));
    peer.end();
    expect((await peer.readHead()).status).toBe(101);
    expect((await peer.readFrame()).payload.length).toBe(1 << 20);
    expect(await peer.rest()).toHaveLength(0);
    await logged("/large close 1006");
  });

  it("is ended by the server first, and hears the peer until that ends too (RFC 6455 §7.1.1)", async () => {
    const peer = await open("/closing");
    peer.send(op.close, closePayload(4002));
    expect((await peer.readClose()).code).toBe(4002);
    expect(await peer.rest()).toHaveLength(0);
    expect(peer.closed).toBe(false);
    peer.end();
    await logged("/closing close 4002");
  });

  it("holds the peer back while the connection is paused, though nothing else happens in the handler", async () => {
    const peer = await open("/pause");
    const block = frame(op.binary, noise(1 << 16));
    for (let i = 0; i < 512; i++) peer.write(block);
    expect(await plateau(() => peer.socket.writableLength)).toBeGreaterThan(1 << 22);
    const other = await open("/resume");
    other.send(op.text, "go");
    for (let i = 0; i < 512; i++) expect((await peer.readFrame()).payload.length).toBe(1 << 16);
    peer.destroy();
    other.destroy();
  });

  it("is reported as broken when the peer resets it", async () => {
    const peer = await open("/reset");
    await logged("/reset open");
    peer.reset();
    await logged("/reset close 1006");
    expect(await workerd.ask<string[]>("/log")).toContain("/reset error ERR_TRANSPORT");
    await lives();
  });

  it.each(["main", "lingering"])("is ended at once by terminate (%s)", async (socket) => {
    const peer = await open("/terminate", socket);
    peer.send(op.text, "now");
    expect(await peer.rest()).toHaveLength(0);
    await logged("/terminate close 1006");
    peer.destroy();
  });

  it("is given up by terminate while much is on its way to a peer that does not read", async () => {
    const peer = await open("/flood");
    peer.socket.pause();
    peer.send(op.text, "now");
    await logged("/flood close 1006");
    peer.socket.resume();
    expect((await peer.rest()).length).toBeLessThan(1 << 24);
    peer.destroy();
    await lives();
  });
});

describe("a handler", () => {
  it("of a listener that throws loses its own connection, with 1011", async () => {
    const [bystander, peer] = await Promise.all([open("/echo"), open("/throw")]);
    peer.send(op.text, "x");
    expect((await peer.readClose()).code).toBe(1011);
    peer.destroy();
    bystander.send(op.text, "still there");
    expect((await bystander.readFrame()).payload.toString()).toBe("still there");
    bystander.destroy();
  });

  it.each(["leaving", "throwing"])("takes its connection along when it is over (%s)", async (socket) => {
    const bystander = await open("/echo");
    const peer = await open(`/${socket}`, socket);
    peer.send(op.text, "go");
    expect(await peer.rest()).toHaveLength(0);
    await logged(`/${socket} close 1006`);
    peer.destroy();
    bystander.send(op.text, "still there");
    expect((await bystander.readFrame()).payload.toString()).toBe("still there");
    bystander.destroy();
    await lives();
  });
});

describe("connections of other handlers", () => {
  it("get what a listener, or an HTTP handler, sends to all", async () => {
    const peers = await Promise.all([open("/broadcast"), open("/broadcast"), open("/broadcast")]);
    const all = async (text: string): Promise<void> => {
      for (const peer of peers) expect((await peer.readFrame()).payload.toString()).toBe(text);
    };
    for (const [i, peer] of peers.entries()) {
      peer.send(op.text, `from ${i}`);
      await all(`from ${i}`);
      await workerd.ask("/broadcast", `from HTTP ${i}`);
      await all(`from HTTP ${i}`);
    }
    for (const peer of peers) peer.destroy();
  });

  it("are closed, and terminated, from there", async () => {
    const peer = await open("/closing");
    const other = await connect(workerd.url("main", "/closing"));
    const closed = next(other, "close");
    const asked = workerd.ask("/close");
    expect(await peer.readClose()).toEqual({ code: 4001, reason: "from elsewhere" });
    peer.send(op.close, closePayload(4001));
    peer.end();
    expect(await closed).toEqual([4001, "from elsewhere"]);
    await asked;
    const last = await open("/closing");
    await workerd.ask("/terminate");
    expect(await last.rest()).toHaveLength(0);
    last.destroy();
  });
});

it("listen says how it is done here", async () => {
  expect(await workerd.ask("/listen")).toMatchObject({
    name: "ConnectionError",
    code: "ERR_UNSUPPORTED",
    message: expect.stringMatching(/Server\.accept/),
  });
});
