import { describe, expect, it } from "vitest";
import { Queue, slowConsumers, type Held } from "../../src/driver/queue.ts";
import { makeServer } from "../../src/driver.ts";
import type { ConnectionOptions } from "../../src/driver.ts";
import type { ServerConnection } from "../../src/index.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import { closePayload, frame, op, request } from "../helpers/raw-peer.ts";
import { Recording, turns, until } from "../helpers/until.ts";
import { readFrames, type WireFrame } from "../helpers/wire.ts";

const headers = Object.fromEntries(
  request()
    .split("\r\n")
    .slice(1, -2)
    .map((line) => line.split(": ") as [string, string]),
);

/** A client that reads when the test says so. */
class Reader {
  readonly transport: MemoryTransport;
  isClosed = false;
  #bytes = "";

  constructor(transport: MemoryTransport) {
    this.transport = transport;
    transport.start({
      data: (chunk) => void (this.#bytes += Buffer.from(chunk).toString("latin1")),
      end: () => transport.end(),
      close: () => (this.isClosed = true),
    });
  }

  get frames(): WireFrame[] {
    return readFrames(Buffer.from(this.#bytes.slice(this.#bytes.indexOf("\r\n\r\n") + 4), "latin1"));
  }

  get texts(): string[] {
    return this.frames
      .filter(({ opcode }) => opcode <= op.binary)
      .map(({ payload }) => Buffer.from(payload).toString("utf8"));
  }
}

interface Opened {
  readonly connection: ServerConnection;
  readonly seen: Recording;
  readonly reader: Reader;
}

async function open(options: ConnectionOptions): Promise<Opened> {
  const [near, far] = MemoryTransport.pipe();
  const reader = new Reader(far);
  const connection = makeServer({ url: "/", headers, socket: near }, { heartbeat: false, ...options });
  const seen = new Recording(connection);
  connection.startConnection();
  await turns(5);
  return { connection, seen, reader };
}

/** What became of each message: "sent", or the code of an error; undefined while nothing did. */
type Fates = (string | undefined)[];

/** Numbers as texts of `size` characters. */
function sendAll(connection: ServerConnection, count: number, size: number, fates: Fates, from = 0): void {
  for (let i = from; i < from + count; i++) {
    fates[i] = undefined;
    const callback = (error?: Error & { code?: string }): void => {
      if (fates[i] !== undefined) throw new Error(`The callback of ${i} was called twice.`);
      fates[i] = error ? (error.code ?? error.message) : "sent";
    };
    try {
      connection.send(`${i}`.padEnd(size), { callback });
    } catch (error) {
      fates[i] = `threw ${(error as { code: string }).code}`;
    }
  }
}

const numbers = (texts: readonly string[]): number[] => texts.map(Number);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const withFate = (fates: Fates, fate: string | undefined): number[] =>
  fates.flatMap((one, i) => (one === fate ? [i] : []));

const SIZE = 1000;
/** With its header. */
const ON_THE_WIRE = SIZE + 4;

describe("a peer that does not read", () => {
  it("gets the oldest, and the newest, when the others are dropped oldest first", async () => {
    const { connection, seen, reader } = await open({ slowConsumer: "drop-oldest", highWaterMark: 5000, maxQueuedBytes: 20_500 }); // prettier-ignore
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 100, SIZE, fates);
    await turns(2);
    expect(connection.bufferedAmount).toBeLessThanOrEqual(20_500);
    const dropped = withFate(fates, "ERR_DROPPED");
    expect(dropped).toEqual(range(5, 85));
    reader.transport.resume();
    await until(() => seen.names.includes("drain"));
    await turns(20);
    expect(numbers(reader.texts)).toEqual([...range(0, 5), ...range(85, 100)]);
    expect(withFate(fates, "sent")).toEqual(numbers(reader.texts));
    expect(connection.bufferedAmount).toBe(0);
    expect(connection.queuedMessages).toBe(0);
  });

  it("gets the oldest when the newest are dropped", async () => {
    const { connection, seen, reader } = await open({ slowConsumer: "drop-newest", highWaterMark: 5000, maxQueuedBytes: 20_500 }); // prettier-ignore
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 100, SIZE, fates);
    await turns(2);
    expect(withFate(fates, "ERR_DROPPED")).toEqual(range(20, 100));
    reader.transport.resume();
    await until(() => seen.names.includes("drain"));
    sendAll(connection, 3, SIZE, fates, 100);
    await until(() => reader.texts.length === 23);
    expect(numbers(reader.texts)).toEqual([...range(0, 20), 100, 101, 102]);
    expect(withFate(fates, "sent")).toEqual(numbers(reader.texts));
  });

  it("has send throw when we are to wait, and drain come later", async () => {
    const { connection, seen, reader } = await open({ slowConsumer: "wait", highWaterMark: 5000, maxQueuedBytes: 20_500 }); // prettier-ignore
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 100, SIZE, fates);
    await turns(2);
    expect(withFate(fates, "threw ERR_QUEUE_FULL")).toEqual(range(20, 100));
    expect(seen.names).not.toContain("drain");
    reader.transport.resume();
    await until(() => seen.names.includes("drain"));
    await turns(20);
    expect(numbers(reader.texts)).toEqual(range(0, 20));
    expect(withFate(fates, "sent")).toEqual(range(0, 20));
    expect(seen.names.filter((name) => name === "drain").length).toBe(1);
  });

  it("is told to come back later when the connection is to close", async () => {
    const { connection, seen, reader } = await open({ slowConsumer: "close", highWaterMark: 5000, maxQueuedBytes: 20_500 }); // prettier-ignore
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 100, SIZE, fates);
    // As every other callback, they come later.
    expect(withFate(fates, "ERR_NOT_OPEN")).toEqual([]);
    await turns(2);
    expect(seen.errors).toMatchObject([{ code: "ERR_SLOW_CONSUMER" }]);
    expect(withFate(fates, "ERR_NOT_OPEN")).toEqual(range(20, 100));
    reader.transport.resume();
    expect(await seen.closed()).toEqual([[1006, ""]]);
    expect(numbers(reader.texts)).toEqual(range(0, 20));
    expect(Buffer.from(reader.frames.at(-1)!.payload)).toEqual(closePayload(1013));
    expect(withFate(fates, "sent")).toEqual(range(0, 20));
  });

  it.each(["drop-oldest", "drop-newest"] as const)("never loses a part of a message by %s", async (slowConsumer) => {
    const { connection, reader } = await open({ slowConsumer, highWaterMark: 5000, maxQueuedBytes: 10_500 });
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 20, SIZE, fates);
    for (let i = 0; i < 8; i++)
      connection.send(`${i}`.padEnd(SIZE), i === 0 ? { fin: false } : { type: "continuation", fin: i === 7 });
    sendAll(connection, 20, SIZE, fates, 20);
    reader.transport.resume();
    await until(() => connection.bufferedAmount === 0);
    await turns(20);
    const parts = reader.frames.flatMap(({ fin, opcode }, i) => (!fin || opcode === op.continuation ? [i] : []));
    expect(parts).toEqual(range(parts[0]!, parts[0]! + 8));
    const whole = reader.texts.filter((_, i) => !parts.includes(i));
    expect(withFate(fates, "sent")).toEqual(numbers(whole));
    expect(withFate(fates, undefined)).toEqual([]);
  });

  it("loses nothing for a message that would not fit without the others either", async () => {
    const { connection, reader } = await open({ slowConsumer: "drop-oldest", highWaterMark: 5000, maxQueuedBytes: 20_500 }); // prettier-ignore
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 15, SIZE, fates);
    sendAll(connection, 1, 30_000, fates, 15);
    await turns(2);
    expect(withFate(fates, "ERR_DROPPED")).toEqual([15]);
    reader.transport.resume();
    await until(() => reader.texts.length === 15);
  });

  it("gets nothing behind a Close frame", async () => {
    const { connection, seen, reader } = await open({ slowConsumer: "drop-oldest", highWaterMark: 5000 });
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 20, SIZE, fates);
    connection.on("message", () => {
      throw new Error("a listener fails");
    });
    reader.transport.write([frame(op.text, "go")], () => undefined);
    await until(() => connection.readyState === "closing");
    reader.transport.resume();
    await seen.closed();
    const kinds = reader.frames.map(({ opcode }) => opcode);
    expect(kinds.indexOf(op.close)).toBe(kinds.length - 1);
    expect(withFate(fates, undefined)).toEqual([]);
    expect(withFate(fates, "sent")).toEqual(numbers(reader.texts));
  });

  describe.each([0, 1, 3, 2 ** 53])("with maxQueuedMessages %i", (maxQueuedMessages) => {
    it.each(slowConsumers)("has no more waiting, by %s", async (slowConsumer) => {
      const { connection, seen, reader } = await open({ slowConsumer, maxQueuedMessages });
      reader.transport.pause();
      const fates: Fates = [];
      sendAll(connection, 200, 10, fates);
      await turns(2);
      // One has to be tried, to find out that the peer does not read.
      const most = Math.max(1, Math.min(maxQueuedMessages, 200));
      // The Close frame is one more.
      expect(connection.queuedMessages - seen.errors.length).toBeLessThanOrEqual(most);
      expect(fates.filter((fate) => fate === undefined).length).toBe(most);
      reader.transport.resume();
      await until(() => connection.queuedMessages === 0);
      await turns(20);
      expect(reader.texts.length).toBe(most);
      expect(withFate(fates, "sent")).toEqual(numbers(reader.texts));
    });
  });

  describe.each([0, 1, 5000, 2 ** 53])("with maxQueuedBytes %i", (maxQueuedBytes) => {
    it.each(slowConsumers)("has no more waiting, by %s", async (slowConsumer) => {
      const { connection, reader } = await open({ slowConsumer, maxQueuedBytes, closeTimeout: 2 ** 53 });
      reader.transport.pause();
      const fates: Fates = [];
      sendAll(connection, 200, SIZE, fates);
      await turns(2);
      const most = Math.max(1, Math.min(200, Math.ceil(maxQueuedBytes / ON_THE_WIRE)));
      const left = fates.filter((fate) => fate === undefined).length;
      expect(left).toBeGreaterThanOrEqual(most - 1);
      expect(left).toBeLessThanOrEqual(most);
      reader.transport.resume();
      await until(() => connection.bufferedAmount === 0);
      await turns(20);
      expect(reader.texts.length).toBe(left);
      expect(withFate(fates, "sent")).toEqual(numbers(reader.texts));
    });
  });

  it("costs the others nothing when its long queue is given up", async () => {
    const { connection, seen, reader } = await open({ slowConsumer: "drop-oldest", highWaterMark: 1000 });
    reader.transport.pause();
    const fates: Fates = [];
    sendAll(connection, 120_000, 10, fates);
    const start = performance.now();
    connection.terminate();
    await seen.closed();
    expect(withFate(fates, undefined)).toEqual([]);
    // One after the other off the front of an array took half a minute.
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe("a queue", () => {
  const held = (i: number, mayDrop = true): Held => ({ size: i, run: () => undefined, mayDrop, fail: () => false });

  it("does as a list does, whatever is put in and taken out", () => {
    const queue = new Queue();
    const list: Held[] = [];
    // Numerical Recipes' generator: the same each time.
    let state = 1;
    const random = (below: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
    for (let i = 0; i < 30_000; i++) {
      const kind = random(10);
      if (kind < (i < 15_000 ? 6 : 4)) {
        const one = held(i, random(3) > 0);
        queue.push(one);
        list.push(one);
      } else if (kind < 8) {
        expect(queue.shift()).toBe(list.shift());
      } else {
        const at = list.findIndex(({ mayDrop }) => mayDrop);
        expect(queue.takeOldest()).toBe(at < 0 ? undefined : list.splice(at, 1)[0]);
      }
      expect(queue.length).toBe(list.length);
    }
    expect(queue.bytes).toBe(list.reduce((sum, { size }) => sum + size, 0));
    while (list.length > 0) expect(queue.shift()).toBe(list.shift());
    expect(queue.shift()).toBeUndefined();
    expect(queue.bytes).toBe(0);
  });
});
