import { constants, deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  INFLATE_BAD_BLOCK,
  INFLATE_BAD_CODE,
  INFLATE_BAD_DISTANCE,
  INFLATE_BAD_STORED,
  INFLATE_FINAL,
  INFLATE_NEEDS_INPUT,
  INFLATE_OUT,
} from "../../assembly/deflate/layout.ts";
import { chance, kinds, lengths, samples, type Chance, type Kind } from "../../bench/corpus.mjs";
import { splitAt } from "../helpers/bytes.ts";
import { same } from "../helpers/decoding.ts";
import { Bench, Bits, byZlib, canonical, deflateBuilds, dynamicHeader, type Outcome } from "../helpers/inflating.ts";

const benches = deflateBuilds.map((build) => ({ build, bench: new Bench(build) }));
const strategies = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_FILTERED,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FIXED,
];

/** Fails unless the stream inflates to just these bytes and no further than to its end. */
function finishes(outcome: Outcome, expected: Uint8Array, read: number, context: string): void {
  const { verdict } = outcome;
  if (verdict !== "finished" || outcome.read !== read || !outcome.output.equals(expected))
    throw new Error(`${context}: ${verdict}, ${outcome.output.length} bytes from ${outcome.read}`);
}

describe.each(benches)("inflate, $build", ({ bench }) => {
  /** The status of one call over these bytes, and what came out. */
  function statusOf(bytes: Uint8Array, history?: Uint8Array, windowBits?: number): [number, string] {
    const out: Uint8Array[] = [];
    bench.open(history, windowBits);
    bench.put(bytes);
    const status = bench.run(out);
    bench.check(bytes);
    return [status, Buffer.concat(out).toString("latin1")];
  }

  describe("takes what zlib makes", () => {
    it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])("at level %i", (level) => {
      for (const { name, bytes } of samples()) {
        const stream = deflateRawSync(bytes, { level });
        finishes(bench.inflate([stream]), bytes, stream.length, name);
      }
    });

    it.each(strategies)("by strategy %i", (strategy) => {
      for (const { name, bytes } of samples([10, 1000, 40_000])) {
        const stream = deflateRawSync(bytes, { strategy });
        finishes(bench.inflate([stream]), bytes, stream.length, name);
      }
    });

    it.each([9, 10, 11, 12, 13, 14, 15])("with windows of 2^%i bytes", (windowBits) => {
      for (const { name, bytes } of samples([1000, 40_000])) {
        const stream = deflateRawSync(bytes, { windowBits });
        bench.open(undefined, windowBits);
        const out: Uint8Array[] = [];
        bench.put(stream);
        expect(bench.run(out), name).toBe(INFLATE_FINAL);
        expect(Buffer.concat(out).equals(bytes), name).toBe(true);
      }
    });

    it.each([1, 3, 6, 9])("in blocks of memLevel %i", (memLevel) => {
      for (const { name, bytes } of samples([1000, 40_000])) {
        const stream = deflateRawSync(bytes, { memLevel });
        finishes(bench.inflate([stream]), bytes, stream.length, name);
      }
    });

    it("at all lengths around which something ends, and of 1 MiB", () => {
      for (const kind of Object.keys(kinds) as Kind[]) {
        for (const length of [...lengths, 1 << 20]) {
          const bytes = kinds[kind](length, 3);
          const stream = deflateRawSync(bytes, { level: 1 });
          finishes(bench.inflate([stream]), bytes, stream.length, `${kind}, ${length} bytes`);
        }
      }
    });

    it("and leaves what is behind it", () => {
      for (const { name, bytes } of samples([0, 100, 1000])) {
        for (let behind = 1; behind < 20; behind++) {
          const stream = deflateRawSync(bytes);
          const more = Buffer.concat([stream, kinds.random(behind)]);
          finishes(bench.inflate([more]), bytes, stream.length, name);
          finishes(bench.inflate(splitAt(more, [stream.length])), bytes, stream.length, name);
        }
      }
    });
  });

  describe("is the same however it is cut", () => {
    const small = samples([0, 1, 40, 300], 2).flatMap(({ name, bytes }) =>
      [{ level: 0 }, { strategy: constants.Z_FIXED }, { level: 6 }, { level: 6, memLevel: 1 }].map((options, i) => ({
        name: `${name}, ${i}`,
        bytes,
        stream: deflateRawSync(bytes, options),
      })),
    );

    it("in two, at each byte", () => {
      for (const { name, bytes, stream } of small)
        for (let at = 0; at <= stream.length; at++)
          finishes(bench.inflate(splitAt(stream, [at])), bytes, stream.length, `${name}, at ${at}`);
    });

    it("by single bytes, with room for so many", () => {
      for (const { name, bytes, stream } of small) {
        const places = Array.from(stream, (_, i) => i);
        for (const room of [1, 2, 7, 300, Infinity])
          finishes(bench.inflate(splitAt(stream, places), room), bytes, stream.length, `${name}, room ${room}`);
      }
    });

    it("whole, with little room", () => {
      for (const { name, bytes, stream } of small)
        for (const room of [1, 3, 8, 257, 261])
          finishes(bench.inflate([stream], room), bytes, stream.length, `${name}, room ${room}`);
    });

    it("at random, when it is long", () => {
      const random = chance(7);
      for (const { name, bytes } of samples([100_000, 250_000], 5)) {
        const stream = deflateRawSync(bytes, { level: random.integer(10), memLevel: 1 + random.integer(9) });
        const places = random.list(random.integer(60), () => random.integer(stream.length + 1));
        const room = random.one([100, 1000, 40_000, Infinity]);
        finishes(bench.inflate(splitAt(stream, places), room), bytes, stream.length, `${name}, room ${room}`);
      }
    });

    it("goes on behind each flush, with nothing left over", () => {
      const random = chance(9);
      const bytes = kinds.chat(3000);
      // Made of parts, each flushed in another way; a full flush is what a stream that begins anew is to a window.
      const parts = splitAt(
        bytes,
        random.list(5, () => random.integer(3000)),
      );
      const streams = parts.map((part) => deflateRawSync(part, { finishFlush: constants.Z_SYNC_FLUSH }));
      const out: Uint8Array[] = [];
      bench.open();
      for (const stream of streams) {
        expect(bench.isBetween).toBe(true);
        bench.put(stream);
        expect(bench.run(out, 100)).toBe(INFLATE_NEEDS_INPUT);
      }
      expect(bench.isBetween).toBe(true);
      same(Buffer.concat(out).equals(bytes), true, "the parts");
    });
  });

  describe("knows what is no DEFLATE", () => {
    it("a block of type 3", () => {
      expect(statusOf(new Bits().number(1, 1).number(3, 2).bytes)).toEqual([INFLATE_BAD_BLOCK, ""]);
    });

    it("a stored block whose lengths differ", () => {
      const stored = (length: number, complement: number): Uint8Array =>
        new Bits().number(1, 1).number(0, 2).align().number(length, 16).number(complement, 16).bytes;
      expect(statusOf(stored(0, 0xffff))).toEqual([INFLATE_FINAL, ""]);
      expect(statusOf(stored(1, 0xfffe))).toEqual([INFLATE_NEEDS_INPUT, ""]);
      expect(statusOf(stored(1, 0xffff))).toEqual([INFLATE_BAD_STORED, ""]);
      expect(statusOf(stored(0x8000, 0xffff))).toEqual([INFLATE_BAD_STORED, ""]);
    });

    it("symbols 286 and 287, and distances 30 and 31", () => {
      const fixed = (): Bits => new Bits().number(1, 1).number(1, 2);
      const x = "10101000"; // the literal 0x78
      expect(statusOf(fixed().code(x).code("0000000").align().bytes)).toEqual([INFLATE_FINAL, "x"]);
      expect(statusOf(fixed().code(x).code("11000101").code("00000").code("0000000").bytes)[0]).toBe(INFLATE_FINAL);
      for (const symbol of ["11000110", "11000111"])
        expect(statusOf(fixed().code(x).code(symbol).align().bytes)[0]).toBe(INFLATE_BAD_CODE);
      for (const distance of ["11110", "11111"])
        expect(statusOf(fixed().code(x).code("0000001").code(distance).align().bytes)[0]).toBe(INFLATE_BAD_CODE);
      for (const distance of ["00001", "11101"])
        expect(statusOf(fixed().code(x).code("0000001").code(distance).number(0, 13).align().bytes)[0]).toBe(
          INFLATE_BAD_DISTANCE,
        );
    });

    it("a distance that reaches back too far, into what came before or over the window", () => {
      /** A block of one match, of three bytes. */
      const match = (distance: number): Uint8Array => {
        const bits = new Bits().number(1, 1).number(1, 2).code("0000001");
        if (distance <= 4) bits.code((distance - 1).toString(2).padStart(5, "0"));
        else if (distance <= 256) bits.code("01111").number(distance - 193, 6);
        else bits.code("10000").number(distance - 257, 7);
        return bits.code("0000000").align().bytes;
      };
      expect(statusOf(match(1))[0]).toBe(INFLATE_BAD_DISTANCE);
      expect(statusOf(match(3), Buffer.from("abc"))).toEqual([INFLATE_FINAL, "abc"]);
      expect(statusOf(match(4), Buffer.from("abc"))[0]).toBe(INFLATE_BAD_DISTANCE);
      const history = kinds.prose(300);
      const back = (distance: number): string => Buffer.from(history.subarray(-distance)).toString("latin1", 0, 3);
      expect(statusOf(match(257), history, 9)).toEqual([INFLATE_FINAL, back(257)]);
      expect(statusOf(match(300), history, 9)).toEqual([INFLATE_FINAL, back(300)]);
      expect(statusOf(match(301), history, 9)[0]).toBe(INFLATE_BAD_DISTANCE);
      expect(statusOf(match(256), history, 8)).toEqual([INFLATE_FINAL, back(256)]);
      expect(statusOf(match(257), history, 8)[0]).toBe(INFLATE_BAD_DISTANCE);
      expect(bench.end).toBe(INFLATE_OUT + 300);
    });

    it("counts of more symbols than there are", () => {
      const some = Array<number>(30).fill(0);
      const literals = [...Array<number>(256).fill(0), 1, ...Array<number>(29).fill(0)];
      expect(statusOf(dynamicHeader(literals, some).code("0").bytes)[0]).toBe(INFLATE_FINAL);
      expect(statusOf(dynamicHeader([...literals, 0], some).bytes)[0]).toBe(INFLATE_BAD_CODE);
      expect(statusOf(dynamicHeader(literals, [...some, 0]).bytes)[0]).toBe(INFLATE_BAD_CODE);
    });

    it("lengths that are no code, as zlib judges them", () => {
      const end = (length: number): number[] => [...Array<number>(256).fill(0), length];
      const two = (first: number, second: number): number[] => [first, ...end(second).slice(1)];
      const zlibs: string[] = [];
      const cases: Record<string, [number[], number[], number[]?]> = {
        "one code, of one bit": [end(1), [0]],
        "one code, of two bits": [end(2), [0]],
        "no end of block": [two(1, 0), [0]],
        "two codes": [two(1, 1), [0]],
        "two codes, one too long": [two(1, 2), [0]],
        "too many codes": [[1, 1, ...end(1).slice(2)], [0]],
        "no literals' code at all": [end(0), [0]],
        "one distance": [two(1, 1), [1]],
        "one distance, of two bits": [two(1, 1), [2]],
        "distances that leave a gap": [two(1, 1), [1, 2]],
        "too many distances": [two(1, 1), [1, 1, 1]],
        "no code for code lengths": [two(1, 1), [0], Array<number>(19).fill(0)],
        "too few codes for code lengths": [two(1, 1), [0], Array<number>(19).fill(5)],
        "too many codes for code lengths": [two(1, 1), [0], Array<number>(19).fill(4)],
      };
      for (const [name, [literals, distances, codeLengths]] of Object.entries(cases)) {
        const bytes = dynamicHeader(literals, distances, codeLengths).number(0, 100).bytes;
        const expected = byZlib(bytes);
        same(bench.inflate([bytes]).verdict, expected.verdict, name);
        zlibs.push(`${name}: ${expected.verdict}`);
      }
      expect(zlibs.filter((line) => line.endsWith("bad"))).toHaveLength(10);
    });

    it("a code that stands for nothing, where one distance or none was named", () => {
      const literals = [...Array<number>(256).fill(0), 1, 1]; // the end, and the length 3
      const run = (distances: number[], digits: string): number =>
        statusOf(dynamicHeader(literals, distances).code(digits).align().bytes, Buffer.from("a"))[0];
      expect(run([1], "1" + "0" + "0")).toBe(INFLATE_FINAL);
      expect(run([1], "1" + "1" + "0")).toBe(INFLATE_BAD_CODE);
      expect(run([0], "0")).toBe(INFLATE_FINAL);
      expect(run([0], "1" + "0" + "0")).toBe(INFLATE_BAD_CODE);
    });

    it("repetitions of nothing, and beyond the counts", () => {
      const flat = [...Array<number>(13).fill(4), ...Array<number>(6).fill(5)];
      const codes = canonical(flat);
      const begin = (distances = 0): Bits => {
        const bits = new Bits().number(1, 1).number(2, 2).number(0, 5).number(distances, 5).number(15, 4);
        for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
          bits.number(flat[symbol]!, 3);
        return bits;
      };
      expect(statusOf(begin().code(codes[16]!).number(0, 2).number(0, 30).bytes)[0]).toBe(INFLATE_BAD_CODE);
      // 257 and one lengths: 138 + 118 zeros, then the end, then one distance.
      const zeros = begin().code(codes[18]!).number(127, 7).code(codes[18]!).number(107, 7).code(codes[1]!);
      expect(statusOf(zeros.code(codes[0]!).code("0").align().bytes)[0]).toBe(INFLATE_FINAL);
      const over = begin().code(codes[18]!).number(127, 7).code(codes[18]!).number(107, 7).code(codes[1]!);
      expect(statusOf(over.code(codes[17]!).number(0, 3).align().bytes)[0]).toBe(INFLATE_BAD_CODE);
      // A repetition goes on from the one code into the other.
      const across = begin(3).code(codes[18]!).number(127, 7).code(codes[18]!).number(104, 7).code(codes[2]!);
      across.code(codes[16]!).number(3, 2).code(codes[2]!);
      expect(statusOf(across.code("11").align().bytes)[0]).toBe(INFLATE_FINAL);
    });
  });

  it("goes on with the next byte behind a final block, the window kept (RFC 7692 §7.2.3.4)", () => {
    const first = deflateRawSync("hello, hello, hello");
    // Five bytes from seven bytes back, where the first stream has them.
    const second = new Bits().number(1, 1).number(1, 2).code("0000011").code("00101").number(0, 1).code("0000000");
    const out: Uint8Array[] = [];
    bench.open();
    bench.put(Buffer.concat([first, second.align().bytes]));
    expect(bench.run(out)).toBe(INFLATE_FINAL);
    expect(Buffer.concat(out).toString()).toBe("hello, hello, hello");
    expect(bench.isBetween).toBe(true);
    expect(bench.run(out)).toBe(INFLATE_FINAL);
    expect(Buffer.concat(out).toString()).toBe("hello, hello, hello, hel");
  });

  it("gives any complete codes their tables", () => {
    // Lengths up to 15 in every distribution: the worst one for the tables is among such.
    const check = (seed: number, count: number, most: number): void => {
      const random = chance(seed);
      const literals = complete(random, count, most).concat(Array<number>(286).fill(0)).slice(0, 286);
      const end = literals.findIndex((length) => length > 0);
      [literals[256], literals[end]] = [literals[end]!, literals[256]!];
      const distances = complete(random, 1 + random.integer(30), most);
      const codes = canonical(literals);
      const symbols = literals.flatMap((length, symbol) => (length > 0 && symbol < 256 ? [symbol] : []));
      const header = dynamicHeader(literals, distances);
      const text = random.list(200, () => random.one(symbols));
      for (const symbol of text) header.code(codes[symbol]!);
      const bytes = header.code(codes[256]!).bytes;
      finishes(bench.inflate([bytes]), Uint8Array.from(text), bytes.length, `${seed} ${count} ${most}`);
    };
    const inputs = [fc.nat(), fc.integer({ min: 60, max: 286 }), fc.integer({ min: 9, max: 15 })] as const;
    fc.assert(fc.property(...inputs, check), { numRuns: 300, seed: 1951 });
  });
});

/** The lengths of a complete code of about so many symbols: one leaf after the other is parted. */
function complete(random: Chance, count: number, most: number): number[] {
  if (count < 2) return [1];
  const lengths = [1, 1];
  const deep = random.integer(2) === 0;
  while (lengths.length < count) {
    const open = lengths.flatMap((length, i) => (length < most ? [i] : []));
    if (open.length === 0) break;
    const i = deep
      ? open[open.length - 1 - random.integer(Math.min(3, open.length))]!
      : open[random.integer(open.length)]!;
    lengths[i]!++;
    lengths.splice(random.integer(lengths.length), 0, lengths[i]!);
  }
  return lengths;
}
