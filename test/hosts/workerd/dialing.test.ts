import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import { Listening } from "../../helpers/peers.ts";
import { RawServer, frame, op, type RawPeer } from "../../helpers/raw-peer.ts";
import { until } from "../../helpers/until.ts";
import { Workerd } from "../../helpers/workerd.ts";

interface Outcome {
  readonly answer?: string;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly secure?: boolean;
  readonly error?: { name: string; code: string; message: string; cause?: { code?: string; message: string } };
}

let workerd: Workerd;
beforeAll(async () => {
  workerd = await Workerd.start();
});
afterAll(() => workerd[Symbol.asyncDispose]());

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

const dial = (body: object): Promise<Outcome> => workerd.ask<Outcome>("/dial", body);

const logged = async (entry: string): Promise<void> => {
  while (!(await workerd.ask<string[]>("/log")).includes(entry));
};

/** Resolves once the other side has ended, and not merely half of it: what is sent then meets a reset. */
async function gone(peer: RawPeer): Promise<void> {
  await peer.rest();
  await until(() => (peer.write("x"), peer.closed));
}

describe("a socket that a worker dials", () => {
  it("reaches a server, and is closed cleanly", async () => {
    await using listening = await Listening.start();
    listening.server.on("connection", (ws) => ws.on("message", (message) => ws.send(`${String(message)}!`)));
    expect(await dial({ url: `ws://127.0.0.1:${listening.port}/` })).toEqual({
      answer: "Hi!",
      remoteAddress: "127.0.0.1",
      remotePort: listening.port,
      secure: false,
    });
    await until(() => listening.server.connections.size === 0);
  });

  it.each([
    ["that nobody listens at", { url: "ws://127.0.0.1:1/" }, /cannot connect/],
    ["that no network service allows", { url: "ws://192.0.2.1/", options: { handshakeTimeout: 5000 } }, /./],
    ["that has no name", { url: "ws://nowhere.invalid/" }, /cannot connect/],
  ])("fails with ERR_CONNECT at an address %s", async (_, body, why) => {
    const { error } = await dial(body);
    expect(error).toMatchObject({ name: "ConnectionError", code: "ERR_CONNECT" });
    expect(error!.message).toMatch(why);
  });

  it("is no Unix domain socket", async () => {
    const { error } = await dial({ url: "ws+unix:/tmp/a.sock:/" });
    expect(error).toMatchObject({ code: "ERR_CONNECT", cause: { code: "ERR_UNSUPPORTED" } });
    expect(error!.message).toMatch(/Unix domain sockets/);
  });

  it.each([
    ["ca", /"ca" goes to "trustedCertificates".*configuration/],
    ["cert", /"keypair".*configuration/],
    ["key", /"keypair".*configuration/],
    ["passphrase", /"keypair".*configuration/],
    ["verify", /"trustedCertificates".*configuration/],
  ])("has no TLS option %s, and says where it goes", async (name, where) => {
    const tls = { [name]: name === "verify" ? false : "x" };
    const { error } = await dial({ url: `wss://127.0.0.1:${raw.port}/`, options: { tls } });
    expect(error).toMatchObject({ code: "ERR_CONNECT", cause: { code: "ERR_UNSUPPORTED" } });
    expect(error!.message).toMatch(where);
  });

  it.each([
    ["AbortSignal", { abortAfter: 50 }, "ERR_ABORTED"],
    ["AbortSignal that is raised already", { abortAfter: 0 }, "ERR_ABORTED"],
    ["end of handshakeTimeout", { options: { handshakeTimeout: 50 } }, "ERR_HANDSHAKE_TIMEOUT"],
  ] as const)("is given up at the %s, while the handler goes on", async (_, body, code) => {
    const asked = dial({ url: raw.url, ...body, linger: 1000 });
    let isOver = false;
    void asked.then(() => (isOver = true));
    if (!("abortAfter" in body) || body.abortAfter > 0) await gone(await raw.accept());
    expect(isOver).toBe(false);
    expect((await asked).error).toMatchObject({ code });
  });

  it.each(["terminate", "flood"])("is closed at once by terminate, while the handler goes on (%s)", async (then) => {
    const asked = dial({ url: raw.url, then, linger: 1000 });
    const peer = await raw.open("", frame(op.text, "answer", { mask: false }));
    let isOver = false;
    const over = asked.then(() => (isOver = true));
    if (then === "flood") peer.socket.pause();
    await logged("dialed");
    peer.socket.resume();
    // "Hi", and of 64 MiB what was on its way.
    expect((await peer.rest()).length).toBeLessThan(1 << 24);
    await gone(peer);
    expect(isOver).toBe(false);
    await over;
  });

  it("is closed when the handler is over", async () => {
    const asked = dial({ url: raw.url, then: "leave" });
    const peer = await raw.open("", frame(op.text, "answer", { mask: false }));
    expect((await peer.readFrame()).payload.toString()).toBe("Hi");
    await asked;
    expect(await peer.rest()).toHaveLength(0);
    peer.destroy();
  });
});

describe("the standard's faces in a worker", () => {
  it("WebSocket dispatches as it does elsewhere", async () => {
    await using listening = await Listening.start();
    listening.server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
    expect(await workerd.ask("/standard", `ws://127.0.0.1:${listening.port}/`)).toEqual([
      "first",
      "function",
      ["open", 1],
      12,
      "text",
      [98, 108, 111, 98],
      [1],
      "end",
      ["close", 4000, "done", true],
    ]);
    expect(await workerd.ask("/standard", "ws://127.0.0.1:1/")).toEqual([
      ["error", expect.objectContaining({ code: "ERR_CONNECT" })],
      ["close", 1006, "", false],
    ]);
  });

  it("WebSocketStream reads and writes", async () => {
    await using listening = await Listening.start();
    listening.server.on("connection", (ws) => void ws.readable.pipeTo(ws.writable));
    expect(await workerd.ask("/streamed", `ws://127.0.0.1:${listening.port}/`)).toEqual([
      [4, 1 << 20, 0],
      { closeCode: 1005, reason: "" },
      { done: true },
    ]);
  });
});
