import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { SlowConsumer } from "../../src/driver/queue.ts";
import type { ServerStats } from "../../src/server/stats.ts";
import { MemoryWatch } from "../conformance/memory.ts";
import { startProgram, type RuntimeName, type Started } from "../conformance/runtimes.ts";
import { closePayload, op, request } from "../helpers/raw-peer.ts";
import { until } from "../helpers/until.ts";

const READERS = 999;
const SIZE = 4000;
const ROUNDS = 9;
const MESSAGES = 10;
const FRAGMENTS = 5;
const LIMIT = 1 << 18;
const MIB = 1 << 20;

interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  /** That stands at its beginning, if it has one. */
  readonly number: number;
  readonly payload: Buffer;
}

/** A client that takes down all frames that come, of which each message is a number and blanks. */
class Client {
  readonly socket: net.Socket;
  isOpen = false;
  hasEnded = false;
  /** Frames that came. */
  count = 0;
  readonly frames: Frame[] = [];
  readonly #keeps: boolean;
  #rest: Buffer = Buffer.alloc(0);
  /** The number of the message that comes next, and what is wrong with the first that was another. */
  #next = 0;
  wrong: string | undefined;

  /** One that `keeps` its frames looks at none of them. */
  constructor(port: number, path: string, keeps: boolean) {
    this.#keeps = keeps;
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.write(request({}, `GET ${path} HTTP/1.1`));
    this.socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.socket.on("error", () => (this.hasEnded = true));
    this.socket.on("close", () => (this.hasEnded = true));
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.isOpen) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end >= 0) this.isOpen = true;
      bytes = bytes.subarray(end >= 0 ? end + 4 : 0);
    }
    while (this.isOpen && bytes.length >= 2) {
      const short = bytes[1]!;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length < head) break;
      const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
      if (bytes.length < head + length) break;
      this.#frame(bytes[0]!, bytes.subarray(head, head + length));
      bytes = bytes.subarray(head + length);
    }
    this.#rest = bytes;
  }

  #frame(first: number, payload: Buffer): void {
    const frame = {
      fin: first >= 0x80,
      opcode: first & 15,
      number: parseInt(payload.toString("latin1", 0, 10)),
      payload,
    };
    this.count++;
    if (this.#keeps) this.frames.push(frame);
    else if (frame.number !== this.#next) this.wrong ??= `${frame.number} came in the place of ${this.#next}`;
    if (frame.fin) this.#next++;
  }
}

interface Look {
  readonly fates: readonly (readonly string[])[];
  readonly events: readonly (readonly [string, (string | number)?])[];
  readonly stats: ServerStats;
  readonly behind: number;
}

/** The program, and all its clients. */
class Broadcast {
  readonly readers: Client[] = [];
  stalled!: Client;
  readonly #program: Started;
  #sent = 0;

  constructor(program: Started) {
    this.#program = program;
  }

  static async start(name: Exclude<RuntimeName, "workerd">, options: object): Promise<Broadcast> {
    const broadcast = new Broadcast(
      startProgram(name, ["test/faults/programs/broadcast.mjs", JSON.stringify(options)]),
    );
    const { port } = (await broadcast.#program.lines.next()).value as { port: number };
    broadcast.stalled = new Client(port, "/stalled", true);
    for (let i = 0; i < READERS; i++) {
      const reader = new Client(port, "/", false);
      broadcast.readers.push(reader);
      if (i % 100 === 0) await until(() => reader.isOpen);
    }
    await until(() => [broadcast.stalled, ...broadcast.readers].every(({ isOpen }) => isOpen));
    broadcast.stalled.socket.pause();
    return broadcast;
  }

  get pid(): number {
    return this.#program.child.pid!;
  }

  async call<T>(...command: unknown[]): Promise<T> {
    this.#program.child.stdin!.write(`${JSON.stringify(command)}\n`);
    return (await this.#program.lines.next()).value as T;
  }

  look(): Promise<Look> {
    return this.call<Look>("look");
  }

  /** Looks until something is as wanted. */
  async lookFor(isThere: (look: Look) => boolean): Promise<Look> {
    for (;;) {
      const look = await this.look();
      if (isThere(look)) return look;
      await sleep(1);
    }
  }

  /** Sends to the one that does not read until its system takes no more. */
  async fill(): Promise<void> {
    for (let same = 0, before = 0; same < 10;) {
      const { behind } = await this.look();
      same = behind > 0 && behind === before ? same + 1 : 0;
      before = behind;
      if (behind === 0) await this.call("fill", 1, 50_000);
    }
  }

  /** A round, which is over when all who read have had it. */
  async round(inFragments: boolean): Promise<void> {
    if (inFragments) await this.call("fragments", this.#sent, FRAGMENTS, SIZE);
    else await this.call("broadcast", this.#sent, MESSAGES, SIZE);
    this.#sent += inFragments ? 1 : MESSAGES;
    this.#frames += inFragments ? FRAGMENTS : MESSAGES;
    await until(() => this.readers.every(({ count, hasEnded }) => count >= this.#frames || hasEnded));
    for (const { count, wrong, hasEnded } of this.readers)
      expect([count, wrong, hasEnded]).toEqual([this.#frames, undefined, false]);
  }

  #frames = 0;

  async stop(): Promise<void> {
    for (const { socket } of [this.stalled, ...this.readers]) socket.destroy();
    await this.#program.stop();
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
const withFate = ({ fates }: Look, wanted: string): number[] =>
  fates.flatMap(([fate], i) => (fate === wanted ? [i] : []));

/** One client of a thousand stops reading while all get the same. */
export function serveSlowConsumers(name: Exclude<RuntimeName, "workerd">): void {
  let broadcast: Broadcast | undefined;
  afterEach(async () => {
    await broadcast?.stop();
    broadcast = undefined;
  });

  async function stall(slowConsumer: SlowConsumer, closeTimeout = 60_000): Promise<{ all: Broadcast; stuck: Look }> {
    const all = (broadcast = await Broadcast.start(name, { slowConsumer, maxQueuedBytes: LIMIT, closeTimeout }));
    await all.fill();
    const before = all.stalled.socket.bytesRead;
    for (let i = 0; i < ROUNDS; i++) {
      const drops = slowConsumer.startsWith("drop");
      await all.round(drops && i === 3);
      const { stats, behind } = await all.look();
      // Fragments are held in any case.
      expect(stats.longestQueue).toBeLessThanOrEqual(LIMIT + FRAGMENTS * (SIZE + 14) + 1000);
      if (slowConsumer !== "close") expect(behind).toBeGreaterThan(0);
    }
    expect(all.stalled.socket.bytesRead).toBe(before);
    // As much again to this one alone as must show in the memory of the server, if it kept it.
    using memory = new MemoryWatch(all.pid);
    for (let i = 0; i < 40; i++) await all.call("fill", 100, 50_000);
    expect(memory.growth).toBeLessThan(150 * MIB);
    const stuck = await all.look();
    for (const fate of stuck.fates) expect(fate.length).toBeLessThanOrEqual(1);
    return { all, stuck };
  }

  /** The stalled one reads again; what became of all messages, and the numbers of those that came. */
  async function readAgain(all: Broadcast): Promise<{ end: Look; numbers: number[] }> {
    const { stalled } = all;
    stalled.socket.resume();
    const end = await all.lookFor(({ fates, behind }) => behind === 0 && fates.every(({ length }) => length > 0));
    const sent = withFate(end, "sent").length;
    await until(() => stalled.frames.filter(({ opcode }) => opcode <= op.binary).length >= sent || stalled.hasEnded);
    for (const fate of end.fates) expect(fate.length).toBe(1);
    return { end, numbers: stalled.frames.filter(({ opcode }) => opcode <= op.binary).map(({ number }) => number) };
  }

  /** The fragments of the one message that had some: all, and next to each other. */
  function expectWhole({ stalled }: Broadcast): void {
    const parts = stalled.frames.flatMap(({ fin, opcode }, i) => (!fin || opcode === op.continuation ? [i] : []));
    expect(parts).toEqual(range(parts[0]!, parts[0]! + FRAGMENTS));
  }

  describe(`one of 1,000 connections of ${name} that does not read`, { timeout: 120_000 }, () => {
    it("gets the oldest and the newest by drop-oldest, and the others everything in time", async () => {
      const { all } = await stall("drop-oldest");
      const { end, numbers } = await readAgain(all);
      expect(numbers).toEqual(withFate(end, "sent"));
      const dropped = withFate(end, "ERR_DROPPED");
      expect(dropped.length).toBeGreaterThan(0);
      expect(end.stats.dropped).toBe(dropped.length);
      // What is gone lies in one gap, but for the fragments in it.
      const parts = all.stalled.frames.filter(({ fin, opcode }) => !fin || opcode === op.continuation);
      const held = parts.map(({ number }) => number);
      expect([...dropped, ...held.filter((i) => i > dropped[0]! && i < dropped.at(-1)!)].sort((a, b) => a - b)).toEqual(
        range(dropped[0]!, dropped.at(-1)! + 1),
      );
      expect(numbers.at(-1)).toBe(end.fates.length - 1);
      expectWhole(all);
    });

    it("gets the oldest by drop-newest, and the others everything in time", async () => {
      const { all } = await stall("drop-newest");
      const { end, numbers } = await readAgain(all);
      expect(numbers).toEqual(withFate(end, "sent"));
      const dropped = withFate(end, "ERR_DROPPED");
      expect(end.stats.dropped).toBe(dropped.length);
      expect(dropped).toEqual(range(end.fates.length - dropped.length, end.fates.length));
      expect(dropped.length).toBeGreaterThan(0);
      expectWhole(all);
      expect(end.events).toEqual([["drain"]]);
    });

    it("has send throw by wait, and drain come once it reads, and the others get everything in time", async () => {
      const { all, stuck } = await stall("wait");
      const thrown = withFate(stuck, "threw ERR_QUEUE_FULL");
      expect(thrown).toEqual(range(stuck.fates.length - thrown.length, stuck.fates.length));
      expect(thrown.length).toBeGreaterThan(0);
      expect(stuck.events).toEqual([]);
      const { end, numbers } = await readAgain(all);
      expect(numbers).toEqual(range(0, thrown[0]!));
      expect(numbers).toEqual(withFate(end, "sent"));
      expect(end.events).toEqual([["drain"]]);
      expect(end.stats.dropped).toBe(0);
    });

    it("is told 1013 by close, and the others get everything in time", async () => {
      const { all, stuck } = await stall("close");
      expect(stuck.events).toEqual([["error", "ERR_SLOW_CONSUMER"]]);
      const { end, numbers } = await readAgain(all);
      expect(numbers).toEqual(range(0, numbers.length));
      expect(numbers).toEqual(withFate(end, "sent"));
      await until(() => all.stalled.hasEnded);
      const last = all.stalled.frames.at(-1)!;
      expect([last.opcode, last.payload]).toEqual([op.close, closePayload(1013)]);
      const { events, stats } = await all.lookFor((look) => look.events.at(-1)![0] === "close");
      expect(events).toEqual([["error", "ERR_SLOW_CONSUMER"], ["drain"], ["close", 1006]]);
      expect([stats.open, stats.closes]).toEqual([READERS, { 1006: 1 }]);
    });

    it("is ended at the close timeout by close, when it never reads again", async () => {
      const { all } = await stall("close", 300);
      const { events, fates, stats } = await all.lookFor((look) => look.events.at(-1)![0] === "close");
      expect(events).toEqual([["error", "ERR_SLOW_CONSUMER"], ["close", 1006]]); // prettier-ignore
      for (const fate of fates) expect(fate.length).toBe(1);
      expect([stats.open, stats.queuedBytes]).toEqual([READERS, 0]);
    });
  });
}
