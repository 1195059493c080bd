import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client, connect } from "../../src/browser.ts";
import { connectionFace, type StreamFace } from "../../src/driver/message-streams.ts";
import type { ClientOptions } from "../../src/index.ts";
import { Recording } from "../helpers/until.ts";
import { ScriptedSocket } from "./scripted-socket.ts";

const url = "ws://localhost/";
/** The turn in which a client dials, or ends, is over. */
const turn = (): Promise<void> => Promise.resolve();

beforeEach(() => {
  vi.stubGlobal("WebSocket", ScriptedSocket);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A client, and the WebSocket that it has opened. */
async function dialed(options: ClientOptions = {}, to = url): Promise<{ client: Client; socket: ScriptedSocket }> {
  const client = new Client(to, options);
  await turn();
  return { client, socket: ScriptedSocket.latest };
}

async function opened(options: ClientOptions = {}): Promise<{ client: Client; socket: ScriptedSocket }> {
  const pair = await dialed(options);
  pair.socket.onopen!();
  return pair;
}

describe("a page's client asks the browser", () => {
  it.each([
    ["ws://localhost:81/a/b?c=d", "ws://localhost:81/a/b?c=d"],
    ["http://localhost/", "ws://localhost/"],
    ["wss://localhost", "wss://localhost/"],
    ["https://localhost/?x", "wss://localhost/?x"],
    ["ws://[::1]:9/", "ws://[::1]:9/"],
  ])("for %s as %s", async (given, asked) => {
    const { client, socket } = await dialed({ acceptProtocols: ["b", "a"] }, given);
    expect([socket.url, socket.subprotocols, socket.binaryType]).toEqual([asked, ["b", "a"], "arraybuffer"]);
    expect(client.url).toBe(given);
  });

  it("in a turn of its own, and but once", async () => {
    const { socket } = await dialed();
    const client = new Client(url);
    expect(client.startConnection()).toBe(false);
    expect(ScriptedSocket.latest).toBe(socket);
    await turn();
    expect(ScriptedSocket.latest).not.toBe(socket);
  });

  it("for nothing once it was given up", async () => {
    const { socket } = await dialed();
    const client = new Client(url);
    client.terminate();
    const aborted = new Client(url, { signal: AbortSignal.abort() });
    const recording = new Recording(aborted);
    await turn();
    expect(ScriptedSocket.latest).toBe(socket);
    expect(recording.names).toEqual(["error", "close"]);
    expect([client.readyState, vi.getTimerCount()]).toEqual(["closed", 1]);
  });
});

describe("when it is open", () => {
  it.each([
    ["", []],
    ["permessage-deflate; client_max_window_bits=15", ["permessage-deflate"]],
    ["a;x=1;y , b , c", ["a", "b", "c"]],
  ])("extensions %j are named", async (extensions, names) => {
    const { client, socket } = await dialed();
    socket.extensions = extensions;
    socket.onopen!();
    expect(client.extensions).toEqual(names);
  });

  it("a subprotocol that the browser let the server leave out costs the connection", async () => {
    const { client, socket } = await dialed({ acceptProtocols: ["chat"] });
    const recording = new Recording(client);
    socket.onopen!();
    expect(recording.names).toEqual(["error", "close"]);
    expect(recording.errors).toMatchObject([{ code: "ERR_CONNECT" }]);
    expect(socket.closes).toEqual([[]]);
  });

  it("its signal is not listened to any more, nor the clock", async () => {
    const { signal } = new AbortController();
    const { client, socket } = await dialed({ signal });
    expect([getEventListeners(signal, "abort").length, vi.getTimerCount()]).toEqual([1, 1]);
    socket.onopen!();
    expect([getEventListeners(signal, "abort").length, vi.getTimerCount()]).toEqual([0, 0]);
    expect(client.readyState).toBe("open");
  });

  it("that is not said if what was sent early has cost the connection", async () => {
    const { client, socket } = await dialed();
    const recording = new Recording(client);
    client.send("x");
    socket.send = () => {
      throw new Error("oops");
    };
    socket.onopen!();
    expect([recording.names, socket.closes]).toEqual([["error"], [[4011, ""]]]);
    client.terminate();
  });
});

describe("when it is over", () => {
  const ways: Record<string, (client: Client, socket: ScriptedSocket) => unknown> = {
    "by the browser": (_, socket) => socket.end(1000),
    "by terminate": (client) => client.terminate(),
    "by close, and the browser": (client, socket) => {
      void client.close();
      socket.end(1000);
    },
    "by close, and the clock": (client) => {
      void client.close();
      vi.advanceTimersByTime(10_000);
    },
  };
  it.each(Object.keys(ways))("%s, nothing is left behind", async (way) => {
    const { signal } = new AbortController();
    for (const isOpen of [false, true]) {
      const { client, socket } = await (isOpen ? opened({ signal }) : dialed({ signal }));
      const recording = new Recording(client);
      client.send("x", { callback: () => undefined });
      ways[way]!(client, socket);
      await turn();
      expect([recording.names.at(-1), recording.closes.length]).toEqual(["close", 1]);
      expect([vi.getTimerCount(), getEventListeners(signal, "abort").length]).toEqual([0, 0]);
      expect(socket.handlers).toEqual([null, null, null, null]);
      expect(socket.closes.length).toBeGreaterThan(0);
      expect([client.bufferedAmount, client.queuedMessages]).toEqual([0, 0]);
    }
  });

  it("what terminate does is done once, and later", async () => {
    const { client, socket } = await opened();
    const recording = new Recording(client);
    client.terminate();
    client.terminate();
    expect([client.readyState, recording.names]).toEqual(["closing", []]);
    await turn();
    await turn();
    client.terminate();
    await turn();
    expect([recording.names, socket.closes, client.readyState]).toEqual([["close"], [[]], "closed"]);
  });

  it("how it was closed is what the browser says, unless that was not clean", async () => {
    for (const [wasClean, code] of [
      [true, 4000],
      [false, 1006],
    ] as const) {
      const { client, socket } = await opened();
      const recording = new Recording(client);
      socket.end(4000, "so", wasClean);
      expect(recording.entries).toEqual([["close", code, "so"]]);
      expect([client.closeCode, client.closeReason, client.wasClean]).toEqual([code, "so", wasClean]);
    }
  });

  it("the browser is given no code for a stream that is closed, not even an undefined one", async () => {
    const { client, socket } = await opened();
    void client.writable.getWriter().close();
    await turn();
    expect(socket.closes).toEqual([[]]);
    socket.end(1005);
  });

  it("that it broke is an error while it is open only", async () => {
    for (const [isClosing, names] of [
      [false, ["error", "close"]],
      [true, ["close"]],
    ] as const) {
      const { client, socket } = await opened();
      const recording = new Recording(client);
      if (isClosing) void client.close();
      socket.onerror!();
      socket.end(1006, "", false);
      expect(recording.names).toEqual(names);
    }
  });

  it("a listener of error that throws changes nothing", async () => {
    const report = vi.spyOn(console, "error").mockReturnValue();
    const { client, socket } = await dialed();
    const recording = new Recording(client);
    client.on("error", () => {
      throw new Error("oops");
    });
    socket.end(1006, "", false);
    expect([recording.names, report.mock.calls.length]).toEqual([["error", "close"], 1]);
    report.mockRestore();
  });

  it("a listener that throws while it is closing adds nothing to that", async () => {
    const { client, socket } = await opened();
    const recording = new Recording(client);
    client.on("message", () => {
      throw new Error("oops");
    });
    client.pause();
    for (const data of ["1", "2"]) socket.onmessage!({ data });
    void client.close(4000);
    await turn();
    expect([recording.names, socket.closes, vi.getTimerCount()]).toEqual([["message", "error"], [[4000, ""]], 1]);
    socket.end(4000);
    expect([client.closeCode, client.wasClean]).toEqual([1006, false]);
  });

  it("a listener of close that throws is reported, and nothing else", async () => {
    const report = vi.spyOn(console, "error").mockReturnValue();
    const { client, socket } = await opened();
    client.on("close", () => {
      throw new Error("oops");
    });
    socket.end(1000);
    expect(report).toHaveBeenCalledOnce();
    expect([socket.closes, vi.getTimerCount()]).toEqual([[[]], 0]);
    report.mockRestore();
  });
});

describe("once the peer has begun to close, which a browser does not tell but show", () => {
  const CLOSING = 2;

  it("nothing is sent any more, and who sends learns it", async () => {
    const { client, socket } = await opened();
    const recording = new Recording(client);
    socket.readyState = CLOSING;
    expect(client.readyState).toBe("closing");
    const errors: unknown[] = [];
    expect(client.send("x", { callback: (error) => errors.push(error) })).toBe(false);
    expect(client.send("x")).toBe(false);
    await turn();
    expect([socket.sent, errors]).toMatchObject([[], [{ code: "ERR_NOT_OPEN" }]]);
    socket.end(4000, "so");
    expect(recording.entries).toEqual([["close", 4000, "so"]]);
    expect([client.closeCode, client.wasClean, client.readyState]).toEqual([4000, true, "closed"]);
  });

  it("close still bounds how long that takes", async () => {
    const { client, socket } = await opened();
    const recording = new Recording(client);
    socket.readyState = CLOSING;
    void client.close(4001);
    expect(recording.names).toEqual([]);
    vi.advanceTimersByTime(10_000);
    await turn();
    expect(recording.entries).toEqual([["close", 1006, ""]]);
  });

  /** As a WebSocketStream has them. */
  class Streamed extends Client {
    protected override get streamFace(): StreamFace {
      return { ...connectionFace, endsWithConnection: true };
    }

    get lostError(): Error | undefined {
      return this.streams.lostError;
    }
  }
  /** Has a stream write, with a browser that does something with it and then reports a clean end. */
  const written = async (before: (socket: ScriptedSocket) => void, after: (socket: ScriptedSocket) => void) => {
    const client = new Streamed(url);
    await turn();
    const socket = ScriptedSocket.latest;
    socket.onopen!();
    before(socket);
    const writing = client.writable
      .getWriter()
      .write("x")
      .then(
        () => "done",
        (error: unknown) => (error as { code: string }).code,
      );
    for (let i = 0; i < 10; i++) await turn();
    after(socket);
    socket.end(4000, "so");
    return { sent: socket.sent, outcome: await writing, lostError: client.lostError };
  };
  const nothing = (): void => undefined;

  it("a write that has not left at the end is lost", async () => {
    const { sent, outcome, lostError } = await written(nothing, nothing);
    expect([sent, outcome]).toEqual([["x"], "ERR_NOT_OPEN"]);
    expect(lostError).toMatchObject({ code: "ERR_CLOSED", message: expect.stringContaining("4000") as string });
  });

  it("but not one that has left, though nobody has asked the browser yet", async () => {
    const left = await written(nothing, (socket) => (socket.bufferedAmount = 0));
    expect(left).toEqual({ sent: ["x"], outcome: "done", lostError: undefined });
  });

  it("nor one that came too late", async () => {
    const late = await written((socket) => (socket.readyState = CLOSING), nothing);
    expect(late).toEqual({ sent: [], outcome: "ERR_NOT_OPEN", lostError: undefined });
  });
});

describe("a message", () => {
  it("that comes while another is taken from those that waited goes behind them", async () => {
    const { client, socket } = await opened();
    const messages: unknown[] = [];
    client.on("message", (message) => {
      messages.push(message);
      // As a WebSocket does that someone has made up for tests.
      if (message === "1") socket.onmessage!({ data: "3" });
    });
    client.pause();
    for (const data of ["1", "2"]) socket.onmessage!({ data });
    client.resume();
    expect(messages).toEqual([]);
    await turn();
    expect(messages).toEqual(["1", "2", "3"]);
  });

  it("of just maxLength bytes is taken", async () => {
    for (const data of ["abcd", "éé", "€a", "😀", new Uint8Array(4).buffer]) {
      const { client, socket } = await opened({ maxLength: 4 });
      const recording = new Recording(client);
      socket.onmessage!({ data });
      expect(recording.names).toEqual(["message"]);
      socket.onmessage!({ data: "€é" });
      expect(recording.errors).toMatchObject([{ code: "ERR_TOO_LONG" }]);
      expect(socket.closes).toEqual([[4009, ""]]);
    }
  });
});

it("a deadline longer than a timer can be is the longest that it can be", async () => {
  const timer = vi.spyOn(globalThis, "setTimeout");
  const { client } = await dialed({ handshakeTimeout: 2 ** 40 });
  expect(timer.mock.calls.map(([, ms]) => ms)).toEqual([2 ** 31 - 1]);
  client.terminate();
  timer.mockRestore();
});

it("connect says what a WebSocket throws", async () => {
  vi.stubGlobal(
    "WebSocket",
    class {
      constructor() {
        throw new DOMException("This page is secure, and ws: is not.", "SecurityError");
      }
    },
  );
  await expect(connect(url)).rejects.toMatchObject({
    code: "ERR_CONNECT",
    message: "localhost could not be reached: This page is secure, and ws: is not.",
    cause: { name: "SecurityError" },
  });
});
