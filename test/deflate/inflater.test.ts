import { constants, createDeflateRaw, deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { chance, kinds, messages, samples } from "../../bench/corpus.mjs";
import { Inflater, inflate, type InflateOptions } from "../../src/deflate/inflater.ts";
import { DeflateModule } from "../../src/deflate/module.ts";
import { DataError } from "../../src/errors.ts";
import { splitAt } from "../helpers/bytes.ts";
import { deflateBuilds } from "../helpers/inflating.ts";

const modules = deflateBuilds.map((build) => ({ build, module: new DeflateModule(build) }));

/** RFC 7692 §7.2.1 by zlib: what each message becomes on one connection. */
async function compressed(all: readonly Uint8Array[], options = {}): Promise<Buffer[]> {
  const stream = createDeflateRaw(options);
  let chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const out: Buffer[] = [];
  for (const message of all) {
    stream.write(message);
    await new Promise<void>((done) => stream.flush(constants.Z_SYNC_FLUSH, done));
    out.push(Buffer.concat(chunks).subarray(0, -4));
    chunks = [];
  }
  return out;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(" ", ""), "hex");
const invalid = expect.objectContaining({ code: "ERR_INVALID_DATA", name: "DataError" });
const tooLong = expect.objectContaining({ code: "ERR_TOO_LONG", name: "DataError" });
const NO_LIMIT = 2 ** 53;

describe.each(modules)("$build", ({ module }) => {
  const make = (options: InflateOptions = {}): Inflater => new Inflater({ ...options, module });

  describe("inflate", () => {
    it("takes what zlib makes", () => {
      for (const { name, bytes } of samples([0, 1, 1000, 250_000]))
        expect(equal(inflate(deflateRawSync(bytes), { module }), bytes), name).toBe(true);
    });

    it("refuses what is cut, and leaves out what is behind", () => {
      const stream = deflateRawSync("some text, some text");
      for (let length = 0; length < stream.length; length++)
        expect(() => inflate(stream.subarray(0, length), { module })).toThrow(invalid);
      const more = Buffer.concat([stream, Buffer.from("more")]);
      expect(Buffer.from(inflate(more, { module })).toString()).toBe("some text, some text");
    });

    it("takes bytes in any form", () => {
      const stream = new Uint8Array(deflateRawSync("x".repeat(100)));
      for (const form of [stream, stream.buffer, new DataView(stream.buffer)])
        expect(inflate(form, { module })).toHaveLength(100);
      expect(() => inflate("text" as never, { module })).toThrow(expect.objectContaining({ code: "ERR_DATA_TYPE" }));
    });
  });

  describe("Inflater", () => {
    it("gives out of each write what came of it, in memory of its own", () => {
      const bytes = kinds.prose(3000);
      const stream = deflateRawSync(bytes);
      const inflater = make();
      const pieces = splitAt(
        stream,
        Array.from(stream, (_, i) => i),
      ).map((piece) => inflater.write(piece));
      expect(equal(Buffer.concat(pieces), bytes)).toBe(true);
      expect(inflater.isFinished).toBe(true);
      expect(() => inflater.end()).not.toThrow();
      for (const piece of pieces) expect(piece.buffer).not.toBe(module.memory.buffer);
      expect(pieces[0]).toHaveLength(0);
      expect(pieces[0]!.buffer).not.toBe(pieces[1]!.buffer);
    });

    it("says what was behind the final block, and takes no more", () => {
      const stream = deflateRawSync("abc");
      const inflater = make();
      inflater.write(stream.subarray(0, 2));
      expect(inflater.isFinished).toBe(false);
      const rest = Buffer.concat([stream.subarray(2), Buffer.from("behind")]);
      inflater.write(rest);
      rest.fill(0);
      expect(Buffer.from(inflater.unused).toString()).toBe("behind");
      expect(inflater.unused.constructor).toBe(Uint8Array);
      expect(() => inflater.write(Buffer.of(0))).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
    });

    it("finds the final block's end in a later piece of a long write", () => {
      const random = kinds.random(70_000);
      const stream = Buffer.concat([deflateRawSync(random), Buffer.from("behind")]);
      const inflater = make();
      expect(equal(inflater.write(stream), random)).toBe(true);
      expect(Buffer.from(inflater.unused).toString()).toBe("behind");
    });

    it("is broken by garbage and by an early end", () => {
      for (const spoil of [(i: Inflater) => i.write(Buffer.of(7)), (i: Inflater) => i.end()]) {
        const inflater = make();
        expect(() => spoil(inflater)).toThrow(invalid);
        expect(() => inflater.write(deflateRawSync(""))).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
        expect(() => inflater.end()).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
      }
    });

    it("lets maxLength bytes out, and not one more", () => {
      for (const { name, bytes } of samples([1, 100, 300_000])) {
        const stream = deflateRawSync(bytes);
        expect(equal(inflate(stream, { module, maxLength: bytes.length }), bytes), name).toBe(true);
        expect(() => inflate(stream, { module, maxLength: bytes.length - 1 }), name).toThrow(tooLong);
        expect(() => inflate(stream, { module, maxLength: 0 }), name).toThrow(tooLong);
      }
      expect(inflate(deflateRawSync(""), { module, maxLength: 0 })).toHaveLength(0);
    });

    it("counts maxLength over all writes, and gives what is within it as it comes", () => {
      const stream = deflateRawSync(kinds.random(1000), { level: 0 });
      const inflater = make({ maxLength: 500 });
      let length = 0;
      const writeAll = (): void => {
        for (const byte of stream) length += inflater.write(Buffer.of(byte)).length;
      };
      expect(writeAll).toThrow(tooLong);
      expect(length).toBe(500);
    });

    it("stops at the first byte over maxLength of a bomb", () => {
      const bomb = deflateRawSync(Buffer.alloc(1 << 27), { level: 9 });
      const inflater = make({ maxLength: 1 << 16 });
      expect(() => inflater.write(bomb)).toThrow(tooLong);
      expect(() => make().message(bomb, 1 << 16)).toThrow(tooLong);
    });

    it("checks its options", () => {
      for (const options of [{ windowBits: 7 }, { windowBits: 16 }, { maxLength: -1 }, { maxLength: NaN }])
        expect(() => new Inflater(options)).toThrow(expect.objectContaining({ code: "ERR_OPTION_RANGE" }));
      expect(() => new Inflater({ size: 1 } as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION_UNKNOWN" }));
      expect(() => new Inflater({ module: {} as never })).toThrow(expect.objectContaining({ code: "ERR_OPTION_TYPE" }));
    });

    it("refuses a distance over its window", () => {
      const twice = [kinds.prose(600), kinds.prose(600)];
      // With much behind it, and with nothing: the two are decoded by different loops.
      for (const behind of [kinds.html(3000), Buffer.alloc(0)]) {
        const bytes = Buffer.concat([...twice, behind]);
        const stream = deflateRawSync(bytes, { windowBits: 10 });
        expect(equal(inflate(stream, { module, windowBits: 10 }), bytes)).toBe(true);
        expect(() => inflate(stream, { module, windowBits: 9 })).toThrow(invalid);
      }
    });

    it("can be closed at any time", () => {
      const inflater = make();
      inflater.write(deflateRawSync("abc").subarray(0, 2));
      inflater.close();
      expect(() => inflater.write(Buffer.of(0))).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
      expect(module.inflating).toBeUndefined();
    });
  });

  describe("streams in turns", () => {
    it("are never confused, wherever they are cut", () => {
      const check = (seed: number): void => {
        const random = chance(seed);
        const streams = random.list(2 + random.integer(4), () => {
          const bytes = random.one(Object.values(kinds))(random.one([10, 3000, 50_000]), 1 + random.integer(99));
          const windowBits = 9 + random.integer(7);
          const stream = deflateRawSync(bytes, {
            windowBits,
            level: random.integer(10),
            memLevel: 1 + random.integer(9),
          });
          const places = random.list(random.integer(9), () => random.integer(stream.length + 1));
          const left = splitAt(stream, places);
          return { inflater: make({ windowBits }), bytes, left, out: [] as Uint8Array[] };
        });
        for (let open = streams; open.length > 0; open = open.filter(({ left }) => left.length > 0)) {
          const { inflater, left, out } = random.one(open);
          const piece = left.shift()!;
          if (!inflater.isFinished) out.push(inflater.write(piece));
        }
        for (const { inflater, bytes, out } of streams) {
          inflater.end();
          if (!equal(Buffer.concat(out), bytes)) throw new Error("A stream came out as something else.");
        }
      };
      fc.assert(fc.property(fc.nat(), check), { seed: 1951, numRuns: 150 });
    });

    it("hold their window between messages, and after a reset nothing", async () => {
      const all = messages(40);
      const streams = await compressed(all, { windowBits: 10 });
      const [a, b] = [make({ windowBits: 10 }), make({ windowBits: 10 })];
      streams.forEach((stream, i) => {
        expect(equal(a.message(stream, NO_LIMIT), all[i]!)).toBe(true);
        expect(equal(b.message(stream, NO_LIMIT), all[i]!)).toBe(true);
      });
      a.reset();
      expect(equal(a.message(streams[0]!, NO_LIMIT), all[0]!)).toBe(true);
      // What the second refers to is not there any more.
      a.reset();
      expect(() => a.message(streams[1]!, NO_LIMIT)).toThrow(invalid);
    });

    it("leave nothing behind when they fail", () => {
      const [a, b] = [make(), make()];
      const stream = deflateRawSync("abcabcabcabc");
      a.write(stream.subarray(0, 4));
      expect(() => b.write(Buffer.of(7))).toThrow(invalid);
      expect(module.inflating).toBeUndefined();
      a.write(stream.subarray(4));
      expect(a.isFinished).toBe(true);
    });
  });

  describe("message (RFC 7692 §7.2.2)", () => {
    let inflater: Inflater;
    beforeEach(() => (inflater = make()));
    const text = (digits: string): string => Buffer.from(inflater.message(hex(digits), NO_LIMIT)).toString();

    it("takes the examples of §7.2.3", () => {
      // .1 and .2: the second refers to the first
      expect(text("f2 48 cd c9 c9 07 00")).toBe("Hello");
      expect(text("f2 00 11 00 00")).toBe("Hello");
      // .3: a stored block
      expect(text("00 05 00 fa ff 48 65 6c 6c 6f 00")).toBe("Hello");
      // .4: with BFINAL
      expect(text("f3 48 cd c9 c9 07 00 00")).toBe("Hello");
      // .5: two blocks
      expect(text("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")).toBe("Hello");
      // .6: an empty message
      expect(text("00")).toBe("");
    });

    it("goes on behind a final block that ends the message, and behind one in it", () => {
      expect(text("f3 48 cd c9 c9 07 00")).toBe("Hello");
      expect(text("f2 00 11 00 00")).toBe("Hello");
      expect(text("f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00")).toBe("HelloHello");
      expect(text("f2 00 11 00 00")).toBe("Hello");
    });

    it("refuses what ends inside of a block", () => {
      // The tail completes none of these.
      for (const digits of [
        "f2 48 cd c9 c9 07",
        "f2 48 cd",
        "f3 48 cd c9 c9 07 00 f3",
        "f3 48 cd c9 c9",
        "05",
        "00 00 00 ff ff",
      ]) {
        inflater = make();
        expect(() => text(digits), digits).toThrow(invalid);
        expect(() => text("00"), digits).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
      }
    });

    it("takes what zlib makes, with each window, over more than the module's room", async () => {
      const all = [...messages(), ...samples([0, 1, 65_531, 65_532, 65_533, 140_000]).map(({ bytes }) => bytes)];
      for (const options of [{}, { windowBits: 9, level: 9 }, { level: 0 }, { strategy: constants.Z_FIXED }]) {
        const streams = await compressed(all, options);
        inflater = make(options.windowBits === undefined ? {} : { windowBits: options.windowBits });
        streams.forEach((stream, i) =>
          expect(equal(inflater.message(stream, all[i]!.length), all[i]!), `message ${i}`).toBe(true),
        );
      }
    });

    it("takes messages of just the lengths around its input's end", () => {
      // Stored blocks make the compressed length what is wanted.
      for (let length = 65_520; length < 65_540; length++) {
        const bytes = kinds.random(length, 3);
        const stored = deflateRawSync(bytes, { level: 0, finishFlush: constants.Z_SYNC_FLUSH });
        inflater = make();
        expect(equal(inflater.message(stored.subarray(0, -4), length), bytes)).toBe(true);
        expect(equal(inflater.message(deflateRawSync(bytes, { level: 0 }), length), bytes)).toBe(true);
      }
    });

    it("counts maxLength for each message anew", () => {
      expect(inflater.message(hex("f2 48 cd c9 c9 07 00"), 5)).toHaveLength(5);
      expect(inflater.message(hex("f2 00 11 00 00"), 5)).toHaveLength(5);
      expect(() => inflater.message(hex("f2 00 11 00 00"), 4)).toThrow(DataError);
    });
  });
});
