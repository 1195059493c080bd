import { checkClosing, closeCodeFor } from "../websocket/closing.ts";
import { asInterface, dictionary, domString, enforcedShort, usvString } from "../websocket/web-idl.ts";

/** How a connection is closed, or was. */
export interface WebSocketCloseInfo {
  /** To close with: 1000, or 3000 to 4999. Of one that was closed: as RFC 6455 §7.1.5 defines it. */
  closeCode?: number | undefined;
  /** At most 123 bytes of UTF-8. Default: "". */
  reason?: string | undefined;
}

/** The members, converted and checked; with a reason there is a code. */
export function closeInfo(given: unknown): { readonly code: number | undefined; readonly reason: string } {
  const members = dictionary(given, "A WebSocketCloseInfo");
  const { closeCode } = members;
  const code = closeCode === undefined ? undefined : enforcedShort(closeCode, "closeCode");
  const reason = members["reason"] === undefined ? "" : usvString(members["reason"]);
  checkClosing(code, reason);
  return { code: closeCodeFor(code, reason), reason };
}

/** A WebSocketError of what was received, which may have codes that may not be sent. */
export let receivedError: (message: string, closeCode: number, reason: string, cause?: Error) => WebSocketError;

/** What a WebSocketStream ends with that was not closed cleanly; given to `abort` or `cancel`, what to close with. */
export class WebSocketError extends DOMException {
  #closeCode: number | null;
  #reason: string;

  static {
    receivedError = (message, closeCode, reason, cause) => {
      const error = new WebSocketError(message);
      error.#closeCode = closeCode;
      error.#reason = reason;
      return Object.defineProperty(error, "cause", { value: cause, configurable: true, writable: true });
    };
  }

  /**
   * @throws {DOMException} InvalidAccessError for a code that may not be sent, SyntaxError for a longer reason
   * @throws {TypeError} for a code that is no number of 16 bits
   */
  constructor(message?: string, init?: WebSocketCloseInfo);
  constructor(...[message = "", init]: [string?, WebSocketCloseInfo?]) {
    super(domString(message), "WebSocketError");
    // Some versions of Node make a plain DOMException.
    Object.setPrototypeOf(this, new.target.prototype);
    const { code, reason } = closeInfo(init);
    this.#closeCode = code ?? null;
    this.#reason = reason;
  }

  /** The code, or null when there is none. */
  get closeCode(): number | null {
    return this.#closeCode;
  }

  get reason(): string {
    return this.#reason;
  }
}

asInterface(WebSocketError, "WebSocketError");
