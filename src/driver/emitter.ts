import { ConnectionError, typeError } from "../errors.ts";

/** Listeners may be async: a promise that rejects counts as a throw. */
export type Listener<Arguments extends unknown[]> = (...args: Arguments) => unknown;

interface Entry {
  readonly event: PropertyKey;
  readonly listener: Listener<never>;
  readonly once: boolean;
  readonly next: Entry | undefined;
}

/**
 * Typed events. What a listener throws never reaches the one who emits: it goes to {@link listenerFailed}, and the
 * other listeners are still called.
 */
export abstract class Emitter<Events extends { [K in keyof Events]: unknown[] }> {
  // The list is replaced, never changed, so one that is being walked stays as it was. It is one for all events, and its
  // entries are linked, since an object has few listeners and there are many such objects.
  #first: Entry | undefined;

  get #entries(): Entry[] {
    const entries = [];
    for (let entry = this.#first; entry; entry = entry.next) entries.push(entry);
    return entries;
  }

  set #entries(entries: readonly Omit<Entry, "next">[]) {
    this.#first = undefined;
    for (const { event, listener, once } of entries.toReversed())
      this.#first = { event, listener, once, next: this.#first };
  }

  /** Calls `listener` at each `event`, behind those that are there already. */
  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): this {
    return this.#add(event, listener, false);
  }

  /** Calls `listener` at the next `event` only. */
  once<K extends keyof Events>(event: K, listener: Listener<Events[K]>): this {
    return this.#add(event, listener, true);
  }

  /** Takes one entry of `listener` away, the newest; does nothing if there is none. */
  off<K extends keyof Events>(event: K, listener: Listener<Events[K]>): this {
    this.#remove(event, listener, false);
    return this;
  }

  /** The same as {@link on}. */
  addListener<K extends keyof Events>(event: K, listener: Listener<Events[K]>): this {
    return this.on(event, listener);
  }

  /** The same as {@link off}. */
  removeListener<K extends keyof Events>(event: K, listener: Listener<Events[K]>): this {
    return this.off(event, listener);
  }

  /** Takes all listeners of `event` away, or of every event. */
  removeAllListeners(event?: keyof Events): this {
    this.#entries = this.#entries.filter((entry) => event !== undefined && entry.event !== event);
    return this;
  }

  /** The listeners of `event`, in the order they are called. */
  listeners<K extends keyof Events>(event: K): Listener<Events[K]>[] {
    const entries = this.#entries.filter((entry) => entry.event === event);
    return entries.map((entry) => entry.listener as Listener<Events[K]>);
  }

  listenerCount(event: keyof Events): number {
    let count = 0;
    for (let entry = this.#first; entry; entry = entry.next) if (entry.event === event) count++;
    return count;
  }

  /** Calls the listeners of `event`, in order; answers whether there were any. */
  emit<K extends keyof Events>(event: K, ...args: Events[K]): boolean {
    let isHeard = false;
    for (let entry = this.#first; entry; entry = entry.next) {
      if (entry.event !== event) continue;
      isHeard = true;
      // A listener before it may have emitted the same event, and so had it called.
      if (entry.once && !this.#remove(event, entry.listener, true)) continue;
      try {
        const result: unknown = entry.listener(...(args as never));
        if (result instanceof Promise) this.#await(result, event, args);
      } catch (error) {
        this.listenerFailed(error, event, args);
      }
    }
    return isHeard;
  }

  /** Apart, since a closure costs the function around it memory at each call. */
  #await(result: Promise<unknown>, event: keyof Events, args: readonly unknown[]): void {
    result.catch((error: unknown) => this.listenerFailed(error, event, args));
  }

  /** A listener of `event` threw when it was called with `args`, or the promise it returned was rejected. */
  protected abstract listenerFailed(error: unknown, event: keyof Events, args: readonly unknown[]): void;

  #add(event: keyof Events, listener: Listener<never>, once: boolean): this {
    if (typeof listener !== "function") throw typeError("ERR_OPTION_TYPE", "A listener must be a function.");
    this.#entries = [...this.#entries, { event, listener, once }];
    this.listenerAdded?.(event);
    return this;
  }

  /** There is one more listener of `event`. @internal */
  protected listenerAdded?(event: keyof Events): void;

  /** Takes the newest such entry away; answers whether there was one. */
  #remove(event: keyof Events, listener: Listener<never>, once: boolean): boolean {
    const entries = this.#entries;
    const at = entries.findLastIndex(
      (entry) => entry.event === event && entry.listener === listener && (entry.once || !once),
    );
    if (at >= 0) this.#entries = entries.toSpliced(at, 1);
    return at >= 0;
  }
}

/** What `error` gets when a listener of `event`, or a callback, threw. */
export function handlerError(thrown: unknown, event: string): ConnectionError {
  // Anything can be thrown, also what has no text.
  const what = thrown instanceof Error ? thrown.message : typeof thrown === "string" ? thrown : `a ${typeof thrown}`;
  return new ConnectionError("ERR_HANDLER", `A listener for "${event}" threw: ${what}`, { cause: thrown });
}
