import { LONGEST_TIMER, type Host, type Transport } from "./transport.ts";

/** Deadlines that are due together: a ring of them, in which the spoke stands for their beginning. */
interface Spoke {
  readonly due: number;
  first: Deadline | undefined;
}

/** Who has something to do later. It has one deadline at a time, on one wheel. */
export abstract class Deadline {
  /** @internal */
  spoke: Spoke | undefined = undefined;
  /** @internal */
  before: Deadline | undefined = undefined;
  /** @internal */
  behind: Deadline | undefined = undefined;

  /** The deadline has come, and was taken off the wheel; `late` is by how many milliseconds it was missed. */
  abstract expired(late: number): void;
}

/** A deadline that calls back. */
export class Alarm extends Deadline {
  readonly expired: () => void;

  constructor(callback: () => void) {
    super();
    this.expired = callback;
  }
}

/** Milliseconds that a timer may be late before this process counts as busy, and for which it then reads first. */
const BUSY = 50;
const READ_FIRST = 10;

/** How fine deadlines are kept apart: they come up to this part of their time later, and so share spokes. */
const FINENESS = 64;

/**
 * The deadlines of many connections behind one timer, since a timer each would cost as much as an idle connection. To set
 * one and to take it off takes constant time.
 */
export class Wheel {
  readonly #host: Pick<Host, "setTimer" | "now">;
  readonly #spokes = new Map<number, Spoke>();
  #timerDue = Infinity;
  #cancelTimer: (() => void) | undefined;
  #spread = 0;
  #hasRead = false;

  constructor(host: Pick<Host, "setTimer" | "now">) {
    this.#host = host;
  }

  /** A fraction, 0 to 1, for who must not do something at the same time as all the others: they lie far apart. */
  spread(): number {
    // Multiples of the golden ratio leave no gap that is much wider than the others.
    this.#spread = (this.#spread + 0.618033988749895) % 1;
    return this.#spread;
  }

  /** Has `deadline` expire in `ms` milliseconds, or up to a 64th of that later, instead of when it was set to. */
  set(deadline: Deadline, ms: number): void {
    this.cancel(deadline);
    const width = 2 ** Math.max(0, Math.floor(Math.log2(ms / FINENESS)));
    const due = Math.ceil((this.#host.now() + ms) / width) * width;
    let spoke = this.#spokes.get(due);
    if (!spoke) this.#spokes.set(due, (spoke = { due, first: undefined }));
    deadline.spoke = spoke;
    deadline.behind = spoke.first;
    if (spoke.first) spoke.first.before = deadline;
    spoke.first = deadline;
    if (due < this.#timerDue) this.#setTimer(due);
  }

  /** Milliseconds until `deadline` expires; 0 if it is on no wheel. */
  left(deadline: Deadline): number {
    return deadline.spoke ? Math.max(0, deadline.spoke.due - this.#host.now()) : 0;
  }

  /** Takes `deadline` off; does nothing if it is on no wheel. */
  cancel(deadline: Deadline): void {
    const { spoke, before, behind } = deadline;
    if (!spoke) return;
    if (before) before.behind = behind;
    else spoke.first = behind;
    if (behind) behind.before = before;
    deadline.spoke = deadline.before = deadline.behind = undefined;
    if (spoke.first || this.#spokes.get(spoke.due) !== spoke) return;
    this.#spokes.delete(spoke.due);
    if (this.#spokes.size === 0) this.#setTimer(Infinity);
  }

  #setTimer(due: number): void {
    this.#cancelTimer?.();
    this.#timerDue = due;
    this.#cancelTimer = undefined;
    if (due === Infinity) return;
    const ms = Math.min(Math.max(0, due - this.#host.now()), LONGEST_TIMER);
    this.#cancelTimer = this.#host.setTimer(() => this.#turn(), ms);
  }

  #turn(): void {
    const now = this.#host.now();
    // What came in time, while this process was busy, lies unread in the system still.
    if (now - this.#timerDue > BUSY && !this.#hasRead) {
      this.#hasRead = true;
      this.#cancelTimer = this.#host.setTimer(() => this.#turn(), READ_FIRST);
      return;
    }
    this.#hasRead = false;
    const errors: unknown[] = [];
    // A timer may come a moment early, and one that was cut to the longest comes before its time.
    for (const spoke of [...this.#spokes.values()].sort((a, b) => a.due - b.due)) {
      if (spoke.due > now + 1) break;
      // What is set from now on is not for this turn, even if it is due at once.
      this.#spokes.delete(spoke.due);
      while (spoke.first) {
        const deadline = spoke.first;
        this.cancel(deadline);
        try {
          deadline.expired(Math.max(0, now - spoke.due));
        } catch (error) {
          errors.push(error);
        }
      }
    }
    this.#setTimer(Math.min(...this.#spokes.keys()));
    // The others must not miss their deadlines because of it.
    if (errors.length > 0) throw errors[0];
  }
}

const wheels = new WeakMap<Host, Wheel>();

/** The one wheel of a runtime; but where timers end with the handler that sets them, one for each who asks. */
export function wheelOf(host: Host, transport?: Transport): Wheel {
  if (transport?.setTimer) return new Wheel({ setTimer: transport.setTimer.bind(transport), now: () => host.now() });
  if (host.timersEnd) return new Wheel(host);
  let wheel = wheels.get(host);
  if (!wheel) wheels.set(host, (wheel = new Wheel(host)));
  return wheel;
}
