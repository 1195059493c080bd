import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readLater, sendLater, type Broadcast } from "../../../src/hosts/deno-turn.ts";

let log: string[] = [];

/** Logs what it is told to do, and says that a write is over when the test has it do so. */
class Transport {
  broadcast: Broadcast | undefined;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  sendStaged(broadcast: Broadcast | undefined): void {
    this.broadcast = broadcast;
    log.push(`${this.#name} sends`);
  }

  readOn(): void {
    log.push(`${this.#name} reads`);
  }
}

const named = (...names: string[]): Transport[] => names.map((name) => new Transport(name));
const turn = (): Promise<void> => Promise.resolve();

beforeEach(() => {
  log = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a turn on Deno", () => {
  it("sends for all, and then has all read on", async () => {
    const all = named("a", "b", "c");
    for (const each of all) {
      sendLater(each);
      readLater(each);
    }
    await turn();
    expect(log).toEqual(["a sends", "b sends", "c sends", "a reads", "b reads", "c reads"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits for nothing when nobody was read from", async () => {
    for (const each of named("a", "b", "c")) sendLater(each);
    await turn();
    expect(log).toEqual(["a sends", "b sends", "c sends"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a broadcast on Deno", () => {
  async function broadcast(): Promise<Transport[]> {
    const [from, ...others] = named("a", "b", "c", "d");
    readLater(from!);
    for (const each of others) sendLater(each);
    await turn();
    expect(log).toEqual(["b sends", "c sends", "d sends"]);
    log = [];
    return others;
  }

  it("reads on once all that it sent is written", async () => {
    const others = await broadcast();
    for (const each of others) {
      expect(log).toEqual([]);
      each.broadcast!.wrote();
    }
    expect(log).toEqual(["a reads"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not held up by one that is behind", async () => {
    const [one, ...others] = await broadcast();
    for (const each of others) each.broadcast!.wrote();
    vi.advanceTimersByTime(19);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(["a reads"]);
    one!.broadcast!.wrote();
    expect(log).toEqual(["a reads"]);
  });
});
