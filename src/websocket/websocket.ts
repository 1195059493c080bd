/**
 * `WebSocket` of the WebSockets Standard (https://websockets.spec.whatwg.org).
 *
 * @module
 */
import { Client } from "#client";
import { MESSAGE_COST } from "../driver/inbox.ts";
import { checkClosing, utf8Length } from "./closing.ts";
import { checkProtocols, establish, failureOf, urlRecord, type WebSocketOptions } from "./establish.ts";
import { EventHandlers, HandlerTarget, type EventHandler } from "./event-handlers.ts";
import { CloseEvent } from "./events.ts";
import { SendQueue, type Outgoing } from "./send-queue.ts";
import { nextTask, queueTask } from "./task.ts";
import { asInterface, bufferSource, clampedShort, dictionary, domString, isSequence, usvString } from "./web-idl.ts";

export type BinaryType = "blob" | "arraybuffer";

/** What `error` brings: the standard says nothing of what went wrong; hybi's own error does. */
export type WebSocketErrorEvent = Event & { readonly error: Error | undefined };

export interface WebSocketEventMap {
  open: Event;
  message: MessageEvent;
  error: WebSocketErrorEvent;
  close: CloseEvent;
}

type AnyListener = Parameters<EventTarget["addEventListener"]>[1] | null;
type AddOptions = Parameters<EventTarget["addEventListener"]>[2];
type RemoveOptions = Parameters<EventTarget["removeEventListener"]>[2];
type Listener<K extends keyof WebSocketEventMap> = (this: WebSocket, event: WebSocketEventMap[K]) => unknown;

interface WebSocketEventTarget extends EventTarget {
  addEventListener<K extends keyof WebSocketEventMap>(type: K, listener: Listener<K>, options?: AddOptions): void;
  addEventListener(type: string, listener: AnyListener, options?: AddOptions): void;
  removeEventListener<K extends keyof WebSocketEventMap>(type: K, listener: Listener<K>, options?: RemoveOptions): void;
  removeEventListener(type: string, listener: AnyListener, options?: RemoveOptions): void;
}

const TypedEventTarget = HandlerTarget as new () => WebSocketEventTarget;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** Bytes, or UTF-16 units, of messages that have their tasks, from which on these are waited for. */
const MOST_WAITING = 65_536;

/** What `send` takes. Everything else is sent as the string that it makes. */
export type WebSocketData = string | Blob | ArrayBuffer | ArrayBufferView;

/**
 * What the constructor takes instead of subprotocols, as https://github.com/whatwg/websockets/pull/76 gives it to it, and as
 * Deno, Bun and undici have it. What they have beside `protocols` is hybi's own here.
 */
export interface WebSocketInit extends WebSocketOptions {
  /** One subprotocol, or several, the preferred first; the server has to take one. Default: none. */
  readonly protocols?: string | Iterable<string> | undefined;
}

/** Subprotocols or a bag, as Web IDL tells the types of a union from each other (§3.2.24). */
function initOf(given: unknown): Readonly<Record<string, unknown>> {
  const isNone = given === undefined || given === null;
  const isBag = isNone || (Object(given) === given && !isSequence(given));
  return isBag ? dictionary(given, "A WebSocketInit") : { protocols: given };
}

/**
 * A connection to a server, as browsers have it (§3). Each event comes in a task of its own, so a promise that a listener
 * settles has its reactions run before the next event. What a listener throws goes where the runtime's EventTarget puts
 * it, and leaves the connection alone.
 */
export class WebSocket extends TypedEventTarget {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  readonly #url: URL;
  readonly #client: Client;
  readonly #outgoing: SendQueue;
  readonly #handlers = new EventHandlers(this);
  #readyState: 0 | 1 | 2 | 3 = CONNECTING;
  #binaryType: BinaryType = "blob";
  #bufferedAmount = 0;
  /** Bytes that the system has taken in this task, in which {@link bufferedAmount} still counts them. */
  #taken = 0;
  #protocol = "";
  #extensions = "";
  /** The next message is awaited; so many that came before it have still to be dispatched. */
  #isReading = false;
  #undispatched = 0;
  /** What went wrong, for the `error` event. */
  #error: Error | undefined;

  /**
   * @param url `ws:`, `wss:`, `http:` or `https:`
   * @param protocols one subprotocol, or several, the preferred first; the server has to take one. Or a bag, of these and
   *   of hybi's own options: where the standard ignores what it does not know, that is refused here
   * @param options hybi's own, where they do not stand in a bag
   * @throws {DOMException} SyntaxError for a URL without such a scheme, with a fragment, or malformed, and for a
   *   subprotocol that is no token or stands twice
   * @throws {TypeError} ERR_HEADER, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_OPTION_RANGE
   * @throws {ConnectionError} ERR_UNSUPPORTED for what a page may not decide
   */
  constructor(url: string | URL, protocols?: string | Iterable<string> | WebSocketInit, options?: WebSocketOptions);
  // The constructor of an interface has the length of the arguments that it must have.
  constructor(url: string | URL, ...[given, options]: [unknown?, WebSocketOptions?]) {
    if (url === undefined && arguments.length === 0) throw new TypeError("A WebSocket needs a URL.");
    super();
    const urlText = usvString(url);
    const { protocols = [], ...beside } = initOf(given);
    const offered = isSequence(protocols) ? Array.from(protocols, domString) : [domString(protocols)];
    this.#url = urlRecord(urlText);
    checkProtocols(offered);
    this.#client = establish(this.#url, offered, [beside, options], Client);
    this.#outgoing = new SendQueue(this.#client, {
      sent: (size) => this.#sent(size),
      failed: (error) => this.#failed(error),
    });
    void this.#run();
  }

  /** The URL, as the URL Standard writes it. */
  get url(): string {
    return this.#url.href;
  }

  /** CONNECTING (0), OPEN (1), CLOSING (2) or CLOSED (3). */
  get readyState(): 0 | 1 | 2 | 3 {
    // The peer may have started to close, behind all that it has sent.
    const isIdle = this.#isReading && this.#undispatched === 0;
    return this.#readyState === OPEN && isIdle && this.#client.readyState !== "open" ? CLOSING : this.#readyState;
  }

  /**
   * Bytes of messages that the system had not taken yet when this task began, or that were sent in it; without framing.
   * What is sent, or waits, when the connection closes stays counted.
   */
  get bufferedAmount(): number {
    return this.#bufferedAmount;
  }

  /** What the server took of the extensions, or "". */
  get extensions(): string {
    return this.#extensions;
  }

  /** The subprotocol that the server took, or "". */
  get protocol(): string {
    return this.#protocol;
  }

  /** What binary messages come as: "blob", the default, or "arraybuffer". Another value changes nothing. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    const text = domString(type);
    this.#binaryType = text === "blob" || text === "arraybuffer" ? text : this.#binaryType;
  }

  get onopen(): EventHandler<Event> {
    return this.#handlers.get("open");
  }

  set onopen(handler: EventHandler<Event>) {
    this.#handlers.set("open", handler);
  }

  get onmessage(): EventHandler<MessageEvent> {
    return this.#handlers.get("message");
  }

  set onmessage(handler: EventHandler<MessageEvent>) {
    this.#handlers.set("message", handler);
  }

  get onerror(): EventHandler<WebSocketErrorEvent> {
    return this.#handlers.get("error");
  }

  set onerror(handler: EventHandler<WebSocketErrorEvent>) {
    this.#handlers.set("error", handler);
  }

  get onclose(): EventHandler<CloseEvent> {
    return this.#handlers.get("close");
  }

  set onclose(handler: EventHandler<CloseEvent>) {
    this.#handlers.set("close", handler);
  }

  /**
   * Sends a message: a string as text, all else as binary. Once it is closing nothing is sent.
   *
   * @throws {DOMException} InvalidStateError before the connection is open
   * @throws {TypeError} for memory that is shared or resizable
   */
  send(data: WebSocketData): void {
    if (arguments.length === 0) throw new TypeError("There is nothing to send.");
    const outgoing: Outgoing = data instanceof Blob ? data : (bufferSource(data) ?? usvString(data));
    if (this.#readyState === CONNECTING)
      throw new DOMException("The connection is not open yet: wait for `open`.", "InvalidStateError");
    const size = sizeOf(outgoing);
    this.#bufferedAmount += size;
    if (this.readyState === OPEN) this.#outgoing.send(outgoing, size);
  }

  /**
   * Starts the closing handshake behind what was sent, or gives the connection up that is not open yet.
   *
   * @param code 1000, or 3000 to 4999; without one, and without a reason, the peer is told neither
   * @param reason at most 123 bytes of UTF-8
   * @throws {DOMException} InvalidAccessError for another code, SyntaxError for a longer reason
   */
  close(code?: number, reason?: string): void;
  close(...[code, reason]: [number?, string?]): void {
    const statusCode = code === undefined ? undefined : clampedShort(code);
    const text = reason === undefined ? "" : usvString(reason);
    checkClosing(statusCode, text);
    const { readyState } = this;
    if (readyState === CLOSED) return;
    if (readyState === CONNECTING) this.#client.terminate();
    else if (readyState === OPEN) this.#outgoing.close(statusCode, text);
    this.#readyState = CLOSING;
  }

  /** "Feedback from the protocol" (§4). */
  async #run(): Promise<void> {
    const client = this.#client;
    client.on("error", (error) => (this.#error ??= failureOf(error)));
    const isOpen = await new Promise<boolean>((resolve) =>
      client.once("open", () => resolve(true)).once("close", () => resolve(false)),
    );
    await nextTask();
    if (isOpen && this.#readyState === CONNECTING) this.#opened();
    try {
      await this.#receive(client);
    } catch {
      // It was not closed cleanly, which the client says, too.
    }
    await nextTask();
    this.#closed();
  }

  /** Gives each message a task, and waits for the tasks when many are due: meanwhile the peer is held back. */
  async #receive(client: Client): Promise<void> {
    for (let waiting = 0; ;) {
      this.#isReading = true;
      const message = await client.read();
      this.#isReading = false;
      if (message === undefined) return;
      this.#undispatched++;
      queueTask(() => {
        if (this.#readyState === OPEN) this.#dispatchMessage(message);
        this.#undispatched--;
      });
      waiting += message.length + MESSAGE_COST;
      if (waiting < MOST_WAITING) continue;
      waiting = 0;
      await nextTask();
    }
  }

  #opened(): void {
    this.#readyState = OPEN;
    this.#protocol = this.#client.protocol;
    this.#extensions = this.#client.extensionResponse;
    this.dispatchEvent(new Event("open"));
  }

  #dispatchMessage(message: string | Uint8Array): void {
    const data = typeof message === "string" ? message : this.#binary(message as Uint8Array<ArrayBuffer>);
    this.dispatchEvent(new MessageEvent("message", { data, origin: this.#url.origin }));
  }

  #binary(bytes: Uint8Array<ArrayBuffer>): Blob | ArrayBuffer {
    if (this.#binaryType === "blob") return new Blob([bytes]);
    return bytes.length === bytes.buffer.byteLength ? bytes.buffer : new Uint8Array(bytes).buffer;
  }

  #closed(): void {
    const { closeCode: code, closeReason: reason, wasClean } = this.#client;
    this.#readyState = CLOSED;
    if (!wasClean) this.dispatchEvent(Object.assign(new Event("error"), { error: this.#error }));
    this.dispatchEvent(new CloseEvent("close", { code: code!, reason: reason!, wasClean: wasClean! }));
  }

  #sent(size: number): void {
    if (this.#taken === 0 && size > 0) {
      queueTask(() => {
        this.#bufferedAmount -= this.#taken;
        this.#taken = 0;
      });
    }
    this.#taken += size;
  }

  #failed(error: Error): void {
    this.#error ??= error;
    this.#client.terminate();
  }
}

function sizeOf(data: Outgoing): number {
  if (typeof data === "string") return utf8Length(data);
  return data instanceof Blob ? data.size : data.length;
}

for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED }))
  for (const of of [WebSocket, WebSocket.prototype]) Object.defineProperty(of, name, { value, enumerable: true });
asInterface(WebSocket, "WebSocket");
