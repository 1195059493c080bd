import { LARGE } from "../codec/outbox.ts";
import { isCloseCode } from "../codec/close-codes.ts";
import { MAX_REASON_LENGTH, NORMAL_CLOSURE } from "../protocol/close.ts";
import { toBytes, type Data } from "../protocol/data.ts";
import { ConnectionError, rangeError, typeError } from "../errors.ts";
import { BINARY, CONTINUATION, MAX_CONTROL_LENGTH, PONG, TEXT } from "../protocol/opcode.ts";
import { boolean, callable, checkOptions, integer, must, unchecked, type Check } from "../protocol/options.ts";
import type { ConnectionLink } from "./connection-link.ts";
import { Queue, type Held } from "./queue.ts";
import type { SendCallback } from "./sender.ts";
import type { Utf8 } from "./settings.ts";

/** The kinds of frame that `send` can send. */
export type SendType = "text" | "binary" | "continuation" | "ping" | "pong" | "close";

export interface SendOptions {
  /** Sends only the part from here (UTF-16 units of a string, bytes otherwise). Default: 0. */
  readonly start?: number | undefined;
  /** Sends only the part up to here. Default: the end. */
  readonly end?: number | undefined;
  /** Default: text for a string, binary for bytes. */
  readonly type?: SendType | undefined;
  /** False sends a fragment; the message goes on by `type: "continuation"` (RFC 6455 §5.4). Default: true. */
  readonly fin?: boolean | undefined;
  /**
   * Where permessage-deflate was negotiated: false sends the message as it is, true compresses it however short it is.
   * A secret should not be compressed together with text that others choose: its length would tell of it. Of a message in
   * fragments, the first says it for all. Default: what the extension's `threshold` says.
   */
  readonly compress?: boolean | undefined;
  /** With `type: "close"`: the status code. Default: 1000. */
  readonly code?: number | undefined;
  /** Called once the system has taken the bytes, or with an error; for a ping, once it is answered. */
  readonly callback?: SendCallback | undefined;
}

const types = new Set<unknown>(["text", "binary", "continuation", "ping", "pong", "close"]);
const position = integer(0, Number.MAX_SAFE_INTEGER);
const optionChecks: Record<keyof SendOptions, Check> = {
  start: position,
  end: position,
  type: must(`one of ${[...types].join(", ")}`, (value) => types.has(value)),
  fin: boolean,
  compress: boolean,
  code: unchecked,
  callback: callable,
};

/** Sends that may wait for the opening handshake. */
const MAX_EARLY_SENDS = 1024;

/** A header that a payload may get, to count what waits. */
const HEADER = 14;

const NO_REASON = new Uint8Array(0);

/** Who a user's callbacks are run by, and who learns what becomes of messages. */
export interface CallbackRunner {
  /** Runs a callback so that what it throws goes where a listener's does. */
  callUser(callback: SendCallback, error?: Error): void;
  /** A message was dropped. */
  dropped(): void;
}

/** What a user may send, and when: checked, and held until the connection is open. */
export class Sending {
  readonly #link: ConnectionLink;
  readonly #runner: CallbackRunner;
  /** What waits for the connection to open, or for a peer that is behind. */
  #queue: Queue | undefined;

  constructor(link: ConnectionLink, runner: CallbackRunner) {
    this.#link = link;
    this.#runner = runner;
  }

  get #codec(): Utf8 {
    return this.#link.settings.codec;
  }

  message(data: Data): boolean {
    return typeof data === "string" ? this.#whole(TEXT, data) : this.#whole(BINARY, toBytes(data, LARGE));
  }

  as(data: Data, options: SendOptions): boolean {
    checkOptions(options, optionChecks);
    const { start = 0, end, fin = true, callback, compress } = options;
    const part = start === 0 && end === undefined ? data : slice(data, start, end);
    const type = options.type ?? (typeof part === "string" ? "text" : "binary");
    if (type === "ping") return this.ping(part, callback);
    if (type === "pong") return this.pong(part, callback);
    if (type === "close") return this.close(options.code ?? NORMAL_CLOSURE, this.#string(part));
    if (type === "text" && fin && typeof part === "string") return this.#whole(TEXT, part, callback, compress);
    const bytes = this.#utf8(part);
    if (type === "text" && fin && !this.#codec.validateUtf8(bytes))
      throw typeError("ERR_DATA_TYPE", "The bytes of a text message must be UTF-8: send others as binary.");
    if (type === "continuation" || !fin) return this.#fragment(type, bytes, fin, callback, compress);
    return this.#whole(type === "text" ? TEXT : BINARY, bytes, callback, compress);
  }

  ping(message: Data, callback?: SendCallback): boolean {
    const payload = this.#controlPayload(message);
    const answered = callback && ((error?: Error) => this.#runner.callUser(callback, error));
    const run = (): void => {
      if (answered) this.#link.pings.checkRoom();
      this.#link.sendPing(payload, answered);
    };
    return this.#send(payload.length, run, undefined, callback);
  }

  pong(message: Data, callback?: SendCallback): boolean {
    const payload = this.#controlPayload(message);
    return this.#send(payload.length, () => this.#link.protocol.sendControl(PONG, payload), callback);
  }

  /**
   * Starts the closing handshake behind what waits; answers false, since nothing can be sent behind it. Without a code
   * the Close frame is empty (RFC 6455 §5.5.1).
   */
  close(code: number | undefined, reason: string): false {
    const bytes = code === undefined ? NO_REASON : checkClose(this.#codec, code, reason);
    if (this.#link.readyState === "open") this.release();
    this.#link.startClosing(code, bytes);
    return false;
  }

  /** The connection is open, or about to close: what waits leaves first. */
  release(): void {
    while (this.#queue) this.#sendNext();
    this.#link.sender.flush();
  }

  /** The peer has caught up; answers whether nothing waits any more. */
  releaseSome(): boolean {
    // Behind our Close frame nothing may be sent (RFC 6455 §5.5.1).
    while (this.#queue && !this.#link.sender.isBehind && this.#link.readyState === "open") this.#sendNext();
    return !this.#queue;
  }

  /** The connection is closed. */
  abandon(error: Error): void {
    const queue = this.#queue;
    this.#queue = undefined;
    for (let held = queue?.shift(); held; held = queue!.shift()) held.fail(error);
  }

  /** Bytes that wait here, because the peer is behind. */
  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  /** Messages that wait here, as above. */
  get queuedMessages(): number {
    return this.#queue?.length ?? 0;
  }

  #sendNext(): void {
    const held = this.#queue!.shift();
    if (this.#queue!.length === 0) this.#queue = undefined;
    // What the queue was made for may not have fitted into it, or was dropped.
    if (!held) return;
    const { run, fail } = held;
    // The one before it may have cost the connection, and nothing may follow a Close frame (§5.5.1).
    if (this.#link.readyState !== "open") return void fail(this.#notOpen());
    try {
      run();
    } catch (error) {
      if (fail(error as Error)) return;
      this.#runner.callUser(() => {
        throw error;
      });
    }
  }

  #whole(opcode: number, data: string | Uint8Array, callback?: SendCallback, compress?: boolean): boolean {
    const { readyState, sender } = this.#link;
    if (callback !== undefined || readyState !== "open" || sender.isBehind)
      return this.#wholeLater(opcode, data, callback, compress);
    this.#sendWhole(opcode, data, compress);
    return sender.wrote();
  }

  /** Apart, since a closure costs the function around it memory at each call. */
  #wholeLater(opcode: number, data: string | Uint8Array, callback?: SendCallback, compress?: boolean): boolean {
    const kept = typeof data === "string" ? data : this.#toKeep(data);
    return this.#send(data.length, () => this.#sendWhole(opcode, kept, compress), callback);
  }

  #sendWhole(opcode: number, data: string | Uint8Array, compress?: boolean): void {
    const { protocol, settings } = this.#link;
    if (typeof data === "string") protocol.sendText(data, compress);
    else protocol.sendBytes(opcode, data, compress);
    settings.counters.messagesSent++;
  }

  #fragment(
    type: SendType,
    bytes: Uint8Array,
    fin: boolean,
    callback: SendCallback | undefined,
    compress: boolean | undefined,
  ): boolean {
    const opcode = type === "text" ? TEXT : type === "binary" ? BINARY : CONTINUATION;
    const kept = this.#toKeep(bytes);
    const run = (): void => {
      this.#link.protocol.sendFragment(opcode, kept, fin, compress);
      if (fin) this.#link.settings.counters.messagesSent++;
    };
    return this.#send(bytes.length, run, callback, callback, false);
  }

  /**
   * Runs now, or later, or never. `written` is told when the bytes left, and `unsent` when they cannot. To drop part of a
   * message would break the frames behind it.
   */
  #send(length: number, run: () => void, written: SendCallback | undefined, unsent = written, mayDrop = true): boolean {
    const { readyState, sender } = this.#link;
    const fail = (error: Error): boolean => {
      if (unsent) this.#runner.callUser(unsent, error);
      return unsent !== undefined;
    };
    const send = (): boolean => {
      run();
      return sender.wrote(written && ((error) => this.#runner.callUser(written, error)));
    };
    if (readyState === "open") {
      if (!sender.isBehind) return send();
      this.#sendBehind({ size: length + HEADER, run: send, fail, mayDrop });
      return false;
    }
    if (readyState === "connecting") {
      const queue = (this.#queue ??= new Queue());
      if (queue.length >= MAX_EARLY_SENDS || queue.bytes + length > this.#link.settings.maxQueuedBytes)
        throw new ConnectionError("ERR_QUEUE_FULL", `${queue.length} sends wait for the connection to open already.`);
      queue.push({ size: length + HEADER, run: send, fail, mayDrop });
      return true;
    }
    const error = this.#notOpen();
    if (unsent) void Promise.resolve().then(() => fail(error));
    return false;
  }

  #notOpen(): ConnectionError {
    return new ConnectionError("ERR_NOT_OPEN", `The connection is ${this.#link.readyState}: nothing was sent.`);
  }

  /** The peer is behind: what still fits into its queue is sent, and what becomes of the rest is the user's choice. */
  #sendBehind(held: Held): void {
    const { sender, settings } = this.#link;
    const { slowConsumer, maxQueuedBytes } = settings;
    if (slowConsumer === "drop-oldest") {
      // One that would not fit without them either is not worth the others.
      const canFit = sender.bufferedAmount + held.size <= maxQueuedBytes;
      while (held.mayDrop && canFit && !this.#hasRoom(held.size)) {
        const oldest = this.#queue?.takeOldest();
        if (!oldest) break;
        this.#drop(oldest);
      }
      if (!held.mayDrop || this.#hasRoom(held.size)) (this.#queue ??= new Queue()).push(held);
      else this.#drop(held);
    } else if (this.#hasRoom(held.size) || (slowConsumer === "drop-newest" && !held.mayDrop)) {
      held.run();
    } else if (slowConsumer === "drop-newest") {
      this.#drop(held);
    } else if (slowConsumer === "wait") {
      throw new ConnectionError("ERR_QUEUE_FULL", "The peer's queue is full: wait for `drain` before sending more.");
    } else {
      this.#link.overflow();
      const error = new ConnectionError("ERR_NOT_OPEN", "The peer's queue is full: the connection is closing.");
      void Promise.resolve().then(() => held.fail(error));
    }
  }

  /** Whether `size` more bytes, of one message, are within the limits of what may wait for the peer. */
  #hasRoom(size: number): boolean {
    const { sender, settings } = this.#link;
    const { maxQueuedBytes, maxQueuedMessages } = settings;
    return (
      sender.bufferedAmount + this.queuedBytes + size <= maxQueuedBytes &&
      sender.bufferedFrames + this.queuedMessages < maxQueuedMessages
    );
  }

  #drop({ fail }: Held): void {
    this.#runner.dropped();
    const error = new ConnectionError("ERR_DROPPED", "The peer does not keep up: this message was dropped.");
    void Promise.resolve().then(() => fail(error));
  }

  #controlPayload(data: Data): Uint8Array {
    const payload = this.#toKeep(this.#utf8(data));
    if (payload.length > MAX_CONTROL_LENGTH)
      throw rangeError("ERR_CONTROL_TOO_LONG", `A control frame carries at most 125 bytes, not ${payload.length}.`);
    return payload;
  }

  /** What is not encoded at once must not change until it is. */
  #toKeep(bytes: Uint8Array): Uint8Array {
    const { readyState, sender } = this.#link;
    return readyState === "connecting" || sender.isBehind ? new Uint8Array(bytes) : bytes;
  }

  #utf8(data: Data): Uint8Array {
    return typeof data === "string" ? this.#codec.text.encodeBytes(data) : toBytes(data);
  }

  #string(data: Data): string {
    return typeof data === "string" ? data : this.#codec.text.decodeBytes(toBytes(data), false);
  }
}

/**
 * The bytes of a close reason, once it and the code are fit to be sent.
 *
 * @throws {RangeError} ERR_CLOSE_CODE, ERR_CONTROL_TOO_LONG
 * @throws {TypeError} ERR_DATA_TYPE
 */
export function checkClose(codec: Utf8, code: number, reason: string): Uint8Array {
  if (!isCloseCode(code)) {
    const allowed = "1000 to 1003, 1007 to 1014, and 3000 to 4999";
    throw rangeError("ERR_CLOSE_CODE", `A Close frame may carry ${allowed}, not ${String(code)}.`);
  }
  if (typeof reason !== "string") throw typeError("ERR_DATA_TYPE", "A close reason must be a string.");
  const bytes = codec.text.encodeBytes(reason);
  if (bytes.length > MAX_REASON_LENGTH)
    throw rangeError("ERR_CONTROL_TOO_LONG", `A close reason has at most 123 bytes of UTF-8, not ${bytes.length}.`);
  return bytes;
}

function slice(data: Data, start: number, end: number | undefined): Data {
  const whole = typeof data === "string" ? data : toBytes(data);
  if (start > whole.length || (end !== undefined && (end > whole.length || end < start)))
    throw rangeError("ERR_OPTION_RANGE", `start and end must lie in order within the ${whole.length} there are.`);
  return typeof whole === "string" ? whole.slice(start, end) : whole.subarray(start, end);
}
