import { describe, expect, it } from "vitest";
import { Budget, connect, type Message } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import type { RawPeer } from "../helpers/raw-peer.ts";
import { frame, op } from "../helpers/raw-peer.ts";
import { Recording, until } from "../helpers/until.ts";

describe("the budget for unfinished messages", () => {
  it("closes who asks for more than is left with 1013, leaves the others alone, and gets everything back", async () => {
    const budget = new Budget(1_000_000);
    await using listening = await Listening.start({ budget });
    const half = frame(op.binary, new Uint8Array(300_000), { fin: false });
    const peers: RawPeer[] = [];
    const recordings: Recording[] = [];
    for (let i = 0; i < 3; i++) {
      const { peer, server } = await listening.raw();
      recordings.push(new Recording(server));
      peers.push(peer);
      const used = budget.used;
      peer.write(half);
      await until(() => budget.used >= used + 300_000);
    }
    expect(budget.used).toBeLessThanOrEqual(1_000_000);
    const { peer, server } = await listening.raw();
    const last = new Recording(server);
    peer.write(half);
    const close = await peer.readFrame();
    expect([close.opcode, close.payload.readUInt16BE()]).toEqual([op.close, 1013]);
    expect(last.of("error")).toMatchObject([{ code: "ERR_BUDGET", closeCode: 1013 }]);
    // A message that comes whole needs no part of it.
    const whole = await listening.pair();
    const got: Message[] = [];
    whole.server.on("message", (message) => got.push(message));
    whole.client.send("whole");
    await until(() => got.length === 1);
    // One is finished, one is reset, and one closes.
    peers[0]!.send(op.continuation, "end");
    await until(() => recordings[0]!.messages.length === 1);
    peers[1]!.reset();
    await until(() => recordings[1]!.of("close").length === 1);
    expect(budget.used).toBeGreaterThan(0);
    peers[2]!.send(op.close, Buffer.from([3, 232]));
    peers[2]!.end();
    peer.end();
    await until(() => recordings[2]!.of("close").length === 1);
    await until(() => last.of("close").length === 1);
    expect(budget.used).toBe(0);
    for (const recording of recordings.slice(0, 1)) expect(recording.of("error")).toEqual([]);
  });

  it("counts what a client receives as well, and what a violation cut off is given back", async () => {
    const budget = new Budget(2 ** 53);
    await using listening = await Listening.start();
    const client = await connect(listening.url, { budget });
    const server = await listening.connection();
    const recording = new Recording(client);
    server.send(new Uint8Array(100_000), { fin: false });
    await until(() => budget.used >= 100_000);
    (server.socket!.raw as { write(bytes: Uint8Array): void }).write(frame(3, "", { mask: false }));
    await until(() => recording.of("close").length === 1);
    expect(recording.of("error")).toMatchObject([{ code: "ERR_PROTOCOL" }]);
    expect(budget.used).toBe(0);
  });

  it("of 0 lets in only what comes whole, and may be changed while in use", async () => {
    const budget = new Budget(0);
    await using listening = await Listening.start({ budget });
    const { peer, server } = await listening.raw();
    const recording = new Recording(server);
    peer.send(op.text, "whole");
    await until(() => recording.messages.length === 1);
    budget.limit = 2 ** 31;
    peer.send(op.text, "in two pieces", { fin: false });
    await until(() => budget.used > 0);
    budget.limit = 0;
    peer.send(op.continuation);
    await until(() => recording.messages.length === 2);
    expect(recording.messages).toEqual(["whole", "in two pieces"]);
    peer.send(op.text, "no more", { fin: false });
    peer.end();
    await until(() => recording.of("close").length === 1);
    expect(recording.of("error")).toMatchObject([{ code: "ERR_BUDGET" }]);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53 + 2])("is not of %d bytes", (limit) => {
    expect(() => new Budget(limit)).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_OPTION_RANGE" }));
  });
});
