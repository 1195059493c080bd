import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OUTBOX, OUTBOX_SIZE } from "../../assembly/layout.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { Outbox } from "../../src/codec/outbox.ts";
import { noise } from "../helpers/bytes.ts";
import { codecs, eachBuild } from "../helpers/codecs.ts";
import { same } from "../helpers/decoding.ts";
import { bytesOf, concat, frame, latin1, readFrames, type Content } from "../helpers/wire.ts";

const FIN = 0x80;

/** Keys in a known order, as the codec takes them and as they lie on the wire. */
class Keys {
  drawn = 0;
  readonly next = (): number => Buffer.from(this.at(this.drawn++)).readInt32LE();
  at(i: number): number[] {
    return [...noise(4, 31 * i + 5)];
  }
}

/** An outbox, and what it must hold: written by hand, frame by frame. */
class Checked {
  readonly outbox: Outbox;
  readonly #keys = new Keys();
  readonly #isClient: boolean;
  #expected: Uint8Array[] = [];
  #frames = 0;
  /** What was taken, with a copy of what it was then. */
  readonly #taken: { chunk: Uint8Array; copy: Uint8Array }[] = [];

  constructor(codec: Codec, isClient: boolean) {
    this.#isClient = isClient;
    this.outbox = new Outbox(codec, isClient ? this.#keys.next : undefined);
  }

  send(firstByte: number, content: string | Uint8Array): void {
    if (typeof content === "string") this.outbox.text(content);
    else this.outbox.bytes(firstByte, content);
    this.#expect(firstByte, content);
    this.checkLength();
  }

  #expect(firstByte: number, content: Content): void {
    const key = this.#isClient ? this.#keys.at(this.#frames) : undefined;
    this.#frames++;
    const fields = { fin: firstByte >= 0x80, rsv: firstByte & 0x70, key };
    this.#expected.push(frame(firstByte & 0x0f, content, fields));
    if (this.#isClient) expect(this.#keys.drawn, "a key for each frame").toBe(this.#frames);
  }

  checkLength(): void {
    expect(this.outbox.length).toBe(this.#expected.reduce((sum, { length }) => sum + length, 0));
    expect(this.outbox.frames).toBe(this.#expected.length);
  }

  take(): Uint8Array[] {
    const taken = this.outbox.take();
    same(concat(taken), concat(this.#expected), "what was taken");
    this.#expected = [];
    this.checkLength();
    this.#taken.push(...taken.map((chunk) => ({ chunk, copy: chunk.slice() })));
    return taken;
  }

  clear(): void {
    this.outbox.clear();
    this.#expected = [];
    this.checkLength();
  }

  /** A transport keeps what it took until it is sent. */
  checkTaken(): void {
    for (const { chunk, copy } of this.#taken) same(chunk, copy, "what was taken earlier");
  }
}

const borders = [0, 1, 2, 124, 125, 126, 127, 128];
const sizes = [...borders, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_535, 65_536, 100_000];
/** Text whose UTF-8 is one byte longer for each, so that every length is met by every kind of character. */
const characters = ["a", "é", "你", "😀"];

const ofBytes = (size: number, character: string): string => {
  const each = Buffer.byteLength(character);
  return character.repeat(Math.floor(size / each)) + "x".repeat(size % each);
};

const roles = [
  { role: "server", isClient: false },
  { role: "client", isClient: true },
];

describe.each(eachBuild)("Outbox ($build)", ({ codec }) => {
  describe.each(roles)("of a $role", ({ isClient }) => {
    it("frames text of every size, alone and in one batch", () => {
      const batch = new Checked(codec, isClient);
      for (const character of characters) {
        for (const size of sizes) {
          const text = ofBytes(size, character);
          const alone = new Checked(codec, isClient);
          alone.send(FIN | 1, text);
          alone.take();
          batch.send(FIN | 1, text);
        }
      }
      batch.take();
    });

    it("frames text whose UTF-16 and UTF-8 lie on different sides of 125", () => {
      // From 40 units to 130, of which some, all or none take more than one byte.
      for (let units = 40; units <= 130; units++) {
        const checked = new Checked(codec, isClient);
        for (const wide of [0, 1, 2, units >> 1, units]) {
          for (const character of ["é", "你"]) {
            checked.send(FIN | 1, "a".repeat(units - wide) + character.repeat(wide));
            checked.send(FIN | 1, character.repeat(wide) + "a".repeat(units - wide));
          }
        }
        checked.take();
      }
    });

    it("frames text around 5,461 units, where its UTF-8 might be large", () => {
      const checked = new Checked(codec, isClient);
      for (let units = 5_459; units <= 5_464; units++)
        for (const character of ["a", "é", "你"]) checked.send(FIN | 1, character.repeat(units));
      checked.take();
    });

    it("frames bytes of every size, alone and in one batch, and writes to none of them", () => {
      const batch = new Checked(codec, isClient);
      const sent = sizes.map((size) => ({ payload: noise(size, size + 1), copy: noise(size, size + 1) }));
      for (const { payload } of sent) {
        const alone = new Checked(codec, isClient);
        alone.send(FIN | 2, payload);
        alone.take();
        batch.send(FIN | 2, payload);
      }
      batch.take();
      for (const { payload, copy } of sent) same(payload, copy, `${copy.length} bytes`);
    });

    it("takes the first byte as it is given", () => {
      const checked = new Checked(codec, isClient);
      for (let first = 0; first < 256; first++) {
        checked.send(first, noise(first));
      }
      checked.send(0x41, noise(20_000));
      checked.take();
    });

    it("a lone surrogate leaves as U+FFFD", () => {
      const { outbox } = new Checked(codec, isClient);
      const replaced = [0xef, 0xbf, 0xbd];
      const text = ["\ud800", "\udfff", "a\udc00\ud800b", "😀".slice(0, 1)];
      for (const each of text) outbox.text(each);
      outbox.text("\ud83d".repeat(7_000));
      const payloads = readFrames(concat(outbox.take())).map(({ payload }) => [...payload]);
      expect(payloads).toEqual([
        replaced,
        replaced,
        [0x61, ...replaced, ...replaced, 0x62],
        replaced,
        Array.from({ length: 7_000 }, () => replaced).flat(),
      ]);
    });

    it("takes the same text for many in turn, and others of its length between", () => {
      const texts = ["", "a", "b", "é", "x".repeat(125), "y".repeat(125), "x".repeat(126), "é".repeat(126), "a", "a"];
      const outboxes = [1, 2, 3].map(() => new Outbox(codec, isClient ? () => 0 : undefined));
      for (const text of texts) for (const outbox of outboxes) outbox.text(text);
      const expected = concat(texts.map((text) => frame(1, text, { key: isClient ? [0, 0, 0, 0] : undefined })));
      for (const outbox of outboxes) same(concat(outbox.take()), expected, "what was taken");
    });

    it("goes on where the send region ends, and writes nothing behind it", () => {
      const checked = new Checked(codec, isClient);
      const behind = codec.memory.subarray(OUTBOX + OUTBOX_SIZE, OUTBOX + OUTBOX_SIZE + 9_000).fill(0xa5);
      // Frames that fill it to the byte, and by one less and one more. Room is made for the longest header.
      for (const more of [-1, 0, 1, 14, 15]) {
        let room = OUTBOX_SIZE;
        for (; room > 14_000; room -= 9_000 + (isClient ? 8 : 4)) checked.send(FIN | 2, noise(9_000, room));
        checked.send(FIN | 2, noise(room - 14 + more));
        for (let i = 0; i < 60; i++) checked.send(FIN | 2, noise(1));
        checked.send(FIN | 2, noise(9_000));
        for (let i = 0; i < 60; i++) checked.send(FIN | 1, "你".repeat(400));
        checked.take();
      }
      checked.checkTaken();
      expect(behind.every((byte) => byte === 0xa5)).toBe(true);
    });

    it("what was taken is not changed by what is sent later", () => {
      const checked = new Checked(codec, isClient);
      const other = new Checked(codec, isClient);
      for (let i = 0; i < 400; i++) {
        // Small batches share memory; a large one has its own.
        checked.send(FIN | 1, `message ${i} é`);
        if (i % 3 === 0) checked.send(FIN | 2, noise(i * 13));
        if (i % 50 === 0) checked.send(FIN | 2, noise(20_000));
        checked.take();
        other.send(FIN | 1, "in between");
        if (i % 7 === 0) other.take();
      }
      checked.checkTaken();
      other.checkTaken();
    });

    it("is empty once taken or cleared, and works again", () => {
      const checked = new Checked(codec, isClient);
      expect(checked.take()).toEqual([]);
      checked.send(FIN | 1, "dropped");
      checked.send(FIN | 2, noise(30_000));
      checked.send(FIN | 1, "dropped, too");
      checked.clear();
      expect(checked.take()).toEqual([]);
      checked.send(FIN | 1, "kept");
      checked.take();
    });
  });

  it("a server's large payload leaves by reference: the same memory, not a copy", () => {
    const outbox = new Outbox(codec);
    const whole = noise(50_000);
    const payloads = [whole, whole.subarray(1000, 1000 + 16_384), noise(70_000)];
    for (const payload of payloads) outbox.bytes(FIN | 2, payload);
    const taken = outbox.take();
    for (const { buffer, byteOffset, length } of payloads) {
      const there = taken.filter((chunk) => chunk.buffer === buffer && chunk.byteOffset === byteOffset);
      expect(there.map((chunk) => chunk.length)).toEqual([length]);
    }
    same(readFrames(concat(taken)).map(({ payload }) => payload), payloads, "the payloads"); // prettier-ignore
  });

  it("a client's large payload is masked in memory of its own", () => {
    const outbox = new Outbox(codec, () => 0x01010101);
    const payload = noise(50_000);
    outbox.bytes(FIN | 2, payload);
    for (const chunk of outbox.take()) {
      expect(chunk.buffer).not.toBe(payload.buffer);
      expect(chunk.buffer).not.toBe(codec.memory.buffer);
    }
    same(payload, noise(50_000), "the payload");
  });

  it("what is taken never lies in linear memory", () => {
    for (const maskingKey of [undefined, () => 7]) {
      const outbox = new Outbox(codec, maskingKey);
      for (const size of sizes) {
        outbox.bytes(FIN | 2, noise(size));
        outbox.text("é".repeat(size >> 1));
        if (size % 2) outbox.take().forEach((chunk) => expect(chunk.buffer).not.toBe(codec.memory.buffer));
      }
      outbox.take().forEach((chunk) => expect(chunk.buffer).not.toBe(codec.memory.buffer));
    }
  });

  it("several outboxes keep their frames apart, whole and in order", () => {
    const content = fc.oneof(
      { weight: 6, arbitrary: fc.array(fc.constantFrom("a", "é", "你", "😀"), { maxLength: 150 }).map((all) => all.join("")) }, // prettier-ignore
      { weight: 4, arbitrary: fc.nat(300).map((length) => noise(length, length)) },
      { weight: 2, arbitrary: fc.constantFrom(16_383, 16_384, 30_000, 70_000).map((length) => noise(length)) },
      { weight: 2, arbitrary: fc.constantFrom(5_000, 9_000, 20_000).map((length) => "é".repeat(length)) },
    );
    const step = fc.record({
      outbox: fc.nat(3),
      what: fc.oneof({ weight: 12, arbitrary: content }, fc.constantFrom("take" as const, "clear" as const).map((call) => ({ call }))), // prettier-ignore
    });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const all = [false, true, false, true].map((isClient) => new Checked(codec, isClient));
      for (const { outbox, what } of steps) {
        const checked = all[outbox]!;
        if (typeof what === "object" && "call" in what) checked[what.call]();
        else checked.send(FIN | (typeof what === "string" ? 1 : 2), what);
        for (const each of all) each.checkLength();
      }
      for (const checked of all) {
        checked.take();
        checked.checkTaken();
      }
    });
    fc.assert(property, { numRuns: 40 });
  });
});

it("outboxes of two builds that share a codec keep their frames apart", async () => {
  // Each build of the package has classes of its own.
  const path = "../../src/codec/outbox.ts?another";
  const { Outbox: Another } = (await import(/* @vite-ignore */ path)) as { Outbox: typeof Outbox };
  expect(Another).not.toBe(Outbox);
  const [codec] = codecs as [Codec];
  const all = [new Outbox(codec), new Another(codec)];
  for (const text of ["first", "second"])
    for (const [i, outbox] of all.entries()) outbox.bytes(FIN | 1, bytesOf(`${text} of ${i}`));
  const sent = all.map((outbox) => readFrames(concat(outbox.take())).map(({ payload }) => latin1(payload)));
  expect(sent).toEqual([
    ["first of 0", "second of 0"],
    ["first of 1", "second of 1"],
  ]);
});

it("two codecs have nothing in common", () => {
  const [first, second] = codecs.slice(0, 2).map((codec) => new Checked(codec, false)) as [Checked, Checked];
  first.send(FIN | 1, "first");
  second.send(FIN | 1, "second");
  first.send(FIN | 1, "third");
  expect(first.take()).toHaveLength(1);
  expect(second.take()).toHaveLength(1);
});
