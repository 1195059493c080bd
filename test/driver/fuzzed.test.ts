import { describe, expect, it } from "vitest";
import { driverFor } from "../../src/driver.ts";
import { host } from "../../src/hosts/node.ts";
import { Emitter } from "../../src/driver/emitter.ts";
import { Inbox } from "../../src/driver/inbox.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import { acceptOf, sampleKey } from "../helpers/raw-peer.ts";
import { Recording, turns, until } from "../helpers/until.ts";
import { concat, latin1, readFrames } from "../helpers/wire.ts";

const headers = {
  host: "test",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": sampleKey,
};

// What `npm run fuzz` has found.
describe("the driver", () => {
  it("answers those who read in the order in which they asked", async () => {
    const inbox = new Inbox();
    const order: unknown[] = [];
    const take = (): void => void inbox.read().then((message) => order.push(message));
    take();
    inbox.push("first", false);
    inbox.push("second", false);
    take();
    await turns(2);
    expect(order).toEqual(["first", "second"]);
  });

  it("opens when the first early send was refused", async () => {
    const [transport, peer] = MemoryTransport.pipe();
    let answer = "";
    peer.start({ data: (chunk) => (answer += latin1(chunk)), end: () => undefined, close: () => undefined });
    const server = driverFor(host).makeServer({ socket: transport, headers }, { maxQueuedBytes: 10 });
    expect(() => server.send("more than ten bytes")).toThrow(expect.objectContaining({ code: "ERR_QUEUE_FULL" }));
    server.startConnection();
    await until(() => answer.includes("\r\n\r\n"));
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(server.readyState).toBe("open");
    server.terminate();
  });

  it("overflows once, also when a listener of the error sends", async () => {
    const [transport] = MemoryTransport.pipe();
    const options = { highWaterMark: 1000, maxQueuedBytes: 1000 };
    const server = driverFor(host).makeServer({ socket: transport, headers }, options);
    const errors: unknown[] = [];
    server.startConnection();
    server.on("error", (error) => {
      errors.push((error as { code?: string }).code);
      server.send("one more");
    });
    for (let i = 0; i < 3; i++) server.send("~".repeat(1000));
    expect(errors).toEqual(["ERR_SLOW_CONSUMER"]);
    expect(server.readyState).toBe("closing");
    server.terminate();
    await until(() => server.readyState === "closed");
  });

  it("calls a listener once that is there for one event, also when that is emitted inside it", () => {
    class Bell extends Emitter<{ ring: [] }> {
      protected override listenerFailed(error: unknown): void {
        throw error;
      }
    }
    const bell = new Bell();
    const calls: string[] = [];
    bell.once("ring", () => {
      calls.push("first");
      bell.emit("ring");
    });
    bell.once("ring", () => calls.push("second"));
    bell.emit("ring");
    expect(calls).toEqual(["first", "second"]);
  });

  it("sends nothing behind the Close frame when an early send has cost the connection", async () => {
    const [transport, peer] = MemoryTransport.pipe();
    const sent: Uint8Array[] = [];
    peer.start({ data: (chunk) => void sent.push(chunk.slice()), end: () => undefined, close: () => undefined });
    const client = driverFor(host).makeClient("ws://test/", { dial: () => transport });
    const recording = new Recording(client);
    const callbacks: unknown[] = [];
    client.startConnection();
    client.send("nothing to continue", { type: "continuation" });
    client.send("behind it", { callback: (error) => callbacks.push((error as { code?: string } | undefined)?.code) });
    await until(() => sent.length > 0);
    const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(latin1(sent[0]!))![1]!;
    const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`;
    peer.write([Buffer.from(`HTTP/1.1 101 \r\n${fields}`)], () => undefined);
    await until(() => callbacks.length > 0);
    await turns(20);
    peer.end();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(callbacks).toEqual(["ERR_NOT_OPEN"]);
    expect(recording.errors).toMatchObject([{ code: "ERR_HANDLER", cause: { code: "ERR_FRAME_ORDER" } }]);
    expect(readFrames(concat(sent.slice(1))).map(({ opcode }) => opcode)).toEqual([8]);
  });
});
