import { describe, expect, it } from "vitest";
import type { Codec } from "../../src/codec/codec.ts";
import type { HybiError } from "../../src/errors.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { ExtensionSession } from "../../src/protocol/extension.ts";
import { DEFAULT_MAX_FRAGMENTS, DEFAULT_MAX_LENGTH, type Limits } from "../../src/protocol/limits.ts";
import { Protocol, type ProtocolHandler } from "../../src/protocol/protocol.ts";
import type { Message } from "../../src/protocol/data.ts";
import type { ReadyState } from "../../src/protocol/state.ts";
import { codecs } from "./codecs.ts";
import { chopped, everyCut, same } from "./decoding.ts";
import { Peer, concat, latin1, readFrames, type Role, type WireFrame } from "./wire.ts";

/** What a protocol reported; bytes as a string of one character each. */
export type Event =
  | readonly ["text" | "binary" | "ping" | "pong", string]
  | readonly ["closeDone"]
  | readonly ["failed", closeCode: number, code: string];

/** A frame that was sent. A Close that fails the connection has WHY for its reason, which the RFC leaves open. */
export type Sent = readonly ["close", code: number | undefined, reason: string] | readonly [opcode: number, string];
export const WHY = "(why)";

/** What a connection has come to, once it has seen some bytes. */
export interface Outcome {
  events: readonly Event[];
  sent: readonly Sent[];
  readyState: ReadyState;
  closeCode: number;
  closeReason: string;
  /** Once the transport is closed, which comes last. */
  wasClean: boolean;
}

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
    if (!(error instanceof ProtocolError)) expect.fail(`failed with ${String(error)}`);
    this.errors.push(error);
    this.events.push(["failed", error.closeCode, error.code]);
  }

  /** The frames sent since the last call, each of which is masked as the role demands (RFC 6455 §5.1). */
  takeFrames(): WireFrame[] {
    const frames = readFrames(concat(this.protocol.outbox.take()));
    for (const { key } of frames) if ((key !== undefined) !== (this.protocol.role === "client")) expect.fail("masking");
    return frames;
  }

  takeSent(): Sent[] {
    return this.takeFrames().map(({ fin, rsv, opcode, payload }): Sent => {
      if (opcode !== 8) return [(fin ? 0x80 : 0) | rsv | opcode, latin1(payload)];
      // §5.5: a control frame has at most 125 bytes, and is not fragmented
      if (!fin || rsv || payload.length > 125 || payload.length === 1) expect.fail("a malformed Close frame was sent");
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
    expect(protocol.readyState).toBe("closed");
    const { closeCode, closeReason, wasClean } = protocol;
    return { events: this.events, sent, readyState, closeCode, closeReason, wasClean };
  }
}

/** The connection stays open. */
export const stays = (...events: Event[]): Outcome => ({
  events,
  sent: [],
  readyState: "open",
  // §7.1.5: no Close frame was received
  closeCode: 1006,
  closeReason: "",
  wasClean: false,
});

const codeOf = { 1002: "ERR_PROTOCOL", 1007: "ERR_INVALID_DATA", 1008: "ERR_POLICY", 1009: "ERR_TOO_LONG" };

/** The connection is failed: one Close frame is sent, and nothing is heard any more (§7.1.7). */
export const fails = (closeCode: keyof typeof codeOf, ...events: Event[]): Outcome => ({
  ...stays(...events, ["failed", closeCode, codeOf[closeCode]]),
  sent: [["close", closeCode, WHY]],
  readyState: "closing",
});

/** The peer closes; its Close frame is answered with the same (§5.5.1). */
export const closes = (code: number | undefined, reason = "", ...events: Event[]): Outcome => ({
  events: [...events, ["closeDone"]],
  sent: [["close", code, reason]],
  readyState: "closing",
  closeCode: code ?? 1005,
  closeReason: reason,
  wasClean: true,
});

export interface Case {
  name: string;
  frames: (peer: Peer) => Uint8Array[];
  expected: Outcome | ((role: Role) => Outcome);
  limits?: Partial<Limits>;
  sessions?: () => ExtensionSession[];
  /** The bytes end inside a frame, so that nothing can be sent behind them. */
  isCut?: boolean;
}

export const roles: readonly Role[] = ["server", "client"];

/** Every place in a short stream; in a long one those around each frame's start and end, and some others. */
function* cuts(frames: readonly Uint8Array[]): Generator<readonly [string, Iterable<Uint8Array>]> {
  const bytes = concat(frames);
  if (bytes.length <= 300) {
    yield* everyCut(bytes);
    return;
  }
  yield ["whole", [bytes]];
  for (const size of [...(bytes.length < 3000 ? [1, 7] : []), 997, 65536])
    yield [`in chunks of ${size}`, chopped(bytes, size)];
  const places = new Set<number>();
  const stride = Math.ceil(frames.length / 16);
  let start = 0;
  for (const [i, { length }] of frames.entries()) {
    for (const at of i % stride ? [] : [1, 2, 3, 6, 9, 10, 13, 14, 15, length - 1, length]) places.add(start + at);
    start += length;
  }
  for (let i = 0; i < 8; i++) places.add(1 + ((i * 2_654_435) % (bytes.length - 1)));
  for (const at of places)
    if (at > 0 && at < bytes.length) yield [`cut at ${at}`, [bytes.subarray(0, at), bytes.subarray(at)]];
}

/** Runs a case in one role, however its bytes are cut, over the builds. */
export function check(role: Role, { frames, expected, limits, sessions, isCut = false }: Case): void {
  const peer = new Peer(role);
  const made = frames(peer);
  const outcome = typeof expected === "function" ? expected(role) : expected;
  // What the peer sends behind it is heard if the connection is open, and otherwise is not looked at (§1.4, §7.1.7).
  const late = [peer.ping("late"), peer.text("late"), peer.close(1001, "again"), Uint8Array.of(0xff, 0xff, 0xff)];
  const isOpen = outcome.readyState === "open";
  const whole = isOpen && !isCut ? { ...outcome, events: [...outcome.events, ["ping", "late"]] } : outcome;
  const run = (codec: Codec, cut: string, chunks: Iterable<Uint8Array>): void => {
    const session = new Session(role, { codec, limits, sessions: sessions?.() });
    session.receive(chunks);
    if (!isOpen) session.receive(late);
    else if (!isCut) session.receive([late[0]!]);
    same(session.end(), whole, `${codec.build}, ${cut}`);
  };
  // The builds take turns at the cuts: test/codec has each of them decode at every place.
  let turn = 0;
  for (const [cut, chunks] of cuts(made)) run(codecs[turn++ % codecs.length]!, cut, chunks);
  for (const codec of codecs) {
    const bytes = concat(made);
    run(codec, "whole", [bytes]);
    run(codec, "by bytes", chopped(bytes, bytes.length < 1000 ? 1 : 331));
  }
}

/** Both roles, each case: whole, byte by byte, at every split point, over every build. */
export function conform(section: string, cases: readonly Case[]): void {
  describe(section, () => {
    describe.each(roles)("as a %s", (role) => {
      it.each(cases)("$name", (each) => check(role, each));
    });
  });
}
