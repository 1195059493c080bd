import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Alarm, Deadline, Wheel, wheelOf } from "../../src/driver/wheel.ts";
import { host as node } from "../../src/hosts/node.ts";
import { FakeClock } from "../helpers/clock.ts";

let clock: FakeClock;
let wheel: Wheel;
let log: [name: string, at: number, late: number][];
beforeEach(() => {
  clock = new FakeClock();
  wheel = new Wheel(clock);
  log = [];
});

/** Takes down when it expires, and then does what it is told. */
class Noted extends Deadline {
  readonly name: string;
  readonly #then: () => void;

  constructor(name: string, then = (): void => undefined) {
    super();
    this.name = name;
    this.#then = then;
  }

  override expired(late: number): void {
    log.push([this.name, clock.time, late]);
    this.#then();
  }
}

const names = (): string[] => log.map(([name]) => name);

/** How much later than asked a deadline may be. */
const slack = (ms: number): number => Math.max(1, ms / 64) + 1;

describe("a wheel", () => {
  it("has deadlines expire in their order, each once, at its time or up to a 64th later", () => {
    for (const ms of [500, 100, 3000, 100_000, 20, 1]) wheel.set(new Noted(`${ms}`), ms);
    clock.advance(200_000);
    expect(names()).toEqual(["1", "20", "100", "500", "3000", "100000"]);
    for (const [name, at] of log) {
      expect(at).toBeGreaterThanOrEqual(Number(name));
      expect(at).toBeLessThanOrEqual(Number(name) + slack(Number(name)));
    }
    expect(clock.timers).toBe(0);
  });

  it("forgets one that was taken off, wherever it stands among others of its time", () => {
    for (let taken = 0; taken < 4; taken++) {
      const all = ["a", "b", "c", "d"].map((name) => new Noted(name));
      for (const one of all) wheel.set(one, 50);
      wheel.cancel(all[taken]!);
      wheel.cancel(all[taken]!);
      expect(wheel.left(all[taken]!)).toBe(0);
      clock.advance(100);
      expect(names().sort()).toEqual(["a", "b", "c", "d"].filter((_, i) => i !== taken));
      log = [];
    }
  });

  it("has no timer while there is nothing to wait for", () => {
    const one = new Noted("one");
    expect(clock.timers).toBe(0);
    wheel.set(one, 50);
    expect(clock.timers).toBe(1);
    wheel.cancel(one);
    expect(clock.timers).toBe(0);
    clock.advance(1000);
    expect(log).toEqual([]);
  });

  it("has one deadline of each: the last that was set", () => {
    const one = new Noted("one");
    wheel.set(one, 1000);
    wheel.set(one, 10);
    expect(wheel.left(one)).toBe(10);
    clock.advance(5);
    wheel.set(one, 100);
    clock.advance(50);
    expect(log).toEqual([]);
    expect(wheel.left(one)).toBeGreaterThanOrEqual(50);
    clock.advance(2000);
    expect(names()).toEqual(["one"]);
  });

  it("keeps 100,000 deadlines by one timer, which it seldom sets anew", () => {
    const all = Array.from({ length: 100_000 }, (_, i) => new Noted(`${i}`));
    for (const one of all) wheel.set(one, 20_000 + wheel.spread() * 10_000);
    expect(clock.timers).toBe(1);
    clock.advance(40_000);
    expect(log.length).toBe(all.length);
    expect(new Set(names()).size).toBe(all.length);
    expect(clock.timersSet).toBeLessThan(200);
    expect(clock.timers).toBe(0);
  });

  it("takes 0 for at once, but in a turn of its own", () => {
    wheel.set(new Noted("one", () => wheel.set(new Noted("two"), 0)), 0);
    expect(log).toEqual([]);
    clock.advance(1);
    expect(names()).toEqual(["one"]);
    clock.advance(1);
    expect(names()).toEqual(["one", "two"]);
  });

  it("ends a turn although each deadline is set anew at once", () => {
    const again = (name: string): Noted => {
      const one: Noted = new Noted(name, () => wheel.set(one, 0));
      return one;
    };
    clock.time = 0.5;
    for (const name of ["a", "b", "c"]) wheel.set(again(name), 0);
    clock.advance(1);
    expect(names().sort()).toEqual(["a", "b", "c"]);
  });

  it.each([2 ** 31, 2 ** 31 + 5, 2 ** 40, 2 ** 53])("waits %i ms, longer than a timer may", (ms) => {
    const one = new Noted("one");
    wheel.set(one, ms);
    expect(wheel.left(one)).toBeGreaterThanOrEqual(ms);
    // As far as a test can follow it: each timer on the way is as long as one may be.
    for (let i = 0; i < 100 && clock.next < ms - 1; i++) clock.advance(clock.next - clock.time);
    expect(log).toEqual([]);
    expect(clock.timers).toBe(1);
    clock.time = ms * (1 + 1 / 32);
    clock.advance(2 ** 31);
    expect(names()).toEqual(["one"]);
    expect(clock.timers).toBe(0);
  });

  it("says how late a deadline is", () => {
    wheel.set(new Noted("one"), 100);
    const due = clock.next;
    clock.advance(10_000, 40);
    expect(log).toEqual([["one", due + 40, 40]]);
  });

  it("that was held up lets what lies unread be read before anything expires", () => {
    const [one, two] = [new Noted("one"), new Noted("two")];
    wheel.set(one, 100);
    wheel.set(two, 100);
    const due = clock.next;
    clock.advance(due + 250, 250);
    expect(log).toEqual([]);
    // The first of them has read what it waited for.
    wheel.cancel(one);
    clock.advance(10_000);
    expect(log).toEqual([["two", due + 260, 260]]);
  });

  it("takes a timer that comes a moment early for one in time", () => {
    wheel.set(new Noted("one"), 10);
    const early = clock.next - 0.75;
    clock.advance(early, -0.75);
    expect(log).toEqual([["one", early, 0]]);
  });

  it("lets those that expire take each other off, and set others", () => {
    const [a, b, c] = ["a", "b", "c"].map(
      (name) => new Noted(name, () => [a, b, c].forEach((one) => wheel.cancel(one))),
    ) as [Noted, Noted, Noted];
    for (const one of [a, b, c]) wheel.set(one, 50);
    wheel.set(new Noted("d", () => wheel.set(new Noted("e"), 10)), 60);
    clock.advance(55);
    expect(log.length).toBe(1);
    clock.advance(100);
    expect(names().slice(1)).toEqual(["d", "e"]);
  });

  it("goes on when one of those that expire throws", () => {
    const error = new Error("one failed");
    wheel.set(
      new Alarm(() => {
        throw error;
      }),
      50,
    );
    for (const [name, ms] of [["a", 50], ["b", 50], ["c", 70]] as const) wheel.set(new Noted(name), ms); // prettier-ignore
    expect(() => clock.advance(50)).toThrow(error);
    expect(names().sort()).toEqual(["a", "b"]);
    clock.advance(1000);
    expect(names().slice(2)).toEqual(["c"]);
  });

  it("spreads any number of them evenly", () => {
    for (const count of [10, 100, 1000]) {
      const places = Array.from({ length: count }, () => wheel.spread()).sort((a, b) => a - b);
      const gaps = places.slice(1).map((place, i) => place - places[i]!);
      expect(Math.max(...gaps)).toBeLessThan(3 / count);
    }
  });

  it("is one for a runtime, but of its own where timers end with their handler", () => {
    expect(wheelOf(node)).toBe(wheelOf(node));
    const ending = { ...node, timersEnd: true };
    expect(wheelOf(ending)).not.toBe(wheelOf(ending));
  });

  it("does as a sorted list does, whatever is set and taken off", () => {
    const ms = fc.oneof(fc.nat(300), fc.nat(100_000), fc.double({ min: 0, max: 5000, noNaN: true }));
    const step = fc.oneof(
      fc.record({ kind: fc.constant("set" as const), which: fc.nat(9), ms }),
      fc.record({ kind: fc.constant("cancel" as const), which: fc.nat(9), ms }),
      fc.record({ kind: fc.constant("advance" as const), which: fc.nat(9), ms }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        clock = new FakeClock();
        wheel = new Wheel(clock);
        log = [];
        /** When each is due: not before, and not later. */
        const due = new Map<string, [from: number, to: number]>();
        const all = Array.from({ length: 10 }, (_, i) => new Noted(`${i}`));
        const check = (): void => {
          let before = 0;
          for (const [name, at, late] of log) {
            const [from, to] = due.get(name)!;
            // An early timer is not among the things that a fake clock does.
            expect(at).toBeGreaterThanOrEqual(from);
            expect(at).toBeLessThanOrEqual(to);
            expect(at).toBeGreaterThanOrEqual(before);
            expect(late).toBeLessThanOrEqual(1);
            before = at;
            due.delete(name);
          }
          log = [];
          for (const [, to] of due.values()) expect(to).toBeGreaterThanOrEqual(clock.time);
          expect(clock.timers).toBeLessThanOrEqual(1);
          if (due.size > 0) expect(clock.timers).toBe(1);
        };
        for (const { kind, which, ms } of steps) {
          if (kind === "set") {
            wheel.set(all[which]!, ms);
            due.set(`${which}`, [clock.time + ms - 1, clock.time + ms + slack(ms)]);
          } else if (kind === "cancel") {
            wheel.cancel(all[which]!);
            due.delete(`${which}`);
          } else {
            clock.advance(ms);
          }
          check();
        }
        clock.advance(1e6);
        check();
        expect(due.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
