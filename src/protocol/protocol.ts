/**
 * A connection of RFC 6455 once its handshake is done, without I/O: bytes and calls in, events and bytes out.
 *
 * @module
 */
import {
  EVENT_ASCII,
  EVENT_FIRST,
  EVENT_LAST,
  EVENT_OPCODE,
  EVENT_RSV,
  UTF8_ACCEPT,
  UTF8_NON_ASCII,
  UTF8_STATE,
} from "../../assembly/layout.ts";
import type { Codec } from "../codec/codec.ts";
import { Outbox } from "../codec/outbox.ts";
import { closeSlot, decode, decodeWindow, openSlot, type DecoderSink } from "../codec/slot-decoder.ts";
import type { Violation } from "../codec/violation.ts";
import { Assembler } from "./assembler.ts";
import { Budget, processBudget } from "./budget.ts";
import {
  ABNORMAL_CLOSURE,
  INVALID_PAYLOAD,
  MAX_REASON_LENGTH,
  MESSAGE_TOO_BIG,
  PROTOCOL_ERROR,
  TRY_AGAIN_LATER,
  decodeClose,
  encodeClose,
} from "./close.ts";
import type { Message } from "./data.ts";
import { typeError, type ErrorCode, type HybiError } from "../errors.ts";
import { ProtocolError } from "./errors.ts";
import type { ExtensionSession } from "./extension.ts";
import { ExtensionChain } from "./extension-chain.ts";
import type { Limits } from "./limits.ts";
import { BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT } from "./opcode.ts";
import { next, readyStateOf, type ReadyState, type State } from "./state.ts";

export type Role = "client" | "server";

/** What a connection reports, in the order of the bytes, while {@link Protocol.receive} runs. */
export interface ProtocolHandler {
  message(message: Message): void;
  ping(payload: Uint8Array): void;
  pong(payload: Uint8Array): void;
  /** The closing handshake is complete: once the outbox is written, the transport is to be ended (§7.1.1). */
  closeDone(): void;
  /** The connection was failed (§7.1.7): once the outbox is written, the transport is to be ended. */
  failed(error: HybiError): void;
}

export interface ProtocolOptions extends Limits {
  readonly role: Role;
  readonly codec: Codec;
  /** For unfinished messages. Default: the process's. */
  readonly budget?: Budget | undefined;
  /** A client's source of masking keys (§5.3). */
  readonly maskingKey?: (() => number) | undefined;
}

const errorCodeOf: Record<number, ErrorCode> = {
  1002: "ERR_PROTOCOL",
  1007: "ERR_INVALID_DATA",
  1008: "ERR_POLICY",
  1009: "ERR_TOO_LONG",
  1013: "ERR_BUDGET",
};

const WHOLE = EVENT_FIRST | EVENT_LAST;

/** At most 125 bytes a connection (§5.5), which nobody need count. */
const CONTROL_FRAMES = new Budget(2 ** 53);

export class Protocol implements DecoderSink {
  /** The frames to be written, if there are any. Whoever owns the transport takes them, and the outbox away. */
  outbox: Outbox | undefined;
  /** The transport was closed after the closing handshake was completed (§7.1.4). */
  wasClean = false;

  #state: State = "connecting";
  readonly #options: ProtocolOptions;
  readonly #handler: ProtocolHandler;
  /** In which the codec decodes what comes in; 0 for none. */
  #slot = 0;
  #extensions: ExtensionChain | undefined;
  /** A message, and a control frame, of which a part is still to come. */
  #message: Assembler | undefined;
  #control: Assembler | undefined;
  /** A message of ours has begun and its final fragment is still to be sent (§5.4). */
  #sendingFragments = false;
  /** The peer's Close frame. */
  #close: { readonly code: number; readonly reason: string } | undefined;

  constructor(options: ProtocolOptions, handler: ProtocolHandler) {
    this.#options = options;
    this.#handler = handler;
  }

  get role(): Role {
    return this.#options.role;
  }

  get #codec(): Codec {
    return this.#options.codec;
  }

  /** Where frames go. */
  get #frames(): Outbox {
    return (this.outbox ??= new Outbox(this.#options.codec, this.#options.maskingKey));
  }

  get readyState(): ReadyState {
    return readyStateOf(this.#state);
  }

  /** "_The WebSocket Connection Close Code_" (§7.1.5). */
  get closeCode(): number {
    return this.#close?.code ?? ABNORMAL_CLOSURE;
  }

  /** "_The WebSocket Connection Close Reason_" (§7.1.6). */
  get closeReason(): string {
    return this.#close?.reason ?? "";
  }

  /** The closing handshake was begun by the peer or completed, or the connection was failed: the peer's data is over. */
  get inputIsOver(): boolean {
    return this.#state !== "open" && this.#state !== "closeSent" && this.#state !== "connecting";
  }

  /**
   * The opening handshake is done (§4.1, §4.2.2).
   *
   * @throws {ConnectionError} ERR_NO_SLOT when the codec has no decoder slot left.
   */
  open(sessions: readonly ExtensionSession[] = []): void {
    // Before a slot is taken, which nobody would give back if this throws.
    const opened = next(this.#state, "opened");
    const { role, codec, maxLength, maxFragments } = this.#options;
    const extensions = sessions.length > 0 ? new ExtensionChain(sessions) : undefined;
    this.#slot = openSlot(codec, { role, maxLength, maxFragments, allowedRsv: extensions?.rsv ?? 0 });
    this.#extensions = extensions;
    this.#state = opened;
  }

  // --- receiving (§6.2)

  /** Takes the next bytes of the transport. They may be overwritten. */
  receive(chunk: Uint8Array): void {
    if (this.#slot !== 0 && !this.inputIsOver) decode(this.#codec, this.#slot, chunk, this);
  }

  /** As {@link receive}, of the first `length` bytes of the codec's window. */
  receiveWindow(length: number): void {
    if (this.#slot !== 0 && !this.inputIsOver) decodeWindow(this.#codec, this.#slot, length, this);
  }

  /** @internal */
  piece(flags: number, source: Uint8Array, at: number, length: number, left: number): boolean {
    const opcode = flags & EVENT_OPCODE;
    if ((flags & WHOLE) !== WHOLE) this.#gather(opcode, flags, source, at, length, left);
    else if (opcode === TEXT && (flags & EVENT_RSV) === 0) this.#wholeText(flags, at, length);
    else this.#whole(opcode, flags, source.slice(at, at + length));
    return !this.inputIsOver;
  }

  /** @internal */
  violation({ closeCode, text }: Violation): void {
    this.fail(closeCode, text);
  }

  /** A text message that lies whole in linear memory. */
  #wholeText(flags: number, at: number, length: number): void {
    const { ascii, received, text } = this.#codec;
    const string = flags & EVENT_ASCII ? ascii.read(at, length) : text.decodeUtf8(at, length);
    received.is(string, at, length);
    this.#handler.message(string);
  }

  /** A piece of a message, or of a control frame, that does not come whole. */
  #gather(opcode: number, flags: number, source: Uint8Array, at: number, length: number, left: number): void {
    const isControl = opcode >= CLOSE;
    const assembler = isControl
      ? (this.#control ??= new Assembler(CONTROL_FRAMES))
      : (this.#message ??= new Assembler(this.#options.budget ?? processBudget));
    if (!assembler.append(source, at, length, left))
      return this.fail(TRY_AGAIN_LATER, "unfinished messages take all the memory that they may");
    if (!(flags & EVENT_LAST)) return;
    const bytes = assembler.take();
    if (isControl) this.#control = undefined;
    else this.#message = undefined;
    this.#whole(opcode, flags, bytes);
  }

  /** A message, or a control frame, in memory of its own. */
  #whole(opcode: number, flags: number, bytes: Uint8Array): void {
    if (opcode === PING) this.#handler.ping(bytes);
    else if (opcode === PONG) this.#handler.pong(bytes);
    else if (opcode === CLOSE) this.#receiveClose(bytes);
    else if (flags & EVENT_RSV) this.#decodeMessage(opcode, flags, bytes);
    else this.#deliver(opcode, bytes, (flags & EVENT_ASCII) !== 0);
  }

  /** A message that extensions have changed. */
  #decodeMessage(opcode: number, flags: number, encoded: Uint8Array): void {
    let bytes: Uint8Array;
    try {
      bytes = this.#extensions!.decode(opcode, flags & EVENT_RSV, encoded, this.#options.maxLength);
    } catch (error) {
      const { closeCode, message } = error as ProtocolError;
      return this.fail(closeCode, message);
    }
    if (opcode === BINARY) return this.#handler.message(bytes);
    const state = this.#codec.validate(UTF8_ACCEPT, bytes);
    if ((state & UTF8_STATE) !== UTF8_ACCEPT) return this.fail(INVALID_PAYLOAD, "a text message is not UTF-8 (§8.1)");
    this.#deliver(opcode, bytes, (state & UTF8_NON_ASCII) === 0);
  }

  #deliver(opcode: number, bytes: Uint8Array, isAscii: boolean): void {
    if (opcode === BINARY) return this.#handler.message(bytes);
    let text: string;
    try {
      text = this.#codec.text.decodeBytes(bytes, isAscii);
    } catch {
      return this.fail(MESSAGE_TOO_BIG, "a text message is longer than a string can be here");
    }
    this.#handler.message(text);
  }

  /** §5.5.1, §7.1.5, §7.1.6 */
  #receiveClose(payload: Uint8Array): void {
    const close = decodeClose(payload);
    if (!close) return this.fail(PROTOCOL_ERROR, "a Close frame has an invalid payload (§7.4)");
    const { code, reason } = close;
    if (reason && !this.#codec.validateUtf8(reason))
      return this.fail(INVALID_PAYLOAD, "a close reason is not UTF-8 (§5.5.1)");
    this.#close = { code, reason: reason ? this.#codec.text.decodeBytes(reason, false) : "" };
    const answer = this.#state === "open";
    this.#state = next(this.#state, "closeReceived");
    this.#dropUnfinished();
    if (answer) this.#sendClose(payload);
    this.#handler.closeDone();
  }

  // --- sending (§6.1); the connection is open

  /** Sends a whole text message. A lone surrogate leaves as U+FFFD. `compress` is for extensions. */
  sendText(text: string, compress?: boolean): void {
    if (this.#extensions) return this.sendBytes(TEXT, this.#codec.text.encodeBytes(text), compress);
    this.#startMessage(true);
    this.#frames.text(text);
  }

  /** Sends a whole message from bytes; those of a text message have been validated. */
  sendBytes(opcode: number, data: Uint8Array, compress?: boolean): void {
    this.#startMessage(true);
    const extensions = this.#extensions;
    if (extensions) data = extensions.encode(opcode, data, compress);
    this.#frames.bytes(FIN | (extensions?.bits ?? 0) | opcode, data);
  }

  /** Sends a fragment (§5.4): the first has the message's opcode, the others CONTINUATION, the last `fin`. */
  sendFragment(opcode: number, data: Uint8Array, fin: boolean, compress?: boolean): void {
    if (opcode === CONTINUATION) {
      if (!this.#sendingFragments)
        throw typeError("ERR_FRAME_ORDER", "There is no message to continue: begin one first.");
      this.#sendingFragments = !fin;
    } else {
      this.#startMessage(fin);
    }
    const extensions = this.#extensions;
    if (extensions) data = extensions.encodeFragment(opcode, data, fin, compress);
    this.#frames.bytes((fin ? FIN : 0) | (extensions?.bits ?? 0) | opcode, data);
  }

  #startMessage(fin: boolean): void {
    if (this.#sendingFragments) {
      throw typeError("ERR_FRAME_ORDER", "A message is being sent in fragments: send its last fragment first.");
    }
    this.#sendingFragments = !fin;
  }

  /** Sends a Ping or Pong of at most 125 bytes (§5.5.2, §5.5.3). */
  sendControl(opcode: typeof PING | typeof PONG, payload: Uint8Array): void {
    this.#frames.bytes(FIN | opcode, payload);
  }

  // --- closing (§7)

  /** "_Start the WebSocket Closing Handshake_" (§7.1.2); without a code the Close frame is empty. */
  close(code: number | undefined, reason: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#sendClose(code === undefined ? new Uint8Array(0) : encodeClose(code, reason));
  }

  /** "_Fail the WebSocket Connection_" (§7.1.7). What comes in after it is discarded. */
  fail(closeCode: number, text: string, code: ErrorCode = errorCodeOf[closeCode] ?? "ERR_PROTOCOL"): void {
    if (this.#state !== "open" && this.#state !== "closeSent") return;
    if (this.#state === "open") this.#frames.bytes(FIN | CLOSE, encodeClose(closeCode, this.#shortReason(text)));
    this.#state = next(this.#state, "failed");
    this.#dropUnfinished();
    this.#handler.failed(new ProtocolError(code, `The peer was answered ${closeCode}: ${text}.`, closeCode));
  }

  #shortReason(text: string): Uint8Array {
    const bytes = this.#codec.text.encodeBytes(text);
    return bytes.length <= MAX_REASON_LENGTH ? bytes : new Uint8Array(0);
  }

  /** What comes in from now on is discarded, and nothing more is sent: the connection was given up, or cut off. */
  abandon(): void {
    if (this.#state === "connecting" || this.#state === "open" || this.#state === "closeSent")
      this.#state = next(this.#state, "failed");
    this.#dropUnfinished();
  }

  /** The peer's data is over: what came of a message gives its memory back. */
  #dropUnfinished(): void {
    this.#message?.drop();
    this.#message = undefined;
  }

  /** The transport is gone, or the opening handshake never finished: the connection is closed (§7.1.4). */
  transportClosed(): void {
    if (this.#state === "closed") return;
    this.wasClean = this.#state === "closeDone";
    this.#state = next(this.#state, "transportClosed");
    this.#dropUnfinished();
    closeSlot(this.#codec, this.#slot);
    this.#slot = 0;
    this.#extensions?.close();
    this.#extensions = undefined;
    this.outbox?.clear();
    this.outbox = undefined;
  }

  #sendClose(payload: Uint8Array): void {
    this.#frames.bytes(FIN | CLOSE, payload);
    this.#state = next(this.#state, "closeSent");
  }
}
