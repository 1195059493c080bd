import { setImmediate as turn } from "node:timers/promises";
import type { Host } from "../../src/driver/transport.ts";

/** The time of a fuzzed driver, and its timers. */
export class DriverClock implements Pick<Host, "setTimer" | "now"> {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly now = (): number => this.#now;

  readonly setTimer = (callback: () => void, ms: number): (() => void) => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  };

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length;
  }

  async advance(ms: number): Promise<void> {
    await this.#jump(ms);
    // A wheel that was held up reads first, and looks again.
    await this.#jump(20);
  }

  async #jump(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const timer of due) {
      if (!this.#timers.includes(timer)) continue;
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.callback();
    }
    await turn();
  }
}
