import { ConnectionError, typeError } from "../errors.ts";

/** Listeners may be async: a promise that rejects counts as a throw. */
export type Listener<Arguments extends unknown[]> = (...args: Arguments) => unknown;

interface Entry {
  readonly listener: Listener<never>;
  readonly once: boolean;
}

/**
 * Typed events. What a listener throws never reaches the one who emits: it goes to {@link listenerFailed}, and the
 * other listeners are still called.
 */
export abstract class Emitter<Events extends { [K in keyof Events]: unknown[] }> {
  // A list is replaced, never changed, so one that is being walked stays as it was.
  readonly #entries = new Map<keyof Events, readonly Entry[]>();

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
    const entries = this.#entries.get(event) ?? [];
    const at = entries.findLastIndex((entry) => entry.listener === listener);
    if (at >= 0) this.#set(event, entries.toSpliced(at, 1));
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
    if (event === undefined) this.#entries.clear();
    else this.#entries.delete(event);
    return this;
  }

  /** The listeners of `event`, in the order they are called. */
  listeners<K extends keyof Events>(event: K): Listener<Events[K]>[] {
    return (this.#entries.get(event) ?? []).map((entry) => entry.listener as Listener<Events[K]>);
  }

  listenerCount(event: keyof Events): number {
    return this.#entries.get(event)?.length ?? 0;
  }

  /** Calls the listeners of `event`, in order; answers whether there were any. */
  emit<K extends keyof Events>(event: K, ...args: Events[K]): boolean {
    const entries = this.#entries.get(event);
    if (entries === undefined) return false;
    for (const entry of entries) {
      if (entry.once) this.#remove(event, entry);
      try {
        const result: unknown = entry.listener(...(args as never));
        if (result instanceof Promise) result.catch((error: unknown) => this.listenerFailed(error, event, args));
      } catch (error) {
        this.listenerFailed(error, event, args);
      }
    }
    return true;
  }

  /** A listener of `event` threw when it was called with `args`, or the promise it returned was rejected. */
  protected abstract listenerFailed(error: unknown, event: keyof Events, args: readonly unknown[]): void;

  #add(event: keyof Events, listener: Listener<never>, once: boolean): this {
    if (typeof listener !== "function") throw typeError("ERR_OPTION_TYPE", "A listener must be a function.");
    this.#set(event, [...(this.#entries.get(event) ?? []), { listener, once }]);
    return this;
  }

  #remove(event: keyof Events, entry: Entry): void {
    const entries = this.#entries.get(event) ?? [];
    this.#set(
      event,
      entries.filter((other) => other !== entry),
    );
  }

  #set(event: keyof Events, entries: readonly Entry[]): void {
    if (entries.length > 0) this.#entries.set(event, entries);
    else this.#entries.delete(event);
  }
}

/** What `error` gets when a listener of `event`, or a callback, threw. */
export function handlerError(thrown: unknown, event: string): ConnectionError {
  // Anything can be thrown, also what has no text.
  const what = thrown instanceof Error ? thrown.message : typeof thrown === "string" ? thrown : `a ${typeof thrown}`;
  return new ConnectionError("ERR_HANDLER", `A listener for "${event}" threw: ${what}`, { cause: thrown });
}
