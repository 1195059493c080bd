/**
 * `WebSocketStream`, as https://github.com/whatwg/websockets/pull/48 proposes it.
 *
 * @module
 */
import { Client } from "#client";
import { ConnectionError } from "../errors.ts";
import type { Data, Message } from "../protocol/data.ts";
import type { StreamFace } from "../driver/message-streams.ts";
import { checkProtocols, establish, failureOf, urlRecord, type WebSocketOptions } from "../websocket/establish.ts";
import { asInterface, bufferSource, dictionary, promised, sequence, usvString } from "../websocket/web-idl.ts";
import { closeInfo, receivedError, type WebSocketCloseInfo } from "./web-socket-error.ts";

/** The proposal has the first two; what stands beside them is hybi's own, as in Deno. */
export interface WebSocketStreamOptions extends Omit<WebSocketOptions, "signal"> {
  /** Subprotocols to offer, the preferred first; the server has to take one. Default: none. */
  readonly protocols?: Iterable<string> | undefined;
  /** Gives the opening handshake up; once the connection is open it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

/** What an open connection is made of. */
export interface WebSocketOpenInfo {
  /** The messages: text as strings, binary as `Uint8Array`s. What is not read holds the server back. */
  readonly readable: ReadableStream<Message>;
  /** Takes strings and bytes. A write is done once the system has taken it; to close it closes the connection. */
  readonly writable: WritableStream<Data>;
  /** What the server took of the extensions, or "". */
  readonly extensions: string;
  /** The subprotocol that it took, or "". */
  readonly protocol: string;
}

const face: StreamFace = {
  dataOf: (chunk) => bufferSource(chunk) ?? usvString(chunk),
  closedError: () => new DOMException("The connection is closed: nothing can be written to it.", "InvalidStateError"),
  endsWithConnection: true,
  lostError: ({ code, reason }, cause) => receivedError("The connection was not closed cleanly.", code, reason, cause),
};

class StreamedClient extends Client {
  protected override get streamFace(): StreamFace {
    return face;
  }

  /** What an open connection is made of. */
  openInfo(): WebSocketOpenInfo {
    const { readable, writable, protocol, extensionResponse: extensions } = this;
    return { readable, writable, protocol, extensions };
  }

  closeStreams(code: number | undefined, reason: string): void {
    this.streams.close(code, reason);
  }

  /** Once the connection is over: what its streams ended with, unless it was closed cleanly. */
  get lostError(): Error | undefined {
    return this.streams.lostError;
  }
}

/** A connection to a server as a pair of streams, which hold back whoever is faster. */
export class WebSocketStream {
  readonly #url: URL;
  readonly #opened: Promise<WebSocketOpenInfo>;
  readonly #closed: Promise<WebSocketCloseInfo>;
  readonly #client: StreamedClient;

  /**
   * @param url `ws:`, `wss:`, `http:` or `https:`
   * @param options the proposal's, and hybi's own
   * @param clientOptions hybi's own, where they do not stand beside the proposal's
   * @throws {DOMException} SyntaxError for a URL without such a scheme, with a fragment, or malformed, and for a
   *   subprotocol that is no token or stands twice
   * @throws {TypeError} for options of the wrong type; ERR_HEADER, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_OPTION_RANGE
   * @throws {ConnectionError} ERR_UNSUPPORTED for what a page may not decide
   */
  constructor(url: string | URL, options?: WebSocketStreamOptions, clientOptions?: Omit<WebSocketOptions, "signal">);
  constructor(url: string | URL, ...[options, clientOptions]: [WebSocketStreamOptions?, WebSocketOptions?]) {
    if (url === undefined && arguments.length === 0) throw new TypeError("A WebSocketStream needs a URL.");
    const urlText = usvString(url);
    const { protocols, ...beside } = dictionary(options, "The options of a WebSocketStream");
    const { signal } = beside;
    const offered = protocols === undefined ? [] : sequence(protocols, "protocols", usvString);
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError("signal must be an AbortSignal.");
    this.#url = urlRecord(urlText);
    checkProtocols(offered);
    this.#client = establish(this.#url, offered, [beside, clientOptions], StreamedClient);
    const { promise: opened, ...open } = settled<WebSocketOpenInfo>();
    const { promise: closed, ...close } = settled<WebSocketCloseInfo>();
    this.#opened = opened;
    this.#closed = closed;
    this.#client.once("open", () => open.resolve(this.#client.openInfo()));
    this.#client.once("close", (code, reason) => {
      const { lostError } = this.#client;
      if (!lostError) return close.resolve({ closeCode: code, reason });
      const { cause } = lostError;
      const failure = cause instanceof Error ? failureOf(cause) : undefined;
      const wasAborted = failure instanceof ConnectionError && failure.code === "ERR_ABORTED";
      const error = wasAborted ? failure.cause : lostError;
      open.reject(error);
      close.reject(error);
    });
  }

  /** The URL, as the URL Standard writes it. */
  get url(): string {
    return this.#url.href;
  }

  /** Resolves when the connection is open; rejects with a WebSocketError, or why the signal was raised, if it never is. */
  get opened(): Promise<WebSocketOpenInfo> {
    return promised(() => this.#opened);
  }

  /** Resolves when the connection was closed cleanly; rejects with a WebSocketError otherwise. */
  get closed(): Promise<WebSocketCloseInfo> {
    return promised(() => this.#closed);
  }

  /**
   * Starts the closing handshake behind what was written, or gives the connection up that is not open yet.
   *
   * @throws {DOMException} InvalidAccessError for a code other than 1000 and 3000 to 4999, SyntaxError for a reason over
   *   123 bytes of UTF-8
   * @throws {TypeError} for a code that is no number of 16 bits
   */
  close(info?: WebSocketCloseInfo): void;
  close(...[info]: [WebSocketCloseInfo?]): void {
    const { code, reason } = closeInfo(info);
    this.#client.closeStreams(code, reason);
  }
}

asInterface(WebSocketStream, "WebSocketStream");

/** A promise and what settles it. That nobody looks at it is no error: there are two, and one says enough. */
function settled<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
