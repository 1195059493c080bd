/**
 * One instance of the codec: its linear memory, and the calls that need no connection.
 *
 * @module
 */
import {
  EVENTS,
  EVENT_CAPACITY,
  EVENT_WORDS,
  SCRATCH,
  SCRATCH_SIZE,
  STAGE,
  STAGE_SIZE,
  UTF8_ACCEPT,
  UTF8_REJECT,
  UTF8_STATE,
  WINDOW,
  WINDOW_SIZE,
} from "../../assembly/layout.ts";
import { typeError } from "../errors.ts";
import { AsciiRun } from "./ascii-run.ts";
import { instantiateBuild, source, type CodecBuild, type CodecExports } from "./builds.ts";
import type { Region } from "./outbox.ts";
import { ReceivedText } from "./received-text.ts";
import { standardText, type TextCodec, type TextCodecFactory } from "./text.ts";

/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY_LENGTH = 24;
const DIGEST_SIZE = 20;
/** A key, and behind it the GUID, the digest of both, and the answer. */
const KEY = SCRATCH + SCRATCH_SIZE / 2;
const DIGEST = KEY + KEY_LENGTH + GUID.length;
const ANSWER = DIGEST + DIGEST_SIZE;
/** A multiple of three, which with its base64 fits into the window. */
const BASE64_PIECE = 24 * 1024;

export class Codec {
  /** Which build this is. */
  readonly build: CodecBuild;
  /** @internal */
  readonly source: string = source;
  /** @internal */
  readonly exports: CodecExports;
  /** The whole linear memory. @internal */
  readonly memory: Uint8Array;
  /** The same memory, by 32-bit words. @internal */
  readonly words: Uint32Array;
  /** Where a host may read a chunk to, so that it need not be copied before it is decoded. */
  readonly window: Uint8Array;
  /** @internal */
  text: TextCodec;
  /** @internal */
  readonly ascii: AsciiRun = new AsciiRun(this);
  /** @internal */
  readonly received: ReceivedText = new ReceivedText();
  /** Undefined until something is sent. @internal */
  sendRegion: Region | undefined;
  #textFactory: TextCodecFactory = standardText;
  #windowInUse = false;

  /** @throws {ConnectionError} ERR_CODEC when the build does not work on this engine. */
  constructor(build?: CodecBuild) {
    const made = instantiateBuild(build);
    this.build = made.build;
    this.exports = made.exports;
    this.memory = new Uint8Array(made.exports.memory.buffer);
    this.words = new Uint32Array(made.exports.memory.buffer);
    this.window = this.memory.subarray(WINDOW, WINDOW + WINDOW_SIZE);
    this.text = standardText(this.memory);
    this.#write(GUID, KEY + KEY_LENGTH);
  }

  /** Takes another way between strings and memory. @internal */
  useText(factory: TextCodecFactory): void {
    if (factory === this.#textFactory) return;
    this.#textFactory = factory;
    this.text = factory(this.memory, this.exports);
  }

  /** Connections and decoders that hold a slot now. */
  get slotsTaken(): number {
    return this.exports.slotsTaken();
  }

  /**
   * The Sec-WebSocket-Accept that belongs to a Sec-WebSocket-Key (RFC 6455 §4.2.2, step 5.4).
   *
   * @throws {TypeError} ERR_OPTION_TYPE for a key that is not 24 characters long.
   */
  acceptKey(key: string): string {
    if (key.length !== KEY_LENGTH)
      throw typeError("ERR_OPTION_TYPE", `A Sec-WebSocket-Key has ${KEY_LENGTH} characters, not ${key.length}.`);
    this.#write(key, KEY);
    this.exports.sha1(KEY, KEY_LENGTH + GUID.length, DIGEST);
    this.exports.base64Encode(DIGEST, DIGEST_SIZE, ANSWER);
    return answerIn(this.memory);
  }

  #write(text: string, at: number): void {
    for (let i = 0; i < text.length; i++) this.memory[at + i] = text.charCodeAt(i);
  }

  /** Base64 (RFC 4648 §4). @internal */
  base64(bytes: Uint8Array): string {
    const outer = this.enterWindow();
    let text = "";
    for (let from = 0; from < bytes.length; from += BASE64_PIECE) {
      const piece = bytes.subarray(from, from + BASE64_PIECE);
      this.memory.set(piece, WINDOW);
      const out = WINDOW + BASE64_PIECE;
      text += this.text.decodeAscii(out, this.exports.base64Encode(WINDOW, piece.length, out));
    }
    this.leaveWindow(outer);
    return text;
  }

  /**
   * Masks or unmasks (§5.3): a copy of `bytes`, each XORed with the byte of the four-byte `maskingKey` that is its turn.
   * `phase` is how many payload bytes went before.
   *
   * @throws {TypeError} ERR_OPTION_TYPE for a masking key that is not four bytes.
   */
  mask(bytes: Uint8Array, maskingKey: Uint8Array, phase = 0): Uint8Array {
    const out = new Uint8Array(bytes.length);
    this.maskInto(bytes, out, 0, keyWord(maskingKey), phase & 3);
    return out;
  }

  /** As {@link mask}, into `out` from `offset` on; `bytes` is left as it is. @internal */
  maskInto(bytes: Uint8Array, out: Uint8Array, offset: number, maskingKey: number, phase: number): void {
    for (let from = 0; from < bytes.length; from += STAGE_SIZE) {
      const piece = bytes.subarray(from, from + STAGE_SIZE);
      this.memory.set(piece, STAGE);
      phase = this.exports.mask(STAGE, piece.length, maskingKey, phase);
      out.set(this.memory.subarray(STAGE, STAGE + piece.length), offset + from);
    }
  }

  /** Whether `bytes` are UTF-8 from end to end (RFC 3629). */
  validateUtf8(bytes: Uint8Array): boolean {
    return (this.validate(UTF8_ACCEPT, bytes) & UTF8_STATE) === UTF8_ACCEPT;
  }

  /** @internal */
  validate(state: number, bytes: Uint8Array): number {
    for (let from = 0; from < bytes.length && (state & UTF8_STATE) !== UTF8_REJECT; from += STAGE_SIZE) {
      const piece = bytes.subarray(from, from + STAGE_SIZE);
      this.memory.set(piece, STAGE);
      state = this.exports.validate(state, STAGE, piece.length);
    }
    return state;
  }

  /**
   * Whoever needs the window and the event table for itself calls this, and {@link leaveWindow} with the answer. A
   * listener that runs in the middle of a decode may decode something else: what the outer decode still needs is then
   * put aside and put back. (Two calls rather than one with a closure, since this happens at each chunk.)
   *
   * @internal
   */
  enterWindow(): OuterWindow | undefined {
    const outer = this.#windowInUse
      ? {
          window: new Uint8Array(this.window),
          events: this.words.slice(EVENTS / 4, EVENTS / 4 + EVENT_CAPACITY * EVENT_WORDS),
        }
      : undefined;
    this.#windowInUse = true;
    this.received.forget();
    return outer;
  }

  /** @internal */
  leaveWindow(outer: OuterWindow | undefined): void {
    this.#windowInUse = outer !== undefined;
    this.received.forget();
    if (!outer) return;
    this.ascii.begin(0);
    this.window.set(outer.window);
    this.words.set(outer.events, EVENTS / 4);
  }
}

/**
 * Whether it is a codec that this package can work with. Its class says too little: each build of the package has one of
 * its own, so that on Node those of `hybi/codec`, of `hybi/streams` and of `require` are three.
 */
export function isCodec(value: unknown): value is Codec {
  return (Object(value) as Partial<Codec>).source === source;
}

/** The 28 characters at ANSWER. For so few, a TextDecoder takes V8 three times as long, and a loop four times. */
function answerIn(memory: Uint8Array): string {
  const at = (i: number): number => memory[ANSWER + i]!;
  // prettier-ignore
  return String.fromCharCode(
    at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9), at(10), at(11), at(12), at(13), at(14),
    at(15), at(16), at(17), at(18), at(19), at(20), at(21), at(22), at(23), at(24), at(25), at(26), at(27),
  );
}

/** What a decode that was interrupted by another one still needs. */
interface OuterWindow {
  readonly window: Uint8Array;
  readonly events: Uint32Array;
}

/**
 * Four bytes as they lie on the wire, as the ABI takes them.
 *
 * @throws {TypeError} ERR_OPTION_TYPE for a masking key that is not four bytes.
 */
export function keyWord(maskingKey: Uint8Array): number {
  if (maskingKey.length !== 4)
    throw typeError("ERR_OPTION_TYPE", `A masking key has four bytes, not ${maskingKey.length}.`);
  return maskingKey[0]! | (maskingKey[1]! << 8) | (maskingKey[2]! << 16) | (maskingKey[3]! << 24);
}

let shared: Codec | undefined;

/**
 * The instance that everything in the process shares. It is made when it is first asked for: that takes a quarter of the
 * time that loading hybi would.
 *
 * @throws {ConnectionError} ERR_CODEC when no build works on this engine.
 */
export const sharedCodec = (): Codec => (shared ??= new Codec());
