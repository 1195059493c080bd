import type { Codec } from "../../src/codec/codec.ts";
import type { HybiError } from "../../src/errors.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { ExtensionSession } from "../../src/protocol/extension.ts";
import { DEFAULT_MAX_FRAGMENTS, DEFAULT_MAX_LENGTH, type Limits } from "../../src/protocol/limits.ts";
import { Protocol, type ProtocolHandler } from "../../src/protocol/protocol.ts";
import type { Message } from "../../src/protocol/data.ts";
import { codecs } from "./codecs.ts";
import { WHY, type Event, type Outcome, type Sent } from "./outcome.ts";
import { concat, latin1, readFrames, type Role, type WireFrame } from "./wire.ts";

export const defaultLimits: Limits = { maxLength: DEFAULT_MAX_LENGTH, maxFragments: DEFAULT_MAX_FRAGMENTS };

let lastKey = 1;
/** Other than those of the frames before, which is all that most cases need. */
const nextKey = (): number => (lastKey = Math.imul(lastKey, 1_664_525) + 1_013_904_223);

export interface SessionOptions {
  codec?: Codec;
  limits?: Partial<Limits> | undefined;
  sessions?: readonly ExtensionSession[] | undefined;
  maskingKey?: (() => number) | undefined;
}

/** A protocol with everything that it reports and sends. */
export class Session implements ProtocolHandler {
  readonly protocol: Protocol;
  readonly events: Event[] = [];
  readonly errors: HybiError[] = [];
  readonly messages: Message[] = [];
  /** Called behind each message. */
  onMessage: ((message: Message) => void) | undefined;

  constructor(role: Role, { codec = codecs[0]!, limits, sessions, maskingKey }: SessionOptions = {}) {
    const key = role === "client" ? (maskingKey ?? nextKey) : undefined;
    this.protocol = new Protocol({ role, codec, ...defaultLimits, ...limits, maskingKey: key }, this);
    this.protocol.open(sessions);
  }

  message(message: Message): void {
    this.messages.push(message);
    this.events.push(typeof message === "string" ? ["text", message] : ["binary", latin1(message)]);
    this.onMessage?.(message);
  }

  ping(payload: Uint8Array): void {
    this.events.push(["ping", latin1(payload)]);
  }

  pong(payload: Uint8Array): void {
    this.events.push(["pong", latin1(payload)]);
  }

  closeDone(): void {
    this.events.push(["closeDone"]);
  }

  failed(error: HybiError): void {
    if (!(error instanceof ProtocolError)) throw new Error(`failed with ${String(error)}`);
    this.errors.push(error);
    this.events.push(["failed", error.closeCode, error.code]);
  }

  /** The frames sent since the last call, each of which is masked as the role demands (RFC 6455 §5.1). */
  takeFrames(): WireFrame[] {
    const frames = readFrames(concat(this.protocol.outbox?.take() ?? []));
    for (const { key } of frames)
      if ((key !== undefined) !== (this.protocol.role === "client")) throw new Error("A frame is masked wrongly.");
    return frames;
  }

  takeSent(): Sent[] {
    return this.takeFrames().map(({ fin, rsv, opcode, payload }): Sent => {
      if (opcode !== 8) return [(fin ? 0x80 : 0) | rsv | opcode, latin1(payload)];
      // §5.5: a control frame has at most 125 bytes, and is not fragmented
      if (!fin || rsv || payload.length > 125 || payload.length === 1)
        throw new Error("A malformed Close frame was sent.");
      if (payload.length === 0) return ["close", undefined, ""];
      const reason = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload.subarray(2));
      const isWhy = this.errors.some(({ message }) => message.includes(reason)) && reason !== "";
      return ["close", payload[0]! * 256 + payload[1]!, isWhy ? WHY : reason];
    });
  }

  receive(chunks: Iterable<Uint8Array>): this {
    // As from a transport, which uses its buffer again.
    for (const chunk of chunks) {
      const copy = chunk.slice();
      this.protocol.receive(copy);
      copy.fill(0xcc);
    }
    return this;
  }

  /** Closes the transport, and tells what it came to. */
  end(): Outcome {
    const { protocol } = this;
    const sent = this.takeSent();
    const { readyState } = protocol;
    protocol.transportClosed();
    if (protocol.readyState !== "closed") throw new Error(`It is ${protocol.readyState} behind its end.`);
    const { closeCode, closeReason, wasClean } = protocol;
    return { events: this.events, sent, readyState, closeCode, closeReason, wasClean };
  }
}

export const roles: readonly Role[] = ["server", "client"];
