import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { connect, type Diagnostics } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { op } from "../helpers/raw-peer.ts";
import { Recording, until } from "../helpers/until.ts";

describe("stats", () => {
  it("count connections, messages and bytes each way, closes and refusals", async () => {
    await using listening = await Listening.start();
    const { server } = listening;
    expect(server.stats()).toEqual({
      open: 0,
      opening: 0,
      opened: 0,
      closes: {},
      refusals: {},
      messagesReceived: 0,
      messagesSent: 0,
      bytesReceived: 0,
      bytesSent: 0,
      dropped: 0,
      queuedBytes: 0,
      queuedMessages: 0,
      longestQueue: 0,
    });
    const { peer, server: own } = await listening.raw();
    const recording = new Recording(own);
    peer.send(op.text, "12345");
    peer.send(op.text, "1", { fin: false });
    peer.send(op.continuation, "2");
    await until(() => recording.messages.length === 2);
    own.send("abc");
    own.send("a", { fin: false });
    own.send("b", { type: "continuation" });
    own.sendPing();
    for (let i = 0; i < 4; i++) await peer.readFrame();
    expect(server.stats()).toMatchObject({
      open: 1,
      opened: 1,
      messagesReceived: 2,
      // Each header of a client's has a masking key.
      bytesReceived: 3 * 6 + 7,
      messagesSent: 2,
      bytesSent: 4 * 2 + 5,
    });
    peer.send(op.close, Buffer.from([0x0f, 0xa1]));
    peer.end();
    await until(() => recording.of("close").length === 1);
    const { server: second, peer: gone } = await listening.raw();
    const other = new Recording(second);
    gone.reset();
    await until(() => other.of("close").length === 1);
    await expect(connect(listening.url, { additionalHeaders: { Origin: "https://evil.example" } })).rejects.toThrow();
    expect(server.stats()).toMatchObject({ open: 0, opened: 2, closes: { 4001: 1, 1006: 1 }, refusals: { origin: 1 } });
    expect(JSON.parse(JSON.stringify(server.stats()))).toEqual(server.stats());
  });

  it("tell how much waits for peers that do not read", async () => {
    await using listening = await Listening.start({ slowConsumer: "drop-newest", maxQueuedBytes: 2 ** 20 });
    const { peer, server: own } = await listening.raw();
    peer.socket.pause();
    while (listening.server.stats().dropped === 0) own.send(new Uint8Array(100_000));
    const { queuedBytes, queuedMessages, longestQueue } = listening.server.stats();
    expect(queuedBytes).toBe(own.bufferedAmount);
    expect(queuedBytes).toBeLessThanOrEqual(2 ** 20);
    expect(longestQueue).toBe(queuedBytes);
    expect(queuedMessages).toBe(own.queuedMessages);
    expect(queuedMessages).toBeGreaterThan(0);
  });
});

describe("diagnostics channels", () => {
  it("publish what happens, and only to those who subscribed", async () => {
    const seen: [string, unknown][] = [];
    const names: (keyof Diagnostics)[] = ["hybi:open", "hybi:close", "hybi:error", "hybi:refused", "hybi:drop"];
    const listener = (message: unknown, name: string | symbol): void => void seen.push([String(name), message]);
    for (const name of names) subscribe(name, listener);
    try {
      await using listening = await Listening.start({ slowConsumer: "drop-newest", maxQueuedBytes: 0 });
      const { peer, server } = await listening.raw();
      expect(seen).toEqual([["hybi:open", { connection: server }]]);
      peer.socket.pause();
      while (server.send(new Uint8Array(1 << 20)));
      server.send("dropped");
      expect(seen.at(-1)).toEqual(["hybi:drop", { connection: server }]);
      peer.reset();
      await until(() => seen.some(([name]) => name === "hybi:close"));
      expect(seen.slice(2)).toEqual([
        ["hybi:error", { connection: server, error: expect.objectContaining({ code: "ERR_TRANSPORT" }) as unknown }],
        ["hybi:close", { connection: server, info: { code: 1006, reason: "", wasClean: false } }],
      ]);
      seen.length = 0;
      await expect(connect(listening.url, { additionalHeaders: { Origin: "null" } })).rejects.toThrow();
      expect(seen.map(([name]) => name)).toContain("hybi:refused");
    } finally {
      for (const name of names) unsubscribe(name, listener);
    }
    expect(names.some((name) => channel(name).hasSubscribers)).toBe(false);
  });
});
