/**
 * Event handlers, `onopen` and the others, and the EventTarget that has them.
 *
 * @module
 */

/** Whose handlers are not to be seen just now. */
let unseen: EventTarget | undefined;

function hide(target: EventTarget): void {
  unseen = target;
}

/** The types of events that a WebSocket has handlers for. */
const TYPES = ["open", "message", "error", "close"];

/**
 * For workerd, whose EventTarget looks for handlers itself when an event is dispatched, and calls them before all
 * listeners. They are hidden from it until the first listener is called, which is one of ours.
 */
class HidingTarget extends EventTarget {
  constructor() {
    super();
    for (const type of TYPES) this.addEventListener(type, () => (unseen = undefined));
  }

  override dispatchEvent(event: Event): boolean {
    hide(this);
    try {
      return super.dispatchEvent(event);
    } finally {
      unseen = undefined;
    }
  }
}

function looksForHandlers(): boolean {
  let hasLooked = false;
  const target = Object.defineProperty(new EventTarget(), "onopen", { get: () => void (hasLooked = true) });
  target.dispatchEvent(new Event("open"));
  return hasLooked;
}

export const HandlerTarget = looksForHandlers() ? HidingTarget : EventTarget;

/** An event handler as attributes like `onopen` hold it. */
export type EventHandler<E extends Event> = ((event: E) => unknown) | null;

/**
 * The event handlers of a target (HTML §8.1.8.1): each is called in its turn among the listeners, which is decided when
 * one is set and none was.
 */
export class EventHandlers {
  readonly #target: EventTarget;
  readonly #handlers = new Map<string, { handler: unknown; readonly listener: (event: Event) => void }>();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get<E extends Event>(type: string): EventHandler<E> {
    if (unseen === this.#target) return null;
    return (this.#handlers.get(type)?.handler ?? null) as EventHandler<E>;
  }

  /** Anything that is no object takes the handler away; an object that is no function is kept, and not called. */
  set(type: string, value: unknown): void {
    const handler = Object(value) === value ? value : null;
    const active = this.#handlers.get(type);
    if (active && handler) {
      active.handler = handler;
    } else if (active) {
      this.#handlers.delete(type);
      this.#target.removeEventListener(type, active.listener);
    } else if (handler) {
      const listener = (event: Event): void => {
        const current = this.get(type);
        if (typeof current === "function") current.call(this.#target, event);
      };
      this.#handlers.set(type, { handler, listener });
      this.#target.addEventListener(type, listener);
    }
  }
}
