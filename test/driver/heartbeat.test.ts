import { beforeEach, describe, expect, it } from "vitest";
import { driverFor } from "../../src/driver.ts";
import type { ConnectionOptions, Host, Transport, TransportHandler } from "../../src/driver.ts";
import type { ServerConnection } from "../../src/index.ts";
import { host as node } from "../../src/hosts/node.ts";
import { FakeClock } from "../helpers/clock.ts";
import { concat } from "../helpers/bytes.ts";
import { frame, op, request } from "../helpers/raw-peer.ts";
import { Recording, turns } from "../helpers/until.ts";
import { readFrames } from "../helpers/wire.ts";

let clock: FakeClock;
let host: Host;
beforeEach(() => {
  clock = new FakeClock();
  host = { ...node, setTimer: clock.setTimer, now: clock.now };
});

const heartbeat = { interval: 1000, timeout: 400 };

/** A system of which the test says what it takes, and what comes. */
class ScriptedTransport implements Transport {
  readonly raw = this;
  readonly remoteAddress = "scripted";
  readonly remotePort = undefined;
  readonly secure = false;
  bufferedAmount = 0;
  /** The buffers of the system are full. */
  isFull = false;
  isDestroyed = false;
  handler!: TransportHandler;
  #written: Uint8Array[] = [];

  start(handler: TransportHandler): void {
    this.handler = handler;
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    this.#written.push(...chunks);
    if (this.isFull) this.bufferedAmount += chunks.reduce((sum, { length }) => sum + length, 0);
    else queueMicrotask(done);
  }

  /** The system takes some of what waits. */
  take(bytes: number): void {
    this.bufferedAmount -= bytes;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {
    this.isDestroyed = true;
    queueMicrotask(() => this.handler.close());
  }

  /** The payloads of the heartbeat's Pings that were sent since the last call. */
  takePings(): Uint8Array[] {
    const bytes = concat(...this.#written.splice(0));
    const text = Buffer.from(bytes).toString("latin1");
    const frames = readFrames(bytes.subarray(text.startsWith("HTTP") ? text.indexOf("\r\n\r\n") + 4 : 0));
    return frames.filter((one) => one.opcode === op.ping && one.payload.length === 8).map(({ payload }) => payload);
  }
}

interface Opened {
  readonly transport: ScriptedTransport;
  readonly connection: ServerConnection;
  readonly seen: Recording;
}

const headers = Object.fromEntries(
  request()
    .split("\r\n")
    .slice(1, -2)
    .map((line) => line.split(": ") as [string, string]),
);

async function open(options: ConnectionOptions = { heartbeat }): Promise<Opened> {
  const transport = new ScriptedTransport();
  const connection = driverFor(host).makeServer({ method: "GET", url: "/", headers, socket: transport }, options);
  const seen = new Recording(connection);
  connection.startConnection();
  await turns(1);
  expect(connection.readyState).toBe("open");
  expect(transport.takePings()).toEqual([]);
  return { transport, connection, seen };
}

/** Lets the time pass, and what follows from it happen. */
async function pass(ms: number, late = 0): Promise<void> {
  clock.advance(ms, late);
  await turns(1);
}

/** Up to the next Ping, which is its answer. */
async function nextPing({ transport }: Opened): Promise<Uint8Array> {
  for (let i = 0; i < 20; i++) {
    await pass(clock.next - clock.time);
    const pings = transport.takePings();
    expect(pings.length).toBeLessThanOrEqual(1);
    if (pings[0]) return pings[0];
  }
  throw new Error("No Ping was sent.");
}

describe("the heartbeat", () => {
  it("finds a peer dead that says nothing to a Ping, at its timeout and within interval and timeout", async () => {
    const opened = await open();
    const { connection, seen } = opened;
    const called: unknown[] = [];
    connection.sendPing("mine", (error) => called.push(error));
    await nextPing(opened);
    expect(clock.time).toBeGreaterThan(700);
    expect(clock.time).toBeLessThan(1000);
    const sentAt = clock.time;
    await pass(390);
    expect(seen.names).toEqual(["open"]);
    await pass(20);
    expect(seen.errors).toMatchObject([{ code: "ERR_DEAD_PEER" }]);
    expect(await seen.closed()).toEqual([[1006, ""]]);
    expect(seen.names).toEqual(["open", "error", "close"]);
    expect(called).toMatchObject([{ code: "ERR_CLOSED" }]);
    expect(clock.time - sentAt).toBeLessThanOrEqual(410);
    expect(clock.timers).toBe(0);
  });

  it("goes on for ever with a peer that answers, and knows how long it takes", async () => {
    const opened = await open();
    const { connection, transport, seen } = opened;
    expect(connection.roundTripTime).toBeUndefined();
    let before = clock.time;
    for (let i = 0; i < 50; i++) {
      const payload = await nextPing(opened);
      expect(clock.time - before).toBeGreaterThan(i === 0 ? 700 : 740);
      expect(clock.time - before).toBeLessThan(1000);
      before = clock.time;
      await pass(i);
      transport.handler.data(frame(op.pong, payload));
      expect(connection.roundTripTime).toBe(i);
    }
    expect(seen.names).toEqual(["open"]);
  });

  it("takes any byte for life, also half a frame", async () => {
    const opened = await open();
    const text = frame(op.text, "not a Pong");
    for (let i = 0; i < 20; i++) {
      await nextPing(opened);
      await pass(300);
      opened.transport.handler.data(Uint8Array.from(i % 2 === 0 ? text.subarray(0, 5) : text.subarray(5)));
    }
    expect(opened.connection.readyState).toBe("open");
    expect(opened.seen.errors).toEqual([]);
  });

  it("owes nothing to a peer that lives and never answers a Ping", async () => {
    const opened = await open();
    const { connection, transport } = opened;
    const before = clock.time;
    for (let i = 0; i < 300; i++) {
      await nextPing(opened);
      transport.handler.data(frame(op.text, "alive"));
    }
    // No faster than otherwise.
    expect(clock.time - before).toBeGreaterThan(300 * 740);
    // As many as a user may have under way.
    const called: unknown[] = [];
    for (let i = 0; i < 200; i++) connection.sendPing(`${i}`, (error) => called.push(error));
    await turns(1);
    transport.handler.data(frame(op.pong, "199"));
    expect(called).toEqual(Array.from({ length: 200 }, () => undefined));
  });

  it("beats no faster when Pongs come late", async () => {
    const opened = await open();
    const { transport, connection } = opened;
    const late: Uint8Array[] = [];
    const before = clock.time;
    let pings = 0;
    for (let i = 0; i < 100; i++) {
      late.push(await nextPing(opened));
      pings++;
      await pass(10);
      if (late.length > 2) transport.handler.data(frame(op.pong, late.shift()));
      else transport.handler.data(frame(op.text, "alive"));
    }
    expect(clock.time - before).toBeGreaterThan(pings * 700);
    expect(connection.readyState).toBe("open");
  });

  it("takes a peer for alive that goes on reading, however long one message takes it", async () => {
    const opened = await open({ heartbeat, slowConsumer: "wait" });
    const { transport, connection } = opened;
    transport.isFull = true;
    connection.send(new Uint8Array(1 << 20));
    await turns(1);
    for (let i = 0; i < 50; i++) {
      await pass(350);
      transport.take(1000);
    }
    expect(connection.readyState).toBe("open");
    // And no longer.
    await pass(1400 + 400);
    expect(opened.seen.errors).toMatchObject([{ code: "ERR_DEAD_PEER" }]);
  });

  it("takes what the system takes into its own buffers for no sign of life", async () => {
    const opened = await open();
    for (let i = 0; i < 100 && !opened.transport.isDestroyed; i++) {
      opened.connection.send("more");
      await pass(20);
    }
    expect(opened.seen.errors).toMatchObject([{ code: "ERR_DEAD_PEER" }]);
    expect(clock.time).toBeLessThanOrEqual(1400);
  });

  it("ends nobody while we do not read, nor at once when we do again", async () => {
    const opened = await open();
    const { transport, connection, seen } = opened;
    connection.pause();
    await pass(10_000);
    expect(transport.takePings().length).toBeGreaterThan(5);
    connection.resume();
    await pass(300);
    transport.handler.data(frame(op.text, "what lay there"));
    expect(connection.readyState).toBe("open");
    // Nobody has died of it, but who is silent from here on does.
    await pass(1400 + 400);
    expect(seen.errors).toMatchObject([{ code: "ERR_DEAD_PEER" }]);
  });

  it.each([
    ["longer than interval and timeout", 3000],
    ["until just past the deadline", 10],
    ["for half a timeout longer", 200],
  ])("ends nobody because this process was busy %s", async (_, late) => {
    const opened = await open();
    const { transport, connection, seen } = opened;
    for (let i = 0; i < 10; i++) {
      const payload = await nextPing(opened);
      // The Pong is there, but the timer comes first.
      clock.advance(clock.next - clock.time + late, late);
      transport.handler.data(frame(op.pong, payload));
      expect(seen.errors).toEqual([]);
    }
    expect(connection.readyState).toBe("open");
  });

  it("sends nothing, and waits for nothing, when it is off", async () => {
    const { transport, connection } = await open({ heartbeat: false });
    expect(clock.timers).toBe(0);
    await pass(1e9);
    expect(transport.takePings()).toEqual([]);
    expect(connection.readyState).toBe("open");
    expect(connection.roundTripTime).toBeUndefined();
  });

  it("spreads the Pings of 1,000 connections, and needs one timer", async () => {
    const all: Opened[] = [];
    for (let i = 0; i < 1000; i++) all.push(await open());
    expect(clock.timers).toBe(1);
    for (let round = 0; round < 3; round++) {
      const counts: number[] = [];
      for (let ms = 0; ms < 1000; ms += 10) {
        await pass(10);
        let count = 0;
        for (const { transport } of all)
          for (const payload of transport.takePings()) {
            count++;
            transport.handler.data(frame(op.pong, payload));
          }
        counts.push(count);
        expect(clock.timers).toBe(1);
      }
      expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(1000);
      // They go by deadlines of 8 ms; evenly over a fifth of the interval it would be 50 in 10 ms.
      expect(Math.max(...counts)).toBeLessThan(150);
    }
    expect(clock.timersSet).toBeLessThan(1000);
  });
});
