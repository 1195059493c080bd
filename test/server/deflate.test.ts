import { describe, expect, it } from "vitest";
import { Budget, permessageDeflate } from "../../src/deflate/index.ts";
import type { SendOptions } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { until } from "../helpers/until.ts";

const LONG = "again and again and again ".repeat(20);

describe("send, where permessage-deflate was negotiated", () => {
  it.each<[string, string, SendOptions | undefined, boolean]>([
    ["a long message", LONG, undefined, true],
    ["a long one that is to stay as it is", LONG, { compress: false }, false],
    ["a short message", "again again again", undefined, false],
    ["a short one that is to be compressed", "again again again", { compress: true }, true],
  ])("compresses by threshold and by option: %s", async (_, message, options, isCompressed) => {
    await using listening = await Listening.start({ extensions: [permessageDeflate()] });
    const { client, server } = await listening.pair({ extensions: [permessageDeflate()] });
    for (const [from, to, bytesOf] of [
      [client, server, () => listening.server.stats().bytesReceived],
      [server, client, () => listening.server.stats().bytesSent],
    ] as const) {
      const before = bytesOf();
      from.send(message, options);
      expect(await to.read()).toBe(message);
      expect(bytesOf() - before < message.length).toBe(isCompressed);
    }
    await client.close();
  });

  it("keeps the order, and tells the callbacks, of messages that wait", async () => {
    await using listening = await Listening.start({ extensions: [permessageDeflate()] });
    const { client, server } = await listening.pair({ extensions: [permessageDeflate({ level: 1 })] });
    const told: number[] = [];
    const messages = Array.from({ length: 300 }, (_, i) => `${i} ${LONG.repeat(i % 40)}`);
    server.pause();
    messages.forEach((message, i) => client.send(message, { callback: () => void told.push(i) }));
    server.resume();
    for (const message of messages) expect(await server.read()).toBe(message);
    await until(() => told.length === messages.length);
    expect(told).toEqual(messages.map((_, i) => i));
    await client.close();
  });

  it("gives back to the budget what a connection kept", async () => {
    const budget = new Budget(2 ** 20);
    await using listening = await Listening.start({ extensions: [permessageDeflate({ budget })] });
    const { client } = await listening.pair({ extensions: [permessageDeflate()] });
    expect(budget.used).toBe(2 * 2 ** 12);
    client.send(LONG);
    await client.close();
    await until(() => budget.used === 0);
  });
});
