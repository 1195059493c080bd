import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVENT_CAPACITY, WINDOW_SIZE } from "../../assembly/layout.ts";
import { Decoder, type Piece } from "../../src/codec/decoder.ts";
import type { DecoderLimits } from "../../src/codec/slot-decoder.ts";
import { SlotDecoder } from "../helpers/slot-decoder.ts";
import type { Violation } from "../../src/codec/violation.ts";
import { noise, splitAt } from "../helpers/bytes.ts";
import { codecs, eachBuild } from "../helpers/codecs.ts";
import { asParts, chopped, decodeChunks, decodePublicly, everyCut, reference, same, unlimited } from "../helpers/decoding.ts"; // prettier-ignore
import { streams } from "../helpers/streams.ts";
import { Peer, bytesOf, concat, frame, frameHeader, latin1, type Role } from "../helpers/wire.ts";

const roles: readonly Role[] = ["server", "client"];
const tables = roles.map((role) => ({ role, table: streams(role) }));

describe("the model that the decoder is held against", () => {
  const decoded = (role: Role, ...bytes: number[]) => reference(Uint8Array.from(bytes), unlimited(role));
  const whole = { rsv: 0, first: true, last: true, left: 0 };

  // RFC 6455 §5.7, as it is printed there
  it("reads the examples of RFC 6455 §5.7", () => {
    const hello = { ...whole, opcode: 1, ascii: true, data: "Hello" };
    expect(decoded("client", 0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f).events).toEqual([hello]);
    const maskedHello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    expect(decoded("server", ...maskedHello).events).toEqual([hello]);
    expect(decoded("client", 0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f).events).toEqual([
      { ...hello, last: false, ascii: false, data: "Hel" },
      { ...hello, first: false, data: "lo" },
    ]);
    const ping = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    expect(decoded("client", ...ping).events).toEqual([{ ...whole, opcode: 9, ascii: false, data: "Hello" }]);
    const maskedPong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    expect(decoded("server", ...maskedPong).events).toEqual([{ ...whole, opcode: 10, ascii: false, data: "Hello" }]);
    const short = [0x82, 0x7e, 0x01, 0x00, ...noise(256)];
    expect(decoded("client", ...short).events).toMatchObject([{ opcode: 2, data: latin1(noise(256)), last: true }]);
    const long = [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, ...noise(65536)];
    expect(decoded("client", ...long).events).toMatchObject([{ opcode: 2, data: latin1(noise(65536)), last: true }]);
  });

  it.each(tables)("takes each row of the table as its name says ($role)", ({ table }) => {
    // The rows around the broken ones exist in pairs, behind the valid ones.
    const firstBroken = table.findIndex(({ name }) => name.startsWith("reserved bits"));
    for (const { name, bytes, limits } of table.slice(0, firstBroken))
      expect(reference(bytes, limits).violation, name).toBeUndefined();
    for (const { name, bytes, limits } of table.slice(firstBroken))
      expect(reference(bytes, limits).violation, name).toBeDefined();
  });
});

describe.each(tables)("any split gives the same events, over every build, as a $role", ({ table }) => {
  it.each(table)("$name", ({ bytes, limits }) => {
    const expected = reference(bytes, limits);
    const parts = asParts(expected);
    for (const codec of codecs) {
      let turn = 0;
      for (const [cut, chunks] of everyCut(bytes)) {
        const pieces = [...chunks];
        same(decodeChunks(codec, limits, pieces), expected, `${codec.build}, ${cut}`);
        // The public class hands on what the other reports, so a part of the cuts does for it.
        if (turn < 2 || turn % 7 === 0) same(decodePublicly(codec, limits, pieces), parts, `${codec.build}, ${cut}`);
        turn++;
      }
    }
  });
});

describe.each(eachBuild)("SlotDecoder and Decoder ($build)", ({ codec }) => {
  describe.each(tables)("of a $role", ({ role, table }) => {
    it("the same from a chunk that lies in the window already", () => {
      for (const { name, bytes, limits } of table) {
        const expected = reference(bytes, limits);
        // As a host reads: into one buffer, over what was there before.
        const read = function* (cut: Iterable<Uint8Array>, at: number) {
          for (const chunk of cut) {
            codec.window.set(chunk, at);
            yield codec.window.subarray(at, at + chunk.length);
            codec.window.fill(0xa5);
          }
        };
        const half = bytes.length >> 1;
        same(decodeChunks(codec, limits, read([bytes], 0)), expected, name);
        same(decodeChunks(codec, limits, read(splitAt(bytes, [half]), 0)), expected, name);
        same(decodeChunks(codec, limits, read([bytes], WINDOW_SIZE - bytes.length)), expected, name);
        same(decodeChunks(codec, limits, read(chopped(bytes, 3), 5)), expected, name);
      }
    });

    it("seed defect 1: a frame cut inside its payload is not corrupted", () => {
      const bytes = new Peer(role).text("HelloWorld");
      for (const [cut, chunks] of everyCut(bytes)) {
        const { events } = decodeChunks(codec, unlimited(role), chunks);
        expect(events.map(({ data }) => data), cut).toEqual(["HelloWorld"]); // prettier-ignore
      }
    });

    it("leaves the chunk as it is", () => {
      for (const { bytes, limits } of table) {
        const before = bytes.slice();
        decodeChunks(codec, limits, [bytes]);
        decodePublicly(codec, limits, [bytes]);
        same(bytes, before, "the chunk");
      }
    });

    it("takes more frames in a chunk than the event table holds", () => {
      const peer = new Peer(role);
      for (const count of [EVENT_CAPACITY, EVENT_CAPACITY + 1, 1500, 2 * EVENT_CAPACITY + 1]) {
        const short = Array.from({ length: count }, (_, i) => peer.frame([1, 2, 9, 10][i % 4]!, `${i % 7 || ""}`));
        const bytes = concat(short);
        const expected = reference(bytes, unlimited(role));
        expect(expected.events).toHaveLength(count);
        same(decodeChunks(codec, unlimited(role), [bytes]), expected, `${count} frames`);
        // The table is full in the middle of a frame, too, and in front of a violation.
        const more = concat([...short, peer.binary("tail"), peer.frame(3)]);
        const limits = unlimited(role);
        same(
          decodeChunks(codec, limits, splitAt(more, [more.length - 9])),
          reference(more, limits),
          `${count} and more`,
        );
      }
    });

    it("takes chunks larger than the window", () => {
      const peer = new Peer(role);
      const limits = unlimited(role);
      const long = peer.binary(noise(3 * WINDOW_SIZE + 11));
      const text = peer.text("aé€😀".repeat(20_000));
      const bytes = concat([peer.text("before"), long, peer.ping("between"), text, peer.text("behind")]);
      const expected = reference(bytes, limits);
      same(decodeChunks(codec, limits, [bytes]), expected, "whole");
      for (const size of [WINDOW_SIZE - 1, WINDOW_SIZE, WINDOW_SIZE + 1, 100_000, 2 * WINDOW_SIZE + 7])
        same(decodeChunks(codec, limits, chopped(bytes, size)), expected, `in chunks of ${size}`);
      same(decodePublicly(codec, limits, [bytes]), asParts(expected), "publicly");
      // A violation in the second window ends it all.
      const broken = concat([long, peer.frame(5), long]);
      same(decodeChunks(codec, limits, [broken]), reference(broken, limits), "with a violation");
    });

    it("reports how much of a frame is to come, up to 2^32 - 1", () => {
      const key = role === "server" ? [9, 8, 7, 6] : undefined;
      for (const length of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 32 + 10, Number.MAX_SAFE_INTEGER]) {
        const decoder = new SlotDecoder(codec, unlimited(role));
        const left: number[] = [];
        const sink = {
          piece: (_flags: number, _source: Uint8Array, _at: number, _length: number, rest: number) =>
            left.push(rest) > 0,
          violation: (violation: Violation) => expect.fail(violation.text),
        };
        decoder.decode(frameHeader(2, BigInt(length), { key }), sink);
        expect(left).toEqual([]);
        decoder.decode(new Uint8Array(1), sink);
        decoder.decode(new Uint8Array(9), sink);
        expect(left).toEqual([Math.min(length - 1, 2 ** 32 - 1), Math.min(length - 10, 2 ** 32 - 1)]);
        decoder.free();
      }
    });
  });

  it("agrees with the model on streams, limits and cuts at random", () => {
    const content = fc.oneof(
      fc
        .array(fc.constantFrom("a", "~", "é", "你", "😀", "\u0000"), { maxLength: 8 })
        .map((text) => bytesOf(text.join(""))),
      fc.uint8Array({ maxLength: 20 }),
      fc.constantFrom(0, 0, 124, 125, 126, 127, 300).map((length) => bytesOf("~".repeat(length))),
    );
    const fields = fc.record({
      // Mostly what a message can go on with, so that streams get somewhere.
      opcode: fc.oneof({ weight: 20, arbitrary: fc.constantFrom(0, 0, 0, 1, 2, 8, 9, 10) }, fc.nat(15)),
      fin: fc.boolean(),
      rsv: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(0x10, 0x20, 0x40, 0x60)),
      key: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)),
      wrongMask: fc.oneof({ weight: 60, arbitrary: fc.constant(false) }, fc.boolean()),
      form: fc.oneof({ weight: 30, arbitrary: fc.constant(undefined) }, fc.constantFrom(16 as const, 64 as const)),
      content,
    });
    const limits = fc.record({
      role: fc.constantFrom(...roles),
      maxLength: fc.constantFrom(0, 10, 100, 1000, Number.MAX_SAFE_INTEGER),
      maxFragments: fc.constantFrom(1, 2, 5, 0xffffffff),
      allowedRsv: fc.constantFrom(0, 0x40, 0x70),
    });
    const property = fc.property(
      limits,
      // A message's second frame must be a continuation, and its first must not: half of the streams get that right.
      fc.boolean(),
      fc.array(fields, { maxLength: 12 }),
      fc.array(fc.nat(2000), { maxLength: 12 }),
      fc.nat(20),
      (limits: DecoderLimits, inOrder, frames, cuts, missing) => {
        let open = false;
        const made = frames.map(({ opcode, fin, rsv, key, wrongMask, form, content }) => {
          if (inOrder && opcode < 3) opcode = open ? 0 : opcode || 1;
          if (opcode < 8) open = !fin;
          const hasKey = (limits.role === "server") !== wrongMask;
          const isControl = inOrder && opcode >= 8;
          return frame(opcode, isControl ? content.subarray(0, 125) : content, {
            fin: fin || isControl,
            rsv: open && opcode === 0 ? 0 : rsv,
            key: hasKey ? key : undefined,
            ...(form === undefined ? {} : { form }),
          });
        });
        const all = concat(made);
        const bytes = all.subarray(0, Math.max(0, all.length - missing));
        const chunks = splitAt(bytes, [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))]);
        const expected = reference(bytes, limits);
        expect(decodeChunks(codec, limits, chunks)).toEqual(expected);
        expect(decodePublicly(codec, limits, chunks)).toEqual(asParts(expected));
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });

  describe("Decoder", () => {
    it("hands out bytes in memory of their own", () => {
      const decoder = new Decoder({ role: "client", codec });
      const pieces: Piece[] = [];
      const take = { piece: (piece: Piece) => void pieces.push(piece) };
      decoder.decode(frame(2, "first"), take);
      decoder.decode(frame(2, "other bytes at the same place"), take);
      expect(pieces.map(({ data }) => latin1(data))).toEqual(["first", "other bytes at the same place"]);
      for (const { data } of pieces) expect(data.buffer).not.toBe(codec.memory.buffer);
      decoder.free();
    });

    it("sets no limit, and allows no reserved bit, unless told to", () => {
      const decode = (bytes: Uint8Array, options = {}) => {
        const decoder = new Decoder({ role: "client", codec, ...options });
        const violations: Violation[] = [];
        decoder.decode(bytes, { piece: () => undefined, violation: (violation) => violations.push(violation) });
        decoder.free();
        return violations.map(({ closeCode }) => closeCode);
      };
      const largest = frameHeader(2, BigInt(Number.MAX_SAFE_INTEGER));
      expect(decode(largest)).toEqual([]);
      expect(decode(largest, { maxLength: Number.MAX_SAFE_INTEGER - 1 })).toEqual([1009]);
      const fragments = concat(new Peer("client").fragments(2, Array<string>(1000).fill("x")));
      expect(decode(fragments)).toEqual([]);
      expect(decode(fragments, { maxFragments: 999 })).toEqual([1008]);
      const compressed = frame(2, "", { rsv: 0x40 });
      expect(decode(compressed)).toEqual([1002]);
      expect(decode(compressed, { allowedRsv: 0x40 })).toEqual([]);
    });

    // Never truncated to 32 bits, as it once was elsewhere.
    it.each([0, 2 ** 31, 2 ** 32 + 5, Infinity, NaN, -1])("maxLength %d is honoured, or refused", (maxLength) => {
      const refused = (length: bigint): boolean => {
        const decoder = new Decoder({ role: "client", codec, maxLength });
        let isRefused = false;
        decoder.decode(frameHeader(2, length), { piece: () => undefined, violation: () => (isRefused = true) });
        decoder.free();
        return isRefused;
      };
      if (!(maxLength >= 0)) {
        expect(() => refused(0n)).toThrow(RangeError);
        return;
      }
      const most = BigInt(Math.min(maxLength, Number.MAX_SAFE_INTEGER));
      expect(refused(most)).toBe(false);
      if (Number.isFinite(maxLength)) expect(refused(most + 1n)).toBe(true);
    });

    it.each([0, 1, 2 ** 31, 2 ** 32 + 5, Infinity, NaN, -1])(
      "maxFragments %d is honoured, or refused",
      (maxFragments) => {
        const options = { role: "client" as const, codec, maxFragments };
        if (!(maxFragments >= 1)) {
          expect(() => new Decoder(options)).toThrow(RangeError);
          return;
        }
        const decoder = new Decoder(options);
        const fragments = concat(new Peer("client").fragments(2, Array<string>(8).fill("x")));
        const violations: Violation[] = [];
        decoder.decode(fragments, { piece: () => undefined, violation: (violation) => violations.push(violation) });
        decoder.free();
        expect(violations.map(({ closeCode }) => closeCode)).toEqual(maxFragments < 8 ? [1008] : []);
      },
    );

    it("works without a callback for violations, and stays silent behind one", () => {
      const decoder = new Decoder({ role: "client", codec });
      const pieces: Piece[] = [];
      const callbacks = { piece: (piece: Piece) => void pieces.push(piece) };
      decoder.decode(concat([frame(2, "a"), frame(3), frame(2, "b")]), callbacks);
      decoder.decode(frame(2, "c"), callbacks);
      expect(pieces.map(({ data }) => latin1(data))).toEqual(["a"]);
      decoder.free();
    });

    it("gives its slot back once, also by `using`'s hook", () => {
      const before = codec.slotsTaken;
      const decoder = new Decoder({ role: "client", codec });
      expect(codec.slotsTaken).toBe(before + 1);
      decoder[Symbol.dispose]();
      decoder.free();
      expect(codec.slotsTaken).toBe(before);
    });
  });

  it("goes on where another decoder left off: nothing of one is seen by the other", () => {
    const limits = unlimited("server");
    const peer = new Peer("server");
    const all = Array.from({ length: 7 }, (_, i) =>
      concat([...peer.fragments(1, ["é".repeat(i + 1), "😀"]), peer.binary(noise(i * 50))]),
    );
    const decoders = all.map(() => ({ decoder: new SlotDecoder(codec, limits), data: "" }));
    // In turns of one byte.
    for (let at = 0; at < Math.max(...all.map(({ length }) => length)); at++) {
      for (const [i, state] of decoders.entries()) {
        state.decoder.decode(all[i]!.subarray(at, at + 1), {
          piece: (_flags, source, offset, length) => {
            state.data += latin1(source.subarray(offset, offset + length));
            return true;
          },
          violation: ({ text }) => expect.fail(text),
        });
      }
    }
    for (const [i, { decoder, data }] of decoders.entries()) {
      const expected = reference(all[i]!, limits).events.map((event) => event.data);
      expect(data).toBe(expected.join(""));
      decoder.free();
    }
  });

  it("drops the rest of the chunk, and no more, when a piece is answered with false", () => {
    const limits = unlimited("client");
    const decoder = new SlotDecoder(codec, limits);
    const seen: string[] = [];
    const sink = {
      piece: (_flags: number, source: Uint8Array, at: number, length: number) => {
        seen.push(latin1(source.subarray(at, at + length)));
        return false;
      },
      violation: ({ text }: Violation) => expect.fail(text),
    };
    decoder.decode(concat([frame(2, "first"), frame(2, "dropped")]), sink);
    // Also where the chunk is longer than the window.
    decoder.decode(concat([frame(2, "second"), frame(2, noise(2 * WINDOW_SIZE))]), sink);
    expect(seen).toEqual(["first", "second"]);
    decoder.free();
  });
});
