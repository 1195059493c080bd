import type { Codec } from "../codec/codec.ts";
import { LARGE } from "../codec/outbox.ts";
import { MAX_REASON_LENGTH, NORMAL_CLOSURE, isCloseCode } from "../protocol/close.ts";
import { toBytes, type Data } from "../protocol/data.ts";
import { ConnectionError, rangeError, typeError } from "../errors.ts";
import { BINARY, CONTINUATION, MAX_CONTROL_LENGTH, PING, PONG, TEXT } from "../protocol/opcode.ts";
import { boolean, callable, checkOptions, integer, must, unchecked, type Check } from "../protocol/options.ts";
import type { Link } from "./link.ts";
import { Pings } from "./pings.ts";
import type { SendCallback } from "./sender.ts";

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
  code: unchecked,
  callback: callable,
};

/** Sends that may wait for the opening handshake. */
export const MAX_EARLY_SENDS = 1024;

interface EarlySend {
  readonly run: () => void;
  /** Tells who sent it; answers whether there was a callback to tell. */
  readonly fail: (error: Error) => boolean;
}

/** Who a user's callbacks are run by. */
export interface CallbackRunner {
  /** Runs a callback so that what it throws goes where a listener's does. */
  callUser(callback: SendCallback, error?: Error): void;
}

/** What a user may send, and when: checked, and held until the connection is open. */
export class Sending {
  readonly #link: Link;
  readonly #runner: CallbackRunner;
  #pings: Pings | undefined;
  #early: EarlySend[] | undefined;

  constructor(link: Link, runner: CallbackRunner) {
    this.#link = link;
    this.#runner = runner;
  }

  get #codec(): Codec {
    return this.#link.settings.codec;
  }

  message(data: Data): boolean {
    return typeof data === "string" ? this.#text(data) : this.#bytes(BINARY, this.#toKeep(toBytes(data, LARGE)));
  }

  as(data: Data, options: SendOptions): boolean {
    checkOptions(options, optionChecks);
    const { start = 0, end, fin = true, callback } = options;
    const part = start === 0 && end === undefined ? data : slice(data, start, end);
    const type = options.type ?? (typeof part === "string" ? "text" : "binary");
    if (type === "ping") return this.ping(part, callback);
    if (type === "pong") return this.pong(part, callback);
    if (type === "close") return this.close(options.code ?? NORMAL_CLOSURE, this.#string(part));
    if (type === "text" && fin && typeof part === "string") return this.#text(part, callback);
    const bytes = this.#toKeep(this.#utf8(part));
    if (type === "text" && fin && !this.#codec.validateUtf8(bytes))
      throw typeError("ERR_DATA_TYPE", "The bytes of a text message must be UTF-8: send others as binary.");
    if (type === "continuation" || !fin) {
      const opcode = type === "text" ? TEXT : type === "binary" ? BINARY : CONTINUATION;
      return this.#send(() => this.#link.protocol.sendFragment(opcode, bytes, fin), callback);
    }
    return this.#bytes(type === "text" ? TEXT : BINARY, bytes, callback);
  }

  ping(message: Data, callback?: SendCallback): boolean {
    const payload = this.#controlPayload(message);
    const answered = callback && ((error?: Error) => this.#runner.callUser(callback, error));
    return this.#send(
      () => {
        if (answered) (this.#pings ??= new Pings()).add(payload, answered);
        this.#link.protocol.sendControl(PING, payload);
      },
      undefined,
      callback,
    );
  }

  pong(message: Data, callback?: SendCallback): boolean {
    const payload = this.#controlPayload(message);
    return this.#send(() => this.#link.protocol.sendControl(PONG, payload), callback);
  }

  /** Starts the closing handshake; answers false, since nothing can be sent behind it. */
  close(code: number, reason: string): false {
    const bytes = checkClose(this.#codec, code, reason);
    this.#link.startClosing(code, bytes);
    return false;
  }

  /** A Pong came. */
  answered(payload: Uint8Array): void {
    for (const callback of this.#pings?.answered(payload) ?? []) callback();
  }

  /** The connection is open: what waited for that leaves first. */
  release(): void {
    for (const { run, fail } of this.#takeEarly()) {
      try {
        run();
      } catch (error) {
        if (fail(error as Error)) continue;
        this.#runner.callUser(() => {
          throw error;
        });
      }
    }
    this.#link.sender.flush();
  }

  /** The connection is closed. */
  abandon(error: Error): void {
    for (const { fail } of this.#takeEarly()) fail(error);
    for (const callback of this.#pings?.abandon() ?? []) callback(error);
  }

  #takeEarly(): EarlySend[] {
    const early = this.#early ?? [];
    this.#early = undefined;
    return early;
  }

  #text(text: string, callback?: SendCallback): boolean {
    if (callback === undefined && this.#link.readyState === "open") {
      this.#link.protocol.sendText(text);
      return this.#link.sender.wrote();
    }
    return this.#send(() => this.#link.protocol.sendText(text), callback);
  }

  #bytes(opcode: number, bytes: Uint8Array, callback?: SendCallback): boolean {
    if (callback === undefined && this.#link.readyState === "open") {
      this.#link.protocol.sendBytes(opcode, bytes);
      return this.#link.sender.wrote();
    }
    return this.#send(() => this.#link.protocol.sendBytes(opcode, bytes), callback);
  }

  /** Runs now, or once open, or never. `written` is told when the bytes left, and `unsent` when they cannot. */
  #send(run: () => void, written: SendCallback | undefined, unsent = written): boolean {
    const { readyState, sender } = this.#link;
    if (readyState === "open") {
      run();
      return sender.wrote(written && ((error) => this.#runner.callUser(written, error)));
    }
    if (readyState === "connecting") {
      this.#early ??= [];
      if (this.#early.length >= MAX_EARLY_SENDS)
        throw new ConnectionError(
          "ERR_QUEUE_FULL",
          `${MAX_EARLY_SENDS} sends wait for the connection to open already.`,
        );
      this.#early.push({
        run: () => void this.#send(run, written, unsent),
        fail: (error) => {
          if (unsent) this.#runner.callUser(unsent, error);
          return unsent !== undefined;
        },
      });
      return true;
    }
    if (unsent) {
      const error = new ConnectionError("ERR_NOT_OPEN", `The connection is ${readyState}: nothing was sent.`);
      void Promise.resolve().then(() => this.#runner.callUser(unsent, error));
    }
    return false;
  }

  #controlPayload(data: Data): Uint8Array {
    const payload = this.#toKeep(this.#utf8(data));
    if (payload.length > MAX_CONTROL_LENGTH)
      throw rangeError("ERR_CONTROL_TOO_LONG", `A control frame carries at most 125 bytes, not ${payload.length}.`);
    return payload;
  }

  /** What waits for the connection to open must not change until then. */
  #toKeep(bytes: Uint8Array): Uint8Array {
    return this.#link.readyState === "connecting" ? new Uint8Array(bytes) : bytes;
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
export function checkClose(codec: Codec, code: number, reason: string): Uint8Array {
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
