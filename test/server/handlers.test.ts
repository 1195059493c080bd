import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";
import { Client, ConnectionError, connect, type Connection, type ConnectionEvents } from "../../src/index.ts";
import type { Transport } from "../../src/driver.ts";
import { Listening } from "../helpers/peers.ts";
import { RawServer, closePayload, frame, op, type RawPeer } from "../helpers/raw-peer.ts";
import { Recording, next, turns, until } from "../helpers/until.ts";

type Event = keyof ConnectionEvents;
type Role = "server" | "client";

let reported: MockInstance<typeof console.error>;
let listening: Listening;
let raw: RawServer;
const rejections: unknown[] = [];
const note = (reason: unknown): void => void rejections.push(reason);
beforeEach(async () => {
  process.on("unhandledRejection", note);
  reported = vi.spyOn(console, "error").mockImplementation(() => undefined);
  listening = await Listening.start({ closeTimeout: 2000 });
  raw = await RawServer.listen();
});
afterEach(async () => {
  await listening[Symbol.asyncDispose]();
  await raw.close();
  reported.mockRestore();
  process.off("unhandledRejection", note);
  expect(rejections.splice(0)).toEqual([]);
});

/** A connection of either role, and a raw peer at its other end. `setUp` sees it before it is open. */
async function opened(
  role: Role,
  setUp: (connection: Connection) => void,
): Promise<{ peer: RawPeer; own: Connection }> {
  if (role === "server") {
    listening.server.once("connection", setUp);
    const { peer, server } = await listening.raw();
    return { peer, own: server };
  }
  const client = new Client(raw.url, { closeTimeout: 2000 });
  setUp(client);
  const peer = await raw.open();
  await until(() => client.readyState !== "connecting");
  return { peer, own: client };
}

/** As the peer's role has to. */
const framesFrom = (role: Role, ...frames: [opcode: number, payload: string | Uint8Array][]): Buffer =>
  Buffer.concat(frames.map(([opcode, payload]) => frame(opcode, payload, { mask: role === "server" })));

/** What makes a connection emit `event`, in one chunk with other frames around it. */
const triggers: Record<Event, (peer: RawPeer, own: Connection, role: Role) => unknown> = {
  open: () => undefined,
  message: (peer, _, role) => peer.write(framesFrom(role, [op.text, "m"], [op.text, "n"])),
  ping: (peer, _, role) => peer.write(framesFrom(role, [op.ping, "p"], [op.text, "n"])),
  pong: (peer, _, role) => peer.write(framesFrom(role, [op.pong, "p"], [op.text, "n"])),
  drain: (_, own) => {
    while (own.send(new Uint8Array(1 << 20)));
  },
  error: (peer, _, role) => peer.write(framesFrom(role, [op.text, "m"], [3, ""], [op.text, "n"])),
  close: (peer, _, role) => {
    peer.write(framesFrom(role, [op.close, closePayload(1000)]));
    peer.end();
  },
};
const events = Object.keys(triggers) as Event[];
const roles: Role[] = ["server", "client"];
const everywhere = roles.flatMap((role) => events.map((event): [Role, Event] => [role, event]));
const open = (event: Event): boolean => event !== "error" && event !== "close";

describe("calls inside a handler", () => {
  it.each(everywhere)("%s, %s: send", async (role, event) => {
    let answers: unknown[] | undefined;
    const errors: unknown[] = [];
    const { peer, own } = await opened(role, (connection) => {
      connection.once(event, () => {
        answers = [
          connection.send("from inside"),
          connection.send("with a callback", { callback: (error) => errors.push(error) }),
          connection.sendPing("inside"),
        ];
      });
      connection.on("message", () => undefined);
    });
    await triggers[event](peer, own, role);
    await until(() => answers !== undefined);
    expect(answers).toEqual([open(event), open(event), open(event)]);
    if (open(event)) {
      const payloads: string[] = [];
      while (payloads.length < 3) {
        const { opcode, payload } = await peer.readFrame();
        if (opcode === op.text || opcode === op.ping) payloads.push(payload.toString());
      }
      expect(payloads).toEqual(["from inside", "with a callback", "inside"]);
      await until(() => errors.length === 1);
      expect(errors).toEqual([undefined]);
    } else {
      await until(() => errors.length === 1);
      expect(errors).toEqual([expect.objectContaining({ code: "ERR_NOT_OPEN" })]);
    }
    peer.destroy();
  });

  it.each(everywhere)("%s, %s: close", async (role, event) => {
    let recording!: Recording;
    let info: unknown;
    const { peer, own } = await opened(role, (connection) => {
      connection.once(event, async () => {
        info = await connection.close(3000, "inside");
      });
      recording = new Recording(connection);
    });
    await triggers[event](peer, own, role);
    if (open(event)) {
      for (;;) {
        const { opcode, payload } = await peer.readFrame();
        if (opcode !== op.close) continue;
        expect(payload).toEqual(closePayload(3000, "inside"));
        break;
      }
      peer.write(framesFrom(role, [op.close, closePayload(3000, "answered")]));
    }
    peer.end();
    const [close] = await recording.closed();
    expect(recording.closes).toHaveLength(1);
    expect(close).toEqual(open(event) ? [3000, "answered"] : event === "error" ? [1006, ""] : [1000, ""]);
    await until(() => info !== undefined);
    expect(info).toEqual({ code: close![0], reason: close![1], wasClean: event !== "error" });
  });

  it.each(everywhere)("%s, %s: terminate", async (role, event) => {
    let recording!: Recording;
    let seen = -1;
    const { peer, own } = await opened(role, (connection) => {
      recording = new Recording(connection);
      connection.once(event, () => {
        seen = recording.entries.length;
        connection.terminate();
        connection.terminate();
        expect(connection.readyState).toBe(event === "close" ? "closed" : "closing");
      });
    });
    await triggers[event](peer, own, role);
    expect(await recording.closed()).toEqual([event === "close" ? [1000, ""] : [1006, ""]]);
    // Frames of the same chunk, behind the one that was handled, are dropped.
    const after = recording.names.slice(seen);
    expect(after).toEqual(event === "close" ? [] : ["close"]);
    peer.destroy();
  });

  it.each(everywhere.filter(([, event]) => open(event)))("%s, %s: pause, and resume later", async (role, event) => {
    let recording!: Recording;
    let paused = false;
    const { peer, own } = await opened(role, (connection) => {
      recording = new Recording(connection);
      connection.once(event, () => {
        connection.pause();
        paused = true;
      });
    });
    await triggers[event](peer, own, role);
    if (event === "drain") peer.socket.resume();
    await until(() => paused);
    expect(own.isPaused).toBe(true);
    await turns(20); // the rest of the chunk, which is not held back
    const before = recording.messages.length;
    peer.write(framesFrom(role, [op.text, "held back"]));
    await turns();
    expect(recording.messages.length).toBe(before);
    own.resume();
    expect(own.isPaused).toBe(false);
    await until(() => recording.messages.length > before);
    expect(recording.messages.at(-1)).toBe("held back");
    peer.destroy();
  });

  it.each(everywhere.filter(([, event]) => event === "error" || event === "close"))(
    "%s, %s: pause does not keep the connection",
    async (role, event) => {
      let recording!: Recording;
      const { peer, own } = await opened(role, (connection) => {
        recording = new Recording(connection);
        connection.once(event, () => connection.pause());
      });
      await triggers[event](peer, own, role);
      peer.end();
      expect(await recording.closed()).toHaveLength(1);
    },
  );

  it.each(everywhere)("%s, %s: removing listeners, its own and another's", async (role, event) => {
    const calls: string[] = [];
    const { peer, own } = await opened(role, (connection) => {
      const other = (): number => calls.push("other");
      const self = (): void => {
        calls.push("self");
        connection.removeListener(event, self);
        connection.off(event, other);
        connection.removeAllListeners(event);
      };
      connection.on(event, self).on(event, other);
      if (event !== "close") connection.on("close", () => undefined);
    });
    await triggers[event](peer, own, role);
    await until(() => calls.length === 2);
    expect(calls).toEqual(["self", "other"]);
    expect(own.listenerCount(event)).toBe(0);
    if (event !== "open") await triggers[event](peer, own, role);
    await turns(20);
    expect(calls).toHaveLength(2);
    peer.destroy();
  });

  it("server, connection: send, close and terminate", async () => {
    for (const [call, expected] of [
      ["send", ["open"]],
      ["close", ["close"]],
      ["terminate", ["close"]],
    ] as const) {
      let recording!: Recording;
      listening.server.once("connection", (connection) => {
        recording = new Recording(connection);
        if (call === "send") connection.send("welcome");
        else if (call === "close") void connection.close(4000, "no");
        else connection.terminate();
      });
      const client = new Client(listening.url);
      const atClient = new Recording(client);
      await until(() => recording?.entries.length > 0 && atClient.entries.length > (call === "send" ? 1 : 0));
      // Nobody is told that a connection is open which is so no more.
      expect(recording.names).toEqual(expected);
      if (call === "send") expect(atClient.entries).toEqual([["open"], ["message", "welcome"]]);
      else expect(await atClient.closed()).toEqual([call === "close" ? [4000, "no"] : [1006, ""]]);
      client.terminate();
    }
  });

  it("send in a message handler, for every one of a chunk: the answers come in order, in one write", async () => {
    const { peer, own } = await opened("server", (connection) => {
      connection.on("message", (message) => connection.send(message));
    });
    const writes = vi.spyOn(own.socket as Required<Transport>, "writeNow");
    peer.write(framesFrom("server", ...Array.from({ length: 100 }, (_, i): [number, string] => [op.text, `m${i}`])));
    for (let i = 0; i < 100; i++) expect((await peer.readFrame()).payload.toString()).toBe(`m${i}`);
    expect(writes).toHaveBeenCalledTimes(1);
    peer.destroy();
  });
});

describe("a handler that fails", () => {
  const failures: [how: string, fail: () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("my mistake");
      },
    ],
    ["rejects", () => Promise.reject(new Error("my mistake"))],
  ];
  const sites = roles.flatMap((role) =>
    (["open", "message", "ping", "pong", "drain"] as const).flatMap((event) =>
      failures.map(([how, fail]) => ({ role, event, how, fail })),
    ),
  );

  it.each(sites)("$role, $event, $how: 1011 to the peer, ERR_HANDLER to `error`", async ({ role, event, fail }) => {
    const { client: bystander, server: witness } = await listening.pair();
    let recording!: Recording;
    const { peer, own } = await opened(role, (connection) => {
      connection.once(event, fail);
      recording = new Recording(connection);
    });
    await triggers[event](peer, own, role);
    let last = await peer.readFrame();
    while (last.opcode !== op.close) last = await peer.readFrame();
    expect(last.payload).toEqual(closePayload(1011));
    peer.write(framesFrom(role, [op.close, closePayload(1011)]));
    peer.end();
    expect(await recording.closed()).toHaveLength(1);
    expect(recording.errors).toHaveLength(1);
    expect(recording.errors[0]).toBeInstanceOf(ConnectionError);
    expect(recording.errors[0]).toMatchObject({ code: "ERR_HANDLER", cause: new Error("my mistake") });
    expect(reported).not.toHaveBeenCalled();
    bystander.send("unharmed");
    expect(await witness.read()).toBe("unharmed");
  });

  it.each(failures)("%s, and nobody listens to `error`: it is reported, and the process lives", async (_, fail) => {
    const { peer } = await opened("server", (connection) => connection.on("message", fail));
    peer.send(op.text, "x");
    expect(await peer.readClose()).toMatchObject({ code: 1011 });
    expect(reported).toHaveBeenCalledTimes(1);
    expect(reported.mock.calls[0]![0]).toMatchObject({ code: "ERR_HANDLER", cause: new Error("my mistake") });
    peer.end();
    await until(() => peer.closed);
    const { client, server } = await listening.pair();
    client.send("alive");
    expect(await server.read()).toBe("alive");
  });

  it.each(failures)("%s, in `error`: it is reported, and does not come round again", async (_, fail) => {
    let recording!: Recording;
    const { peer } = await opened("server", (connection) => {
      connection.on("error", fail);
      recording = new Recording(connection, ["open", "message", "close"]);
    });
    peer.send(3);
    expect(await peer.readClose()).toMatchObject({ code: 1002 });
    peer.end();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(reported).toHaveBeenCalledTimes(1);
    expect(reported.mock.calls[0]![0]).toMatchObject({ code: "ERR_HANDLER", cause: new Error("my mistake") });
  });

  it.each(failures)(
    "%s, in `close`: the other listeners hear of the end, and the failure is reported",
    async (_, fail) => {
      let recording!: Recording;
      const { peer } = await opened("server", (connection) => {
        connection.on("close", fail);
        recording = new Recording(connection);
      });
      peer.send(op.close, closePayload(1000));
      peer.end();
      expect(await recording.closed()).toEqual([[1000, ""]]);
      await until(() => reported.mock.calls.length === 1);
      expect(reported.mock.calls[0]![0]).toMatchObject({ code: "ERR_HANDLER", cause: new Error("my mistake") });
      // `close` is the last event.
      expect(recording.errors).toEqual([]);
    },
  );

  it("throws again and again: once is enough, however many messages come", async () => {
    let calls = 0;
    let recording!: Recording;
    const { peer } = await opened("server", (connection) => {
      recording = new Recording(connection, ["open", "error", "close"]);
      connection.on("message", () => {
        calls++;
        throw new Error("my mistake");
      });
    });
    const flood = framesFrom("server", ...Array.from({ length: 100 }, (): [number, string] => [op.text, "x"]));
    peer.write(flood);
    expect(await peer.readClose()).toMatchObject({ code: 1011 });
    // A peer that does not care for our Close.
    await peer.writeEach([flood, flood]);
    peer.end();
    await recording.closed();
    expect(recording.errors).toHaveLength(1);
    expect(calls).toBe(1);
  });

  it.each([
    ["null", null],
    ["a symbol", Symbol("x")],
    ["what has no text", Object.create(null)],
    ["a string", "just so"],
  ])("throws %s: the same", async (_, thrown: unknown) => {
    let recording!: Recording;
    const { peer } = await opened("server", (connection) => {
      recording = new Recording(connection);
      connection.on("message", () => {
        throw thrown;
      });
      connection.on("ping", () => Promise.reject(thrown as Error));
    });
    peer.write(framesFrom("server", [op.ping, ""], [op.text, "x"]));
    let last = await peer.readFrame();
    while (last.opcode !== op.close) last = await peer.readFrame();
    expect(last.payload).toEqual(closePayload(1011));
    peer.end();
    await recording.closed();
    expect(recording.errors).toHaveLength(2);
    for (const error of recording.errors) expect(error).toMatchObject({ code: "ERR_HANDLER", cause: thrown });
  });

  it("throws in one of several listeners: the others are called", async () => {
    const calls: string[] = [];
    const { peer } = await opened("server", (connection) => {
      connection.on("message", () => calls.push("before"));
      connection.on("message", () => {
        throw new Error("my mistake");
      });
      connection.on("message", () => calls.push("after"));
    });
    peer.send(op.text, "x");
    expect(await peer.readClose()).toMatchObject({ code: 1011 });
    expect(calls).toEqual(["before", "after"]);
    peer.destroy();
  });

  it.each(["send", "sendPing"] as const)("throws in a callback of %s: the same", async (method) => {
    let recording!: Recording;
    const { peer, own } = await opened("server", (connection) => (recording = new Recording(connection)));
    const callback = (): void => {
      throw new Error("my mistake");
    };
    if (method === "send") own.send("x", { callback });
    else own.sendPing("x", callback);
    const { opcode, payload } = await peer.readFrame();
    if (opcode === op.ping) peer.send(op.pong, payload);
    expect(await peer.readClose()).toMatchObject({ code: 1011 });
    peer.end();
    await recording.closed();
    expect(recording.errors).toEqual([expect.objectContaining({ code: "ERR_HANDLER" })]);
  });

  it.each(failures)("%s, in the server's `connection`: the same, and `error` at the server", async (_, fail) => {
    const errors: Error[] = [];
    const { client: bystander, server: witness } = await listening.pair();
    listening.server.on("error", (error) => errors.push(error)).once("connection", fail);
    const client = await connect(listening.url);
    expect(await next(client, "close")).toEqual([1011, ""]);
    expect(errors).toEqual([expect.objectContaining({ code: "ERR_HANDLER", cause: new Error("my mistake") })]);
    expect(reported).not.toHaveBeenCalled();
    await until(() => listening.server.connections.size === 1);
    bystander.send("unharmed");
    expect(await witness.read()).toBe("unharmed");
  });

  it.each(["listening", "refused", "close", "error"] as const)(
    "throws in the server's `%s`: it is reported",
    async (event) => {
      const own = await Listening.start({ path: "/only" });
      own.server.on(event, () => {
        throw new Error("my mistake");
      });
      if (event === "listening") own.server.emit("listening", own.server.address!);
      if (event === "error") own.server.emit("error", new Error("made up"));
      if (event === "refused") await connect(own.url).catch(() => undefined);
      const { client, server } = await own.pair({}, "only");
      client.send("alive");
      expect(await server.read()).toBe("alive");
      await client.close();
      await own.server.close();
      expect(reported).toHaveBeenCalledTimes(1);
      expect(reported.mock.calls[0]![0]).toMatchObject({ code: "ERR_HANDLER", cause: new Error("my mistake") });
    },
  );

  it("throws at the server, and nobody listens to its `error`: it is reported", async () => {
    listening.server.once("connection", () => {
      throw new Error("my mistake");
    });
    const client = await connect(listening.url);
    expect(await next(client, "close")).toEqual([1011, ""]);
    expect(reported).toHaveBeenCalledTimes(1);
  });
});
