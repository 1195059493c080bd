import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chance, kinds, lengths, messages, samples } from "../../bench/corpus.mjs";
import { Deflater, deflate } from "../../src/deflate/deflater.ts";
import { concat, equal, splitAt } from "../helpers/bytes.ts";
import { allLevels, deflateModules, greatestDistance, inflated, inflatedMessages, inflatedSoFar } from "../helpers/deflating.ts"; // prettier-ignore

describe.each(deflateModules)("a Deflater on the $build build", (module) => {
  const isJavaScript = module.build === "javascript";

  it.each(allLevels)("gives zlib back every sample, at level %i", (level) => {
    for (const { name, bytes } of samples(isJavaScript ? [0, 1, 2, 3, 10, 259, 4096, 65_537] : lengths)) {
      const output = deflate(bytes, { level, module });
      expect(equal(inflated(output), bytes), name).toBe(true);
      expect(output.length, name).toBeLessThanOrEqual(bytes.length + 16 + 5 * Math.ceil(bytes.length / 16_000));
    }
  });

  it.each([8, 9, 10, 11, 12, 13, 14, 15])("never reaches back further than %i bits of window", (windowBits) => {
    for (const kind of ["chat", "echoes", "zeros"] as const) {
      const bytes = kinds[kind](isJavaScript ? 40_000 : 150_000, 4);
      for (const level of [1, 2, 6, 9]) {
        const output = deflate(bytes, { level, windowBits, module });
        expect(equal(inflated(output), bytes)).toBe(true);
        const greatest = greatestDistance(output);
        expect(greatest).toBeLessThanOrEqual(2 ** windowBits);
        // All of the window is used.
        if (kind === "echoes" && level > 2) expect(greatest).toBeGreaterThan(2 ** windowBits * 0.9);
      }
    }
  });

  it("gives the same bytes wherever a short input is cut, and answers nothing before it is flushed", () => {
    const bytes = kinds.chat(2000, 8);
    const whole = deflate(bytes, { module });
    for (let cut = 0; cut <= bytes.length; cut += 37) {
      const deflater = new Deflater({ module });
      for (const piece of splitAt(bytes, [cut, cut >> 1])) expect(deflater.write(piece)).toHaveLength(0);
      expect(equal(deflater.finish(), whole)).toBe(true);
    }
  });

  it("gives zlib back whatever is written, flushed and finished in any order, by streams that take turns", () => {
    const source = concat(
      kinds.chat(30_000, 6),
      kinds.random(9000, 6),
      kinds.html(61_000, 6),
      kinds.repeats(30_000, 6),
    );
    const step = fc.record({
      stream: fc.nat(2),
      from: fc.nat(source.length),
      length: fc.oneof(fc.nat(300), fc.nat(90_000)),
      flush: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.array(fc.nat(9)),
        fc.integer({ min: 8, max: 15 }),
        (steps, levels, windowBits) => {
          const streams = [0, 1, 2].map((i) => ({
            deflater: new Deflater({ level: levels[i] ?? 6, windowBits, module }),
            input: [] as Uint8Array[],
            output: [] as Uint8Array[],
          }));
          for (const { stream, from, length, flush } of steps) {
            const { deflater, input, output } = streams[stream]!;
            const bytes = source.subarray(from, from + length);
            input.push(bytes);
            output.push(deflater.write(bytes));
            if (!flush) continue;
            output.push(deflater.flush());
            expect(equal(inflatedSoFar(concat(...output)), concat(...input))).toBe(true);
          }
          for (const { deflater, input, output } of streams) {
            output.push(deflater.finish());
            expect(equal(inflated(concat(...output)), concat(...input))).toBe(true);
          }
        },
      ),
      { numRuns: isJavaScript ? 25 : 100, seed: 1951 },
    );
  });

  it("shares a window between the messages of each of the streams that take turns", () => {
    const random = chance(3);
    const log = messages(isJavaScript ? 120 : 400, 3);
    const streams = [15, 15, 12, 9].map((windowBits, i) => ({
      deflater: new Deflater({ windowBits, level: i === 1 ? 1 : 6, module }),
      input: [] as Uint8Array[],
      output: [] as Uint8Array[],
    }));
    for (const message of log) {
      const { deflater, input, output } = random.one(streams);
      const compressed = deflater.message(message);
      expect(compressed).toBeDefined();
      input.push(message);
      output.push(compressed!);
    }
    const sums = streams.map(({ input, output }) => {
      expect(equal(inflatedMessages(output), concat(...input))).toBe(true);
      return concat(...output).length / concat(...input).length;
    });
    expect(sums[0]).toBeLessThan(0.36);
  });

  it("gives messages of much the same length whether it is alone or others have turns in between", () => {
    const log = messages(60, 9);
    const alone = new Deflater({ module });
    const expected = log.map((message) => alone.message(message)!);
    const [one, other] = [new Deflater({ module }), new Deflater({ module, windowBits: 10 })];
    let difference = 0;
    for (const [i, message] of log.entries()) {
      difference += one.message(message)!.length - expected[i]!.length;
      other.message(log[(i * 7) % log.length]!);
    }
    // Matches are missed that begin and end between the places that are looked at.
    expect(Math.abs(difference)).toBeLessThan(0.03 * concat(...expected).length);
  });

  it("takes back a message that does not become shorter, be it short, or longer than the module's memory", () => {
    const log = messages(80, 2);
    const deflater = new Deflater({ module });
    const other = new Deflater({ module });
    const [input, output]: [Uint8Array[], Uint8Array[]] = [[], []];
    for (const [i, message] of log.entries()) {
      const noise = kinds.random([0, 1, 10, 1000, 30_000, 65_536, 65_537, 200_000][i % 8]!, i + 1);
      expect(deflater.message(noise), `${noise.length} bytes`).toBeUndefined();
      if (i % 3 === 0) other.message(message);
      input.push(message);
      output.push(deflater.message(message)!);
    }
    expect(equal(inflatedMessages(output), concat(...input))).toBe(true);
    expect(concat(...output).length).toBeLessThan(concat(...input).length / 3);
  });

  it("sends messages in fragments, empty ones too", () => {
    const deflater = new Deflater({ module });
    const text = kinds.prose(150_000, 2);
    const nothing = text.subarray(0, 0);
    const sent = [
      deflater.fragment(nothing, true),
      concat(deflater.fragment(text.subarray(0, 100_000), false), deflater.fragment(text.subarray(100_000), true)),
      concat(deflater.fragment(nothing, false), deflater.fragment(nothing, true)),
      deflater.message(text.subarray(0, 1000))!,
    ];
    // RFC 7692 §7.2.3.6
    expect([...sent[0]!]).toEqual([0]);
    expect([...sent[2]!]).toEqual([0, 0, 0, 0xff, 0xff, 0]);
    expect(equal(inflatedMessages(sent), concat(text, text.subarray(0, 1000)))).toBe(true);
  });

  it("forgets its window when it is reset", () => {
    const deflater = new Deflater({ module });
    const message = messages(1)[0]!;
    const first = deflater.message(message)!;
    expect(deflater.message(message)!.length).toBeLessThan(first.length / 4);
    deflater.reset();
    expect(equal(deflater.message(message)!, first)).toBe(true);
    deflater.reset();
    deflater.write(message);
    deflater.reset();
    expect([...deflater.finish()]).toEqual([3, 0]);
  });

  it("slides over many windows", () => {
    const deflater = new Deflater({ level: 1, module });
    const piece = kinds.chat(50_000, 11);
    const rounds = isJavaScript ? 20 : 250;
    const output: Uint8Array[] = [];
    for (let i = 0; i < rounds; i++) output.push(deflater.message(piece.subarray((i * 997) % 20_000))!);
    const input = Array.from({ length: rounds }, (_, i) => piece.subarray((i * 997) % 20_000));
    expect(equal(inflatedMessages(output), concat(...input))).toBe(true);
  });
});

describe("a Deflater", () => {
  it("refuses options that are none", () => {
    expect(() => new Deflater({ level: 10 })).toThrow(expect.objectContaining({ code: "ERR_OPTION_RANGE" }) as Error);
    expect(() => new Deflater({ windowBits: 7 })).toThrow(expect.objectContaining({ code: "ERR_OPTION_RANGE" }) as Error); // prettier-ignore
    expect(() => new Deflater({ module: {} as never })).toThrow(expect.objectContaining({ code: "ERR_OPTION_TYPE" }) as Error); // prettier-ignore
    expect(() => new Deflater({ strategy: 1 } as never)).toThrow(expect.objectContaining({ code: "ERR_OPTION_UNKNOWN" }) as Error); // prettier-ignore
  });

  it("takes nothing once it is finished or closed", () => {
    const deflater = new Deflater();
    deflater.finish();
    const over = expect.objectContaining({ code: "ERR_STATE" }) as Error;
    expect(() => deflater.write(new Uint8Array(1))).toThrow(over);
    expect(() => deflater.flush()).toThrow(over);
    expect(() => deflater.finish()).toThrow(over);
    const closed = new Deflater();
    closed[Symbol.dispose]();
    expect(() => closed.message(new Uint8Array(1))).toThrow(over);
  });

  it("takes bytes in any form", () => {
    const bytes = kinds.html(100, 1);
    expect(deflate(bytes.buffer)).toEqual(deflate(bytes));
    expect(() => deflate("text" as never)).toThrow(expect.objectContaining({ code: "ERR_DATA_TYPE" }) as Error);
  });
});
