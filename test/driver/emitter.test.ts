import fc from "fast-check";
import { expect, it } from "vitest";
import { Emitter } from "../../src/driver/emitter.ts";

interface Events {
  a: [];
  b: [];
}
type Event = keyof Events;

class Bell extends Emitter<Events> {
  protected override listenerFailed(error: unknown): void {
    throw error;
  }
}

/** What a list of listeners is to do, told by arrays. */
class Model {
  #entries: { event: Event; listener: () => void; once: boolean }[] = [];

  on(event: Event, listener: () => void, once = false): void {
    this.#entries = [...this.#entries, { event, listener, once }];
  }

  once(event: Event, listener: () => void): void {
    this.on(event, listener, true);
  }

  off(event: Event, listener: () => void): void {
    const last = this.#entries.findLast((entry) => entry.event === event && entry.listener === listener);
    this.#entries = this.#entries.filter((entry) => entry !== last);
  }

  removeAllListeners(event?: Event): void {
    this.#entries = this.#entries.filter((entry) => event !== undefined && entry.event !== event);
  }

  listenerCount(event: Event): number {
    return this.#entries.filter((entry) => entry.event === event).length;
  }

  emit(event: Event): boolean {
    const heard = this.#entries.filter((entry) => entry.event === event);
    for (const entry of heard) {
      if (entry.once && !this.#entries.includes(entry)) continue;
      if (entry.once) this.#entries = this.#entries.filter((each) => each !== entry);
      entry.listener();
    }
    return heard.length > 0;
  }
}

type Step = readonly [call: "on" | "once" | "off" | "removeAllListeners" | "emit", event: Event, listener: number];

/** Runs `steps`; each listener runs those of its own when it is called, the first twenty times. */
function run(target: Bell | Model, steps: readonly Step[], inside: readonly (readonly Step[])[]): unknown[] {
  const log: unknown[] = [];
  let left = 20;
  const listeners = inside.map((own, i) => () => {
    log.push(i);
    if (left-- > 0) for (const step of own) take(step);
  });
  const take = ([call, event, i]: Step): void => {
    if (call === "emit") log.push(target.emit(event));
    else if (call === "removeAllListeners") target.removeAllListeners(i === 0 ? undefined : event);
    else target[call](event, listeners[i]!);
    log.push(target.listenerCount("a"), target.listenerCount("b"));
  };
  for (const step of steps) take(step);
  return log;
}

it("calls whom a list says that is replaced at each change, also when listeners change it", () => {
  const call = fc.constantFrom("on", "on", "off", "emit", "removeAllListeners");
  const step = fc.tuple(call, fc.constantFrom("a", "b"), fc.nat(3)) as fc.Arbitrary<Step>;
  // Of several `once` with one listener it does not matter which is called, so each is there once.
  const once = fc.subarray([4, 5, 6]).map((all) => all.map((i): Step => ["once", i === 5 ? "b" : "a", i]));
  const inside = fc.array(fc.array(step, { maxLength: 3 }), { minLength: 7, maxLength: 7 });
  const property = fc.property(
    fc.array(step, { maxLength: 8 }),
    once,
    fc.array(step, { maxLength: 8 }),
    inside,
    (...args) => {
      const steps = [...args[0], ...args[1], ...args[2], ["emit", "a", 0] as const, ["emit", "b", 0] as const];
      expect(run(new Bell(), steps, args[3])).toEqual(run(new Model(), steps, args[3]));
    },
  );
  fc.assert(property, { numRuns: 2000 });
});
