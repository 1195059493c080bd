import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Client, Server, ServerConnection, capabilities, connect } from "../../src/browser.ts";
import { capabilities as onNode } from "../../src/index.ts";
import { capabilitiesOf } from "../../src/driver/capabilities.ts";
import { host as streams } from "../../src/hosts/streams.ts";
import { WebSocket } from "../../src/websocket.ts";
import { Codec } from "../../src/codec/index.ts";
import { Budget, type ClientOptions } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { thrownBy } from "../helpers/until.ts";

const unsupported = expect.objectContaining({ name: "ConnectionError", code: "ERR_UNSUPPORTED" });

let listening: Listening;
beforeAll(async () => {
  listening = await Listening.start();
});
afterAll(() => listening[Symbol.asyncDispose]());
beforeEach(() => {
  vi.stubGlobal("WebSocket", WebSocket);
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("an option that a page cannot have is refused, with its name and what to do", () => {
  const options: readonly ClientOptions[] = [
    { additionalHeaders: { "X-Room": "7" } },
    { tls: { verify: false } },
    { dial: () => undefined },
    { extensions: [] },
    { codec: new Codec("javascript") },
    { heartbeat: {} },
    { maxFragments: 10 },
    { maxPendingPongs: 10 },
    { maxHeadLength: 10 },
    { maxHeaders: 10 },
    { budget: new Budget(10) },
  ];
  it.each(options.map((given) => [Object.keys(given)[0]!, given] as const))("%s", async (name, given) => {
    expect(() => new Client(listening.url, given)).toThrow(unsupported);
    const { message } = await thrownBy(() => connect(listening.url, given));
    expect(message).toMatch(new RegExp(`^${name}: .{30,}`));
  });

  it("but not one that asks for what it has, or for nothing", async () => {
    const client = await connect(listening.url, { heartbeat: false, tls: undefined as never });
    await client.close();
  });

  it("as are those that nobody has", () => {
    const unknown = { maxLenght: 1 } as ClientOptions;
    expect(() => new Client(listening.url, unknown)).toThrow(expect.objectContaining({ code: "ERR_OPTION_UNKNOWN" }));
    const wrong = { signal: 1 } as unknown as ClientOptions;
    expect(() => new Client(listening.url, wrong)).toThrow(expect.objectContaining({ code: "ERR_OPTION_TYPE" }));
    const spaced = { acceptProtocols: ["a b"] };
    expect(() => new Client(listening.url, spaced)).toThrow(expect.objectContaining({ code: "ERR_SUBPROTOCOL" }));
    const negative = { closeTimeout: -1 };
    expect(() => new Client(listening.url, negative)).toThrow(expect.objectContaining({ code: "ERR_OPTION_RANGE" }));
  });
});

describe("so is", () => {
  it.each(["ws+unix:/tmp/x.sock", "ws://ann:secret@localhost/"])("the URL %s", (url) => {
    expect(() => new Client(url)).toThrow(unsupported);
  });

  it("a call, whatever the state of the connection", async () => {
    const client = new Client(listening.url);
    const calls: readonly [string, () => unknown][] = [
      ["sendPing", () => client.sendPing()],
      ["sendPong", () => client.sendPong()],
      ["setHeader", () => client.setHeader()],
      ["startConnection", () => client.startConnection({})],
      ["type ping", () => client.send("", { type: "ping" })],
      ["type pong", () => client.send("", { type: "pong" })],
      ["type continuation", () => client.send("", { type: "continuation" })],
      ["a fragment", () => client.send("", { fin: false })],
      ["a text fragment", () => client.sendText("", { fin: false })],
      ["a binary fragment", () => client.sendBinary("", { fin: false })],
      ["compress", () => client.send("", { compress: false })],
      ["close 1001", () => client.close(1001)],
      ["type close 1011", () => client.send("", { type: "close", code: 1011 })],
    ];
    const refused = (): string[] => calls.filter(([, call]) => isRefused(call)).map(([name]) => name);
    const all = calls.map(([name]) => name);
    expect(refused()).toEqual(all);
    await new Promise<void>((resolve) => client.once("open", resolve));
    expect(refused()).toEqual(all);
    expect(() => client.close(1005)).toThrow(expect.objectContaining({ code: "ERR_CLOSE_CODE" }));
    const reason = "x".repeat(124);
    expect(() => client.close(1000, reason)).toThrow(expect.objectContaining({ code: "ERR_CONTROL_TOO_LONG" }));
    expect(client.send("over", { type: "close", code: 3000 })).toBe(false);
    await new Promise<void>((resolve) => client.once("close", () => resolve()));
    expect([client.closeCode, client.closeReason]).toEqual([3000, "over"]);
    expect(refused()).toEqual(all);
  });

  it.each([["Server", Server] as const, ["ServerConnection", ServerConnection] as const])("a %s", (_name, Class) => {
    expect(() => new Class()).toThrow(unsupported);
  });

  it("a page without a WebSocket, when it is asked to connect", async () => {
    vi.stubGlobal("WebSocket", undefined);
    const error = await thrownBy(() => connect(listening.url));
    expect(error).toMatchObject({ code: "ERR_CONNECT", cause: { code: "ERR_UNSUPPORTED" } });
  });
});

function isRefused(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "ERR_UNSUPPORTED";
  }
}

describe("capabilities", () => {
  it("say so beforehand, by the same names everywhere", () => {
    expect(Object.keys(capabilities)).toEqual(Object.keys(onNode));
    expect(new Set(Object.values(capabilities))).toEqual(new Set([false]));
    expect(new Set(Object.values(onNode))).toEqual(new Set([true]));
    const lacking = Object.entries(capabilitiesOf(streams)).filter(([, can]) => !can);
    expect(lacking.map(([name]) => name)).toEqual(["listen", "tls"]);
    expect(Object.isFrozen(capabilities)).toBe(true);
  });
});
