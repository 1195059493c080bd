/** A clock and timers that stand still until the test moves them. */
export class FakeClock {
  time = 0;
  /** Timers that were ever set, and those that are. */
  timersSet = 0;
  readonly #timers = new Set<{ readonly due: number; readonly callback: () => void }>();

  readonly now = (): number => this.time;

  readonly setTimer = (callback: () => void, ms: number): (() => void) => {
    // What asks a real timer for more gets none.
    if (!(ms >= 0 && ms <= 2 ** 31 - 1)) throw new Error(`A timer cannot run ${ms} ms.`);
    // As real ones do, it comes in a later turn, however short it is.
    const timer = { due: this.time + Math.max(1, ms), callback };
    this.timersSet++;
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due; Infinity when there is none. */
  get next(): number {
    return Math.min(Infinity, ...[...this.#timers].map(({ due }) => due));
  }

  /** Moves the time on by `ms`; each timer in between comes at its time, `late` milliseconds after it. */
  advance(ms: number, late = 0): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.next;
      if (due === Infinity || due + late > end) break;
      this.time = Math.max(this.time, due + late);
      this.#fire(due);
    }
    this.time = end;
  }

  #fire(due: number): void {
    for (const timer of [...this.#timers]) if (timer.due === due && this.#timers.delete(timer)) timer.callback();
  }
}
