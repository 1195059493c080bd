import { OUTBOX, OUTBOX_SIZE } from "../../assembly/layout.ts";
import type { Codec } from "./codec.ts";

const MAX_HEADER = 14;
/** Where a batch begins in linear memory. */
export const BATCH = OUTBOX;
/** From this size on a payload is not copied to be framed (server), or is masked into memory of its own (client). */
export const LARGE = 16384;
/** Batches up to this size share slabs; a larger one has memory of its own, so that a slow peer pins little. */
const SHARED_BATCH = 4096;
const SLAB_SIZE = 16384;
/** FIN, and the opcode of text (RFC 6455 §5.2). */
const FIN_TEXT = 0x81;
/** Texts up to this many UTF-16 units wait for others to be encoded with, up to so many together. */
const SHORT_TEXT = 512;
const MOST_TEXTS = 8192;
/** Room for a server's header in front of a text that is not encoded yet. */
const SHORT_HEADER = "\0\0";
const LONG_HEADER = "\0\0\0\0";

/** Memory that small batches are copied out to. It is never handed out twice, so a transport may keep its part. */
class Slab {
  #bytes = new Uint8Array(0);
  #used = 0;

  copy(source: Uint8Array): Uint8Array {
    if (source.length > SHARED_BATCH) return new Uint8Array(source);
    if (this.#used + source.length > this.#bytes.length) {
      this.#bytes = new Uint8Array(SLAB_SIZE);
      this.#used = 0;
    }
    const copy = this.#bytes.subarray(this.#used, this.#used + source.length);
    copy.set(source);
    this.#used += source.length;
    return copy;
  }
}

/** The send region of one codec: outboxes take turns in it, those of all builds that a program has loaded. */
export class Region {
  readonly codec: Codec;
  owner: Outbox | undefined;
  end = OUTBOX;
  /** The latest text was ASCII, and so may the next ones be. */
  isAscii = true;
  readonly slab = new Slab();
  #text = "";
  #behindRoom = SHORT_HEADER;

  constructor(codec: Codec) {
    this.codec = codec;
  }

  /** A text behind room for its header. Of a broadcast, all connections share the string, which is joined but once. */
  behindRoom(text: string): string {
    if (text === this.#text) return this.#behindRoom;
    this.#text = text;
    return (this.#behindRoom = (text.length > 125 ? LONG_HEADER : SHORT_HEADER) + text);
  }
}

/**
 * The frames that one connection has encoded and its transport has not taken yet. They are encoded one behind the other
 * in linear memory, so that a batch leaves in one write. While there are none, a connection needs no outbox.
 */
export class Outbox {
  readonly #region: Region;
  /** Hands out a fresh masking key for each frame (RFC 6455 §5.3); undefined at a server, which does not mask. */
  readonly #maskingKey: (() => number) | undefined;
  /** Bytes that wait here; those of {@link #texts} are counted as if they were ASCII. */
  #length = 0;
  /** What was copied out, or is not copied; undefined while there is nothing. */
  #ready: Uint8Array[] | undefined;
  /** A server's texts that are not encoded yet, each behind room for its header, and their lengths. */
  #texts = "";
  #textLengths: number[] | undefined;
  #frames = 0;

  constructor(codec: Codec, maskingKey?: () => number) {
    this.#region = codec.sendRegion ??= new Region(codec);
    this.#maskingKey = maskingKey;
  }

  /** Bytes that wait here. */
  get length(): number {
    this.#encodeTexts();
    return this.#length;
  }

  /** As {@link length}, but of texts that are not ASCII it may count fewer bytes; it costs nothing to ask. */
  get atLeast(): number {
    return this.#length;
  }

  /** Frames that wait here. */
  get frames(): number {
    return this.#frames;
  }

  /** Adds a text message, whole and without extensions. */
  text(text: string): void {
    const { length } = text;
    const { received } = this.#codec;
    const { owner, isAscii } = this.#region;
    const mayWait = length <= SHORT_TEXT && isAscii && !this.#maskingKey;
    // Of a broadcast, one text after another would drive the frames of the connection before it out of the region.
    const isFree = owner === undefined || owner === this;
    if (received.holds(text) && (isFree || !mayWait)) {
      this.#copyText(received.at, received.length);
      this.#region.isAscii = received.length === length;
    } else if (mayWait) {
      const behindRoom = this.#region.behindRoom(text);
      this.#texts += behindRoom;
      (this.#textLengths ??= []).push(length);
      this.#length += behindRoom.length;
      if (this.#texts.length > MOST_TEXTS) this.#encodeTexts();
    } else {
      this.#encodeTexts();
      this.#encodeText(text);
    }
    this.#frames++;
  }

  /** Encodes the texts that wait for it, by one call if they are all ASCII, so that it is known where each one lies. */
  #encodeTexts(): void {
    const texts = this.#texts;
    if (texts === "") return;
    const lengths = this.#textLengths!;
    this.#texts = "";
    this.#textLengths = undefined;
    this.#length -= texts.length;
    let at = this.#room(3 * texts.length);
    const isAscii = this.#codec.text.encode(texts, at) === texts.length;
    let from = 0;
    for (const length of lengths) {
      const header = length > 125 ? 4 : 2;
      if (isAscii) at = this.#finish(at, FIN_TEXT, length);
      else this.#encodeText(texts.slice(from + header, from + header + length));
      from += header + length;
    }
  }

  /** Adds a frame whose payload is the text of `length` bytes that lies at `from` in linear memory. */
  #copyText(from: number, length: number): void {
    this.#encodeTexts();
    const { exports, memory } = this.#codec;
    if (length >= LARGE) return this.#frame(FIN_TEXT, memory.slice(from, from + length), true);
    const at = this.#room(MAX_HEADER + length);
    exports.copy(at + this.#headerLength(length), from, length);
    this.#finish(at, FIN_TEXT, length);
  }

  /** Adds a frame whose payload is the UTF-8 of `text`. */
  #encodeText(text: string): void {
    const { memory } = this.#codec;
    const most = text.length * 3;
    if (most > LARGE) {
      this.#frame(FIN_TEXT, this.#codec.text.encodeBytes(text), true);
      return;
    }
    const at = this.#room(MAX_HEADER + most);
    // The header goes in front, and its length depends on the payload's; the guess is wrong only for non-ASCII text
    // around the border.
    const guess = this.#headerLength(text.length);
    const length = this.#codec.text.encode(text, at + guess);
    const header = this.#headerLength(length);
    if (header !== guess) memory.copyWithin(at + header, at + guess, at + guess + length);
    this.#finish(at, FIN_TEXT, length);
    this.#region.isAscii = length === text.length;
  }

  /** Adds a frame. From 16 KiB on, a server's payload is kept by reference until it is written, never changed. */
  bytes(firstByte: number, payload: Uint8Array): void {
    this.#encodeTexts();
    if (payload.length >= LARGE) {
      this.#frame(firstByte, payload, false);
    } else {
      const at = this.#room(MAX_HEADER + payload.length);
      this.#codec.memory.set(payload, at + this.#headerLength(payload.length));
      this.#finish(at, firstByte, payload.length);
    }
    this.#frames++;
  }

  /** Where what waits ends in linear memory, if all of it lies there, from BATCH on; else 0. */
  get end(): number {
    this.#encodeTexts();
    return this.#ready === undefined && this.#region.owner === this ? this.#region.end : 0;
  }

  /** All that waits, in order, for the transport to keep. */
  take(): Uint8Array[] {
    this.#encodeTexts();
    this.seal();
    const ready = this.#ready ?? [];
    this.#ready = undefined;
    this.#length = this.#frames = 0;
    return ready;
  }

  /** Drops what waits. */
  clear(): void {
    if (this.#region.owner === this) this.#region.owner = undefined;
    this.#ready = undefined;
    this.#texts = "";
    this.#textLengths = undefined;
    this.#length = this.#frames = 0;
  }

  get #codec(): Codec {
    return this.#region.codec;
  }

  /** What the header takes of a payload of so many bytes, up to LARGE (RFC 6455 §5.2). */
  #headerLength(length: number): number {
    return (length > 125 ? 4 : 2) + (this.#maskingKey ? 4 : 0);
  }

  /** Puts the header in front of a payload that lies behind room for it; answers where the frame ends. */
  #finish(at: number, firstByte: number, length: number): number {
    const { encodeHeader, mask } = this.#codec.exports;
    let size: number;
    if (this.#maskingKey) {
      const key = this.#maskingKey();
      size = encodeHeader(at, firstByte, length, 1, key);
      mask(at + size, length, key, 0);
    } else {
      size = encodeHeader(at, firstByte, length, 0, 0);
    }
    this.#length += size + length;
    return (this.#region.end = at + size + length);
  }

  #frame(firstByte: number, payload: Uint8Array, owned: boolean): void {
    const codec = this.#codec;
    const at = this.#room(MAX_HEADER);
    if (!this.#maskingKey) {
      this.#region.end += codec.exports.encodeHeader(at, firstByte, payload.length, 0, 0);
      this.#length += this.#region.end - at + payload.length;
      this.seal();
      this.#push(payload);
      return;
    }
    const key = this.#maskingKey();
    const masked = owned ? payload : new Uint8Array(payload.length);
    codec.maskInto(payload, masked, 0, key, 0);
    this.#region.end += codec.exports.encodeHeader(at, firstByte, payload.length, 1, key);
    this.#length += this.#region.end - at + payload.length;
    this.seal();
    this.#push(masked);
  }

  #push(bytes: Uint8Array): void {
    (this.#ready ??= []).push(bytes);
  }

  /** Sees to it that the region is this outbox's and has room for `most` bytes; answers where they go. */
  #room(most: number): number {
    const region = this.#region;
    if (region.owner !== this) {
      if (region.owner) region.owner.seal();
      region.owner = this;
      region.end = OUTBOX;
    } else if (region.end + most > OUTBOX + OUTBOX_SIZE) {
      this.seal();
      region.owner = this;
    }
    return region.end;
  }

  /** Copies out what lies in the region, and leaves it. Not private: the next owner may be of another build's class. */
  seal(): void {
    const region = this.#region;
    if (region.owner !== this) return;
    if (region.end > OUTBOX) this.#push(region.slab.copy(this.#codec.memory.subarray(OUTBOX, region.end)));
    region.end = OUTBOX;
    region.owner = undefined;
  }
}
