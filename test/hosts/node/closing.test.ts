import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client, type Connection } from "../../../src/index.ts";
import { Listening } from "../../helpers/peers.ts";
import { RawServer, closePayload, frame, op, type RawPeer } from "../../helpers/raw-peer.ts";
import { Recording, next, plateau, turns, until } from "../../helpers/until.ts";

type Role = "server" | "client";
const roles: Role[] = ["server", "client"];

/** Milliseconds: soon, for what is to come to that, and never, for what is not. */
const SOON = 60;
const NEVER = 60_000;

let soon: Listening;
let never: Listening;
let raw: RawServer;
beforeEach(async () => {
  soon = await Listening.start({ closeTimeout: SOON });
  never = await Listening.start({ closeTimeout: NEVER });
  raw = await RawServer.listen();
});
afterEach(async () => {
  await soon[Symbol.asyncDispose]();
  await never[Symbol.asyncDispose]();
  await raw.close();
});

interface Open {
  readonly own: Connection;
  readonly peer: RawPeer;
  readonly role: Role;
  /** A frame as a peer of this role has to send it. */
  readonly send: (opcode: number, payload?: string | Uint8Array) => void;
}

async function open(role: Role, closeTimeout = NEVER): Promise<Open> {
  let own: Connection;
  let peer: RawPeer;
  if (role === "server") {
    ({ peer, server: own } = await (closeTimeout === SOON ? soon : never).raw());
  } else {
    const client = new Client(raw.url, { closeTimeout });
    own = client;
    peer = await raw.open();
    await until(() => client.readyState === "open");
  }
  return { own, peer, role, send: (opcode, payload) => peer.send(opcode, payload, { mask: role === "server" }) };
}

interface Expected {
  readonly close: [code: number, reason: string];
  readonly wasClean: boolean;
  readonly errors: (string | undefined)[];
}
const abnormal = (...errors: (string | undefined)[]): Expected => ({ close: [1006, ""], wasClean: false, errors });

const paths: [path: string, walk: (open: Open) => unknown, Expected][] = [
  [
    "the peer closes",
    async ({ send, peer }) => {
      send(op.close, closePayload(4000, "theirs"));
      expect(await peer.readClose()).toEqual({ code: 4000, reason: "theirs" });
      peer.end();
    },
    { close: [4000, "theirs"], wasClean: true, errors: [] },
  ],
  [
    "we close, and the peer answers",
    async ({ own, send, peer }) => {
      void own.close(4001, "ours");
      expect(await peer.readClose()).toEqual({ code: 4001, reason: "ours" });
      send(op.close, closePayload(4001, "ours"));
      peer.end();
    },
    { close: [4001, "ours"], wasClean: true, errors: [] },
  ],
  [
    "both close at once",
    async ({ own, send, peer }) => {
      void own.close(4001, "ours");
      send(op.close, closePayload(4000, "theirs"));
      expect(await peer.readClose()).toEqual({ code: 4001, reason: "ours" });
      peer.end();
    },
    { close: [4000, "theirs"], wasClean: true, errors: [] },
  ],
  [
    "the peer closes, and never ends its stream",
    async ({ send, peer }) => {
      send(op.close, closePayload(4000));
      await peer.readClose();
    },
    { close: [4000, ""], wasClean: true, errors: [] },
  ],
  [
    "the peer closes, and goes on and on",
    async ({ send, peer }) => {
      send(op.close, closePayload(4000));
      for (let i = 0; i < 100; i++) send(op.text, "more");
      send(op.close, closePayload(4002));
      send(3);
      expect(await peer.readClose()).toEqual({ code: 4000, reason: "" });
      peer.end();
    },
    { close: [4000, ""], wasClean: true, errors: [] },
  ],
  [
    "we close, and the peer never answers",
    async ({ own, peer }) => {
      void own.close(4001);
      await peer.readClose();
    },
    abnormal(),
  ],
  [
    "we close, and the peer only sends data",
    async ({ own, peer, send }) => {
      void own.close(4001);
      await peer.readClose();
      while (own.readyState !== "closed") {
        send(op.ping, "still there");
        await turns(1);
      }
    },
    abnormal(),
  ],
  [
    "we close, and the peer breaks the rules",
    async ({ own, peer, send }) => {
      void own.close(4001);
      await peer.readClose();
      send(3);
      // One Close is enough (§5.5.1).
      expect(await peer.rest()).toHaveLength(0);
      peer.end();
    },
    abnormal("ERR_PROTOCOL"),
  ],
  ["the peer ends its stream without a Close", ({ peer }) => peer.end(), abnormal()],
  [
    "the peer ends its stream in the midst of a frame",
    ({ peer, role }) => {
      peer.write(frame(op.text, "half a message", { mask: role === "server" }).subarray(0, 9));
      peer.end();
    },
    abnormal(),
  ],
  ["the peer resets", ({ peer }) => peer.reset(), abnormal("ERR_TRANSPORT")],
  [
    "the peer resets while we close",
    async ({ own, peer }) => {
      void own.close();
      await peer.readClose();
      peer.reset();
    },
    abnormal(),
  ],
  [
    "the peer breaks the rules",
    async ({ send, peer }) => {
      send(3);
      expect((await peer.readClose()).code).toBe(1002);
      peer.end();
    },
    abnormal("ERR_PROTOCOL"),
  ],
  [
    "the peer breaks the rules, and stays",
    async ({ send, peer }) => {
      send(op.text, Uint8Array.of(0xff));
      expect((await peer.readClose()).code).toBe(1007);
      send(op.close, closePayload(1007));
    },
    abnormal("ERR_INVALID_DATA"),
  ],
  ["we terminate", ({ own }) => own.terminate(), abnormal()],
  [
    "we close, terminate, close and terminate",
    ({ own }) => {
      void own.close();
      own.terminate();
      void own.close(4001);
      own.terminate();
    },
    abnormal(),
  ],
  [
    "a handler throws",
    async ({ own, send, peer }) => {
      own.once("pong", () => {
        throw new Error("my mistake");
      });
      send(op.pong);
      expect((await peer.readClose()).code).toBe(1011);
      send(op.close, closePayload(1011));
      peer.end();
    },
    abnormal("ERR_HANDLER"),
  ],
];

/** The paths at whose end closeTimeout stands. */
const stuck = new Set([
  "the peer closes, and never ends its stream",
  "we close, and the peer never answers",
  "we close, and the peer only sends data",
  "the peer breaks the rules, and stays",
]);

describe.each(roles)("as the %s: one `close`, the last event, when", (role) => {
  it.each(paths)("%s", async (path, walk, expected) => {
    const opened = await open(role, stuck.has(path) ? SOON : NEVER);
    const { own, peer } = opened;
    const recording = new Recording(own);
    expect([own.closeCode, own.closeReason, own.wasClean]).toEqual([undefined, undefined, undefined]);
    await walk(opened);
    expect(await recording.closed()).toEqual([expected.close]);
    expect(recording.names.at(-1)).toBe("close");
    expect(recording.errors.map((error) => (error as { code?: string }).code)).toEqual(expected.errors);
    const [code, reason] = expected.close;
    const { wasClean } = expected;
    expect(own).toMatchObject({ readyState: "closed", closeCode: code, closeReason: reason, wasClean });
    expect(await own.close()).toEqual({ code, reason, wasClean });
    own.terminate();
    expect(own.send("late")).toBe(false);
    peer.destroy();
    await turns(10);
    expect(recording.closes).toHaveLength(1);
    expect([soon.server.connections.size, never.server.connections.size]).toEqual([0, 0]);
  });

  it.each(paths)("%s, and nobody listens to `error`", async (path, walk) => {
    const opened = await open(role, stuck.has(path) ? SOON : NEVER);
    const recording = new Recording(opened.own, ["close"]);
    const reported = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(opened.own.listenerCount("error")).toBe(0);
    await walk(opened);
    expect(await recording.closed()).toHaveLength(1);
    opened.peer.destroy();
    // Only what is the user's own mistake is shown to the user.
    expect(reported).toHaveBeenCalledTimes(path === "a handler throws" ? 1 : 0);
    reported.mockRestore();
  });

  it("what was sent before close() arrives before the Close, however much it is", async () => {
    const { own, peer } = await open(role);
    for (let i = 0; i < 200; i++) own.send(new Uint8Array(50_000).fill(i));
    void own.close(1000, "all sent");
    for (let i = 0; i < 200; i++) expect((await peer.readFrame()).payload[0]).toBe(i);
    expect(await peer.readClose()).toEqual({ code: 1000, reason: "all sent" });
    peer.destroy();
  });

  it("what was sent before the peer's Close was read arrives before our answer", async () => {
    const { own, peer, send } = await open(role);
    own.on("ping", () => {
      for (let i = 0; i < 50; i++) own.send(`answer ${i}`);
    });
    peer.write(
      Buffer.concat([
        frame(op.ping, "", { mask: role === "server" }),
        frame(op.close, closePayload(1000), { mask: role === "server" }),
      ]),
    );
    const texts: string[] = [];
    for (;;) {
      const { opcode, payload } = await peer.readFrame();
      if (opcode === op.close) break;
      if (opcode === op.text) texts.push(payload.toString());
    }
    expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => `answer ${i}`));
    send(op.text, "ignored");
    peer.end();
    await next(own, "close");
  });

  it("close() is bounded when the peer reads nothing, and what is queued is dropped", async () => {
    const { own, peer } = await open(role, SOON);
    peer.socket.pause();
    for (let i = 0; i < 200; i++) own.send(new Uint8Array(100_000));
    await plateau(() => own.bufferedAmount);
    expect(own.bufferedAmount).toBeGreaterThan(0);
    expect(await own.close()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(own.bufferedAmount).toBe(0);
    peer.destroy();
  });

  it("is disposed of by `await using`", async () => {
    let connection: Connection;
    let peer: RawPeer;
    {
      const opened = await open(role);
      await using own = opened.own;
      connection = own;
      peer = opened.peer;
      void peer.readClose().then(({ code }) => {
        opened.send(op.close, closePayload(code!));
        peer.end();
      });
    }
    expect(connection).toMatchObject({ readyState: "closed", closeCode: 1000, wasClean: true });
  });
});

describe("hybi on both sides", () => {
  it("terminated by both at once: one `close` each", async () => {
    const { client, server } = await never.pair();
    const recordings = [new Recording(client), new Recording(server)];
    client.terminate();
    server.terminate();
    for (const recording of recordings) expect(await recording.closed()).toEqual([[1006, ""]]);
  });

  it("closed by both at once: one `close` each, with the other's code", async () => {
    const { client, server } = await never.pair();
    const recordings = [new Recording(client), new Recording(server)];
    const [atClient, atServer] = await Promise.all([client.close(4000, "client"), server.close(4001, "server")]);
    expect(atClient).toEqual({ code: 4001, reason: "server", wasClean: true });
    expect(atServer).toEqual({ code: 4000, reason: "client", wasClean: true });
    expect(recordings.map(({ closes }) => closes)).toEqual([[[4001, "server"]], [[4000, "client"]]]);
  });

  it("ends a loop and a read at either side as the connection ended", async () => {
    for (const isClean of [true, false]) {
      const { client, server } = await never.pair();
      const outcomes = [client, server].map(async (side) => {
        try {
          for await (const message of side) expect(message).toBe("none");
          return "ended";
        } catch (error) {
          return (error as { code?: string }).code;
        }
      });
      if (isClean) void client.close();
      else client.terminate();
      expect(await Promise.all(outcomes)).toEqual(isClean ? ["ended", "ended"] : ["ERR_CLOSED", "ERR_CLOSED"]);
    }
  });
});

describe.each(roles)("a %s whose connection broke before anyone listened", (role) => {
  it("tells whoever reads then what broke", async () => {
    const { own, peer, send } = await open(role);
    send(3);
    peer.end();
    await next(own, "close");
    await expect(own.read()).rejects.toMatchObject({ code: "ERR_CLOSED", cause: { code: "ERR_PROTOCOL" } });
  });
});

it("a client whose extension throws as it offers fails like any other opening handshake", async () => {
  const extension = {
    name: "x-broken",
    offer: (): never => {
      throw new Error("no offer");
    },
    accept: () => undefined,
    confirm: (): never => {
      throw new Error("no offer");
    },
  };
  const client = new Client(raw.url, { extensions: [extension] });
  const recording = new Recording(client);
  expect(await recording.closed()).toEqual([[1006, ""]]);
  expect(recording.errors).toEqual([new Error("no offer")]);
});
