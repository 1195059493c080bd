/**
 * One side of a WebSocket connection: what a server hands over, what a client is, what the driver makes.
 *
 * @module
 */
import { INTERNAL_ERROR, NORMAL_CLOSURE } from "../protocol/close.ts";
import type { Data, Message } from "../protocol/data.ts";
import { ConnectionError, typeError } from "../errors.ts";
import type { ExtensionSession } from "../protocol/extension.ts";
import { headerList, type HeaderField } from "../protocol/headers.ts";
import { observed } from "./diagnostics.ts";
import type { ConnectionLink } from "./connection-link.ts";
import { ConnectionState } from "./connection-state.ts";
import { handlerError } from "./emitter.ts";
import type { ConnectionEvents } from "./events.ts";
import type { CloseInfo, LinkOwner } from "./link-owner.ts";
import { MessageStreams, connectionFace, type StreamFace } from "./message-streams.ts";
import { Receiving } from "./receiving.ts";
import type { SendCallback } from "./sender.ts";
import { Sending, type CallbackRunner, type SendOptions } from "./sending.ts";
import type { ConnectionSettings } from "./settings.ts";

export abstract class Connection extends ConnectionState implements AsyncIterable<Message>, LinkOwner, CallbackRunner {
  /** What `additionalHeaders` and `setHeader` gave. @internal */
  protected headers: readonly HeaderField[];
  /** @internal */
  protected readonly link: ConnectionLink;
  readonly #sending: Sending;
  readonly #receiving: Receiving;
  #streams: MessageStreams | undefined;
  #closeWaiters: ((info: CloseInfo) => void)[] | undefined;
  /** What broke, for whoever comes too late for the `error` event. */
  #failure: Error | undefined;

  /** @internal */
  constructor(settings: ConnectionSettings, makeLink: (owner: LinkOwner) => ConnectionLink) {
    super();
    this.headers = settings.headers;
    this.link = makeLink(this);
    this.#sending = new Sending(this.link, this);
    this.#receiving = new Receiving(this.link, this);
  }

  /** Bytes, framing included, that were sent and that the system has not taken yet. */
  get bufferedAmount(): number {
    return this.link.sender.bufferedAmount + this.#sending.queuedBytes;
  }

  /** Messages, and other frames, that were sent and that the system has not taken yet. */
  get queuedMessages(): number {
    return this.link.sender.bufferedFrames + this.#sending.queuedMessages;
  }

  /** Whether `pause` stopped the reading. */
  get isPaused(): boolean {
    return this.#receiving.isPaused;
  }

  // --- opening

  /** Begins the opening handshake; answers whether there was one to begin, which is so at the first call only. */
  abstract startConnection(): boolean;

  /**
   * Adds a field to this side's opening handshake, before that has begun.
   *
   * @throws {TypeError} ERR_HEADER for what may not stand in it, ERR_STATE when it is too late.
   */
  setHeader(name: string, value: string): this {
    if (this.link.transport || this.readyState !== "connecting")
      throw typeError("ERR_STATE", "The opening handshake has begun: set headers before it.");
    this.headers = [...this.headers, ...headerList([[name, value]], this.role)];
    return this;
  }

  /** {@link LinkOwner.handshakeData} @internal */
  abstract handshakeData(chunk: Uint8Array): Uint8Array | undefined;

  /** {@link LinkOwner.handshakeEnded} @internal */
  abstract handshakeEnded(cause?: Error): void;

  /** {@link LinkOwner.handshakeExpired} @internal */
  abstract handshakeExpired(): void;

  /** {@link LinkOwner.handshakeAbandoned} @internal */
  abstract handshakeAbandoned(): void;

  /**
   * The opening handshake is done: `response`, if there is one to send, leaves first, then what was sent early.
   *
   * @throws {ConnectionError} ERR_NO_SLOT, before anything is sent.
   * @internal
   */
  protected opened(
    negotiated: {
      subprotocol: string | undefined;
      sessions: readonly ExtensionSession[];
      extensions: readonly string[];
    },
    response?: Uint8Array,
  ): void {
    this.link.open(negotiated.sessions);
    this.protocol = negotiated.subprotocol ?? "";
    if (negotiated.extensions.length > 0) this.extensions = negotiated.extensions;
    this.#receiving.regulate();
    if (response) this.link.transport!.write([response], () => undefined);
    observed(this.settings.host, "hybi:open")?.publish({ connection: this });
    this.#sending.release();
  }

  /** The opening handshake failed: `error`, then `close` with 1006. @internal */
  protected fail(error: Error): void {
    if (this.link.closeInfo) return;
    this.failed(error);
    this.link.terminate();
  }

  // --- sending

  /**
   * Sends a message: a string as text, bytes as binary, or as the options say. Answers whether to go on: after false,
   * wait for `drain`. While the connection is connecting, up to 1,024 sends wait for it to open; once it is closing
   * nothing is sent, the answer is false, and a callback gets an error.
   *
   * From 16 KiB on a server does not copy bytes: leave them alone until the callback.
   *
   * @throws {TypeError} ERR_DATA_TYPE, ERR_FRAME_ORDER, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_CONTROL_TOO_LONG, ERR_CLOSE_CODE, ERR_OPTION_RANGE
   * @throws {ConnectionError} ERR_QUEUE_FULL
   */
  send(data: Data, options?: SendOptions): boolean {
    return options === undefined ? this.#sending.message(data) : this.#sending.as(data, options);
  }

  /** Sends a text message; bytes must be UTF-8. */
  sendText(data: Data, options?: Omit<SendOptions, "type">): boolean {
    return this.#sending.as(data, { ...options, type: "text" });
  }

  /** Sends a binary message; a string is sent as its UTF-8. */
  sendBinary(data: Data, options?: Omit<SendOptions, "type">): boolean {
    return this.#sending.as(data, { ...options, type: "binary" });
  }

  /** Sends a Ping of at most 125 bytes (§5.5.2); `callback` runs when its Pong comes, or with an error if none can. */
  sendPing(message: Data = "", callback?: SendCallback): boolean {
    return this.#sending.ping(message, callback);
  }

  /** Sends a Pong that nobody asked for (§5.5.3). Pings are answered without it. */
  sendPong(message: Data = "", callback?: SendCallback): boolean {
    return this.#sending.pong(message, callback);
  }

  // --- receiving

  /**
   * The next message; undefined once the connection was closed cleanly and all are taken.
   *
   * @throws {ConnectionError} ERR_CLOSED when it was not closed cleanly, so that some may be missing; what broke, if that
   *   is known, is its `cause`.
   */
  read(): Promise<Message | undefined> {
    return this.#receiving.read();
  }

  /**
   * The messages, in order. While the body of the loop is busy, the peer is held back. The loop ends and throws as
   * {@link read} does; leaving it early closes nothing, and another loop goes on where it stopped.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    this.#receiving.startReading();
    try {
      for (;;) {
        const message = await this.#receiving.readOn();
        if (message === undefined) return;
        yield message;
      }
    } finally {
      this.#receiving.stopReading();
    }
  }

  /**
   * The messages as a web stream; it ends and errs as {@link read} does. What is not read holds the peer back. To cancel
   * it closes the connection, with the code and reason of a `WebSocketError` if the reason is one.
   */
  get readable(): ReadableStream<Message> {
    return this.streams.readable;
  }

  /**
   * Takes messages as {@link send} does; a write is done once the system has taken its bytes. To close it closes the
   * connection, behind what was written, and so does to abort it, as above.
   */
  get writable(): WritableStream<Data> {
    return this.streams.writable;
  }

  /** Both of them. @internal */
  protected get streams(): MessageStreams {
    if (this.#streams) return this.#streams;
    this.#streams = new MessageStreams(this.#receiving, this.#sending, this.streamFace);
    if (this.link.closeInfo) this.#streams.ended(this.link.closeInfo, this.#failure);
    return this.#streams;
  }

  /** @internal */
  protected get streamFace(): StreamFace {
    return connectionFace;
  }

  /** Stops reading from the socket, so that in time the peer cannot send. What was read already is still delivered. */
  pause(): void {
    this.#receiving.pause();
  }

  /**
   * Reads again. From then on, messages that nobody listens for or reads are dropped; before it they are held, and hold
   * back the peer once there are `highWaterMark` bytes of them.
   */
  resume(): void {
    this.#receiving.resume();
  }

  /** @internal */
  protected override listenerAdded(event: keyof ConnectionEvents): void {
    if (event === "message") this.#receiving.listen();
  }

  // --- closing

  /**
   * Starts the closing handshake (§7.1.2), or gives up the opening one. Resolves when the connection is closed, however
   * that came about; `closeTimeout` bounds it.
   *
   * @throws {RangeError} ERR_CLOSE_CODE, ERR_CONTROL_TOO_LONG for a reason over 123 bytes of UTF-8.
   */
  close(code: number = NORMAL_CLOSURE, reason = ""): Promise<CloseInfo> {
    this.#sending.close(code, reason);
    const { closeInfo } = this.link;
    return closeInfo ? Promise.resolve(closeInfo) : new Promise((resolve) => (this.#closeWaiters ??= []).push(resolve));
  }

  /** As {@link close}, but without a code the Close frame is empty. @internal */
  closeWith(code: number | undefined, reason: string): void {
    this.#sending.close(code, reason);
  }

  /** The same as {@link close}, in the seed's order. */
  closeConnection(reason = "", code: number = NORMAL_CLOSURE): Promise<CloseInfo> {
    return this.close(code, reason);
  }

  /** Ends the connection at once, without a closing handshake; what is not sent yet is dropped. */
  terminate(): void {
    this.link.terminate();
  }

  /** Closes with 1000, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // --- inside

  /** {@link LinkOwner.received} @internal */
  received(message: Message): void {
    this.#receiving.message(message);
  }

  /** {@link LinkOwner.pinged} @internal */
  pinged(payload: Uint8Array): void {
    this.emit("ping", payload);
  }

  /** {@link LinkOwner.ponged} @internal */
  ponged(payload: Uint8Array): void {
    this.emit("pong", payload);
  }

  /** {@link LinkOwner.drained} @internal */
  drained(): void {
    if (this.#sending.releaseSome()) this.emit("drain");
  }

  /** {@link LinkOwner.closing} @internal */
  closing(): void {
    this.#receiving.regulate();
    this.#streams?.closing();
  }

  /** {@link LinkOwner.failed} @internal */
  failed(error: Error): void {
    this.#failure = error;
    observed(this.settings.host, "hybi:error")?.publish({ connection: this, error });
    this.emit("error", error);
  }

  /** {@link LinkOwner.closed} @internal */
  closed(info: CloseInfo): void {
    const isLost = !info.wasClean || this.#sending.queuedMessages > 0;
    const error = isLost
      ? new ConnectionError("ERR_CLOSED", `It was closed with ${info.code}.`, { cause: this.#failure })
      : undefined;
    if (error) this.#sending.abandon(error);
    this.#receiving.end(info.wasClean ? undefined : error);
    this.#streams?.ended(info, this.#failure);
    for (const resolve of this.#closeWaiters ?? []) resolve(info);
    this.#closeWaiters = undefined;
    this.ended?.();
    observed(this.settings.host, "hybi:close")?.publish({ connection: this, info });
    this.emit("close", info.code, info.reason);
  }

  /** The connection is over; the `close` event is still to come. @internal */
  protected ended?(): void;

  /** @internal */
  dropped(): void {
    this.settings.counters.dropped++;
    observed(this.settings.host, "hybi:drop")?.publish({ connection: this });
  }

  /** {@link CallbackRunner.callUser} @internal */
  callUser(callback: SendCallback, error?: Error): void {
    try {
      callback(error);
    } catch (thrown) {
      this.listenerFailed(thrown, "callback");
    }
  }

  /** A handler that throws costs its own connection, with 1011, and nothing else. @internal */
  protected listenerFailed(thrown: unknown, event: string): void {
    const error = handlerError(thrown, event);
    // `close` is the last event, also when a promise is rejected behind it.
    const isUnheard = event === "error" || this.link.closeInfo !== undefined || !this.emit("error", error);
    if (isUnheard) this.settings.host.reportError(error);
    this.link.breakOff(INTERNAL_ERROR);
  }
}
