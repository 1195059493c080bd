import { afterEach, describe, expect, it, vi } from "vitest";
import { host } from "../../../src/hosts/streams.ts";
import { StreamsTransport } from "../../../src/hosts/streams-transport.ts";
import { driverFor } from "../../../src/driver/driver.ts";
import { connect, Server } from "../../../src/index.ts";
import { HeldPair, kindsOfPairs } from "../../helpers/stream-pairs.ts";
import { Recording, next, thrownBy, until } from "../../helpers/until.ts";
import * as streams from "../../../src/streams.ts";

afterEach(() => void vi.unstubAllGlobals());

describe("the host of web standards", () => {
  it("neither listens nor dials, and says what does", async () => {
    const unsupported = { name: "ConnectionError", code: "ERR_UNSUPPORTED" };
    const listening = await thrownBy(() => host.listen({} as never, () => undefined));
    expect(listening).toMatchObject({ ...unsupported, message: expect.stringContaining("Server.accept") });
    const dialing = await thrownBy(() => host.dial({} as never));
    expect(dialing).toMatchObject({ ...unsupported, message: expect.stringContaining('"dial"') });
    const client = driverFor(host).makeClient("ws://x/");
    const recording = new Recording(client);
    client.startConnection();
    await recording.closed();
    expect(recording.errors).toMatchObject([{ code: "ERR_CONNECT", cause: unsupported }]);
  });

  it("wraps a pair of streams, with what was read from it, and nothing else", () => {
    const pair = new HeldPair();
    const transport = host.wrap(pair, Uint8Array.of(1));
    expect(transport).toBeInstanceOf(StreamsTransport);
    expect(transport.raw).toBe(pair);
    for (const no of [undefined, null, {}, "x", new ReadableStream()])
      expect(() => host.wrap(no)).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_OPTION_TYPE" }));
  });

  it("draws random bytes, and shows errors", () => {
    const bytes = new Uint8Array(64);
    host.random(bytes);
    expect(new Set(bytes).size).toBeGreaterThan(8);
    const shown: unknown[] = [];
    vi.stubGlobal("console", { error: (error: unknown) => shown.push(error) });
    host.reportError("seen");
    expect(shown).toEqual(["seen"]);
  });

  it("has timers, which can be cancelled and keep no process alive", async () => {
    const fired: number[] = [];
    const cancel = host.setTimer(() => fired.push(1), 1);
    const unrefs: string[] = [];
    vi.stubGlobal("setTimeout", () => ({ unref: () => unrefs.push("unref") }));
    host.setTimer(() => undefined, 1);
    vi.unstubAllGlobals();
    expect(unrefs).toEqual(["unref"]);
    cancel();
    host.setTimer(() => fired.push(2), 2);
    await until(() => fired.length > 0);
    expect(fired).toEqual([2]);
  });

  it("has timers where those are numbers, as in browsers", () => {
    const cleared: unknown[] = [];
    vi.stubGlobal("setTimeout", () => 7);
    vi.stubGlobal("clearTimeout", (timer: unknown) => cleared.push(timer));
    host.setTimer(() => undefined, 1)();
    expect(cleared).toEqual([7]);
  });

  it("drives both sides of a connection, whose request may be read already", async () => {
    const { near, far, close } = await kindsOfPairs[0]![1]();
    const driver = driverFor(host);
    const accepted = new Server();
    const opened = next(accepted, "connection");
    void accepted.accept(far);
    const client = driver.makeClient("ws://x/", { dial: () => near });
    client.startConnection();
    const [server] = await opened;
    client.send("Hi");
    expect(await server.read()).toBe("Hi");
    await client.close();
    close();
  });
});

it("hybi/streams has all of hybi, and the transport", () => {
  expect(streams).toMatchObject({ connect, Server, StreamsTransport });
});
