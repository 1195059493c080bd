import { asInterface, dictionary, usvString } from "./web-idl.ts";

/** What a `close` event tells (WebSockets Standard §4). */
export interface CloseEventInit {
  readonly bubbles?: boolean;
  readonly cancelable?: boolean;
  readonly composed?: boolean;
  readonly wasClean?: boolean;
  readonly code?: number;
  readonly reason?: string;
}

export interface CloseEvent extends Event {
  /** Both Close frames went over before the transport was closed. */
  readonly wasClean: boolean;
  /** The code of the peer's Close frame, 1005 if it had none, 1006 if none came (RFC 6455 §7.1.5). */
  readonly code: number;
  /** The reason of the peer's Close frame, or "". */
  readonly reason: string;
}

type CloseEventClass = new (type: string, init?: CloseEventInit) => CloseEvent;

/** For Node before version 23, which has none. */
class OwnCloseEvent extends Event implements CloseEvent {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, ...[init]: [CloseEventInit?]) {
    if (arguments.length === 0) throw new TypeError("A CloseEvent needs a type.");
    const { wasClean, code, reason } = dictionary(init, "The second argument of CloseEvent");
    super(type, init);
    this.#wasClean = Boolean(wasClean);
    this.#code = code === undefined ? 0 : (code as number) & 0xffff;
    this.#reason = reason === undefined ? "" : usvString(reason);
  }

  get wasClean(): boolean {
    return this.#wasClean;
  }

  get code(): number {
    return this.#code;
  }

  get reason(): string {
    return this.#reason;
  }
}
asInterface(OwnCloseEvent, "CloseEvent");
Object.defineProperty(OwnCloseEvent, "name", { value: "CloseEvent" });

/** The runtime's own class, where it has one. */
export const CloseEvent: CloseEventClass =
  (globalThis as { readonly CloseEvent?: CloseEventClass }).CloseEvent ?? OwnCloseEvent;
