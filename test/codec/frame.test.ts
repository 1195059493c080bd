import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeFrameHeader,
  defaultCodec,
  encodeFrame,
  encodeFrameHeader,
  type FrameHeader,
} from "../../src/codec/index.ts";
import { noise } from "../helpers/bytes.ts";
import { eachBuild } from "../helpers/codecs.ts";
import { same } from "../helpers/decoding.ts";
import { concat, frame, frameHeader, readFrames } from "../helpers/wire.ts";

const lengths = [
  0,
  1,
  2,
  124,
  125,
  126,
  127,
  128,
  255,
  256,
  65534,
  65535,
  65536,
  65537,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 10,
  2 ** 40,
  2 ** 52 + 1,
  2 ** 53 - 1,
];
const keys = [undefined, [0x37, 0xfa, 0x21, 0x3d], [0, 0, 0, 0], [255, 255, 255, 255], [0x80, 0, 0, 0x7f]];

interface Fields {
  fin: boolean;
  rsv: number;
  opcode: number;
  key: number[] | undefined;
}

/** Every first byte that a frame can have, with the keys in turns. */
const everyFields = Array.from({ length: 256 }, (_, first): Fields => {
  return { fin: first >= 0x80, rsv: first & 0x70, opcode: first & 0x0f, key: keys[first % keys.length] };
});

const asHeader = ({ fin, rsv, opcode, key }: Fields): FrameHeader => ({
  fin,
  rsv,
  opcode,
  maskingKey: key && Uint8Array.from(key),
});

describe.each(eachBuild)("frames on their own, RFC 6455 §5.2 ($build)", ({ codec }) => {
  it("writes and reads a header of every form with every flag", () => {
    for (const length of lengths) {
      for (const fields of everyFields) {
        const expected = frameHeader(fields.opcode, BigInt(length), fields);
        const header = encodeFrameHeader(asHeader(fields), length, codec);
        same(header, expected, `length ${length}`);
        same(
          decodeFrameHeader(header, 0, codec),
          { ...asHeader(fields), payloadLength: length, headerLength: expected.length },
          `length ${length}`,
        );
      }
    }
  });

  it("FIN is set, the reserved bits are not, and there is no mask, unless the header says so", () => {
    expect(encodeFrameHeader({ opcode: 2 }, 5, codec)).toEqual(frameHeader(2, 5n, { fin: true, rsv: 0 }));
  });

  it("answers undefined for a header that is cut, at every byte, and reads it at every offset", () => {
    for (const length of [0n, 125n, 126n, 65535n, 65536n, 2n ** 53n - 1n]) {
      for (const key of keys) {
        const header = frameHeader(1, length, { key });
        for (let offset = 0; offset < 18; offset++) {
          const bytes = concat([noise(offset), header]);
          for (let kept = 0; kept < header.length; kept++)
            expect(decodeFrameHeader(bytes.subarray(0, offset + kept), offset, codec), `${kept}`).toBeUndefined();
          const expected = { payloadLength: Number(length), headerLength: header.length };
          expect(decodeFrameHeader(bytes, offset, codec)).toMatchObject(expected);
          // What lies behind it has no part in it.
          expect(decodeFrameHeader(concat([bytes, noise(20)]), offset, codec)).toMatchObject(expected);
        }
      }
    }
    expect(decodeFrameHeader(new Uint8Array(0), 0, codec)).toBeUndefined();
    expect(decodeFrameHeader(frameHeader(1, 1n), 2, codec)).toBeUndefined();
    expect(decodeFrameHeader(frameHeader(1, 1n), 99, codec)).toBeUndefined();
  });

  it("reports a length as it stands there, in whatever form, and judges nothing", () => {
    for (const form of [7, 16, 64] as const)
      expect(decodeFrameHeader(frameHeader(3, 5n, { form }), 0, codec)).toMatchObject({ payloadLength: 5, opcode: 3 });
    for (const length of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])
      expect(decodeFrameHeader(frameHeader(3, length), 0, codec)?.payloadLength).toBe(Number(length));
  });

  it("hands out a masking key in memory of its own", () => {
    const bytes = frameHeader(1, 3n, { key: [1, 2, 3, 4] });
    const header = decodeFrameHeader(bytes, 0, codec);
    bytes.fill(0);
    decodeFrameHeader(frameHeader(1, 3n, { key: [9, 9, 9, 9] }), 0, codec);
    expect(header?.maskingKey).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(encodeFrameHeader({ opcode: 1 }, 3, codec).buffer).not.toBe(codec.memory.buffer);
  });

  it("writes a whole frame, masked or not, and leaves the payload alone", () => {
    for (const size of [0, 1, 3, 125, 126, 1000, 65535, 65536, 200_003]) {
      const payload = noise(size);
      const before = payload.slice();
      for (const key of size > 1000 ? keys.slice(0, 2) : keys) {
        for (const [fin, rsv, opcode] of [
          [true, 0, 2],
          [false, 0x40, 1],
          [true, 0x10, 0],
        ] as const) {
          // prettier-ignore
          const made = encodeFrame({ ...asHeader({ fin, rsv, opcode, key }), payload }, codec);
          same(made, frame(opcode, payload, { fin, rsv, key }), `${size} bytes`);
        }
      }
      same(payload, before, "the payload");
    }
  });

  it("what it writes, a reader reads back", () => {
    const fields = fc.record({
      fin: fc.boolean(),
      rsv: fc.constantFrom(0, 0x10, 0x20, 0x40, 0x70),
      opcode: fc.nat(15),
      maskingKey: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined }),
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    const property = fc.property(fc.array(fields, { maxLength: 5 }), (all) => {
      const bytes = concat(all.map((each) => encodeFrame(each, codec)));
      const read = readFrames(bytes);
      expect(read).toEqual(
        all.map(({ maskingKey, ...rest }) => ({ ...rest, key: maskingKey && [...maskingKey], payload: rest.payload })),
      );
      let at = 0;
      for (const { maskingKey, payload, ...rest } of all) {
        const header = decodeFrameHeader(bytes, at, codec);
        expect(header).toMatchObject({ ...rest, payloadLength: payload.length });
        expect(header?.maskingKey).toEqual(maskingKey);
        at += header!.headerLength + payload.length;
      }
      expect(at).toBe(bytes.length);
    });
    fc.assert(property, { numRuns: 200 });
  });

  it.each([
    ["opcode", { opcode: -1 }, 0],
    ["opcode", { opcode: 16 }, 0],
    ["opcode", { opcode: 1.5 }, 0],
    ["opcode", { opcode: NaN }, 0],
    ["rsv", { opcode: 1, rsv: 0x80 }, 0],
    ["rsv", { opcode: 1, rsv: 1 }, 0],
    ["rsv", { opcode: 1, rsv: -1 }, 0],
    ["payload length", { opcode: 1 }, -1],
    ["payload length", { opcode: 1 }, 0.5],
    ["payload length", { opcode: 1 }, NaN],
    ["payload length", { opcode: 1 }, Infinity],
    ["payload length", { opcode: 1 }, 2 ** 53],
  ])("refuses a %s that has no place in a header: %o, %d", (what, header, length) => {
    const refusal = expect.objectContaining({ code: "ERR_OPTION_RANGE", message: expect.stringContaining(what) });
    expect(() => encodeFrameHeader(header, length, codec)).toThrow(RangeError);
    expect(() => encodeFrameHeader(header, length, codec)).toThrow(refusal);
  });

  it.each([0, 3, 5])("refuses a masking key of %d bytes", (size) => {
    const header = { opcode: 1, maskingKey: new Uint8Array(size), payload: new Uint8Array(2) };
    const refusal = expect.objectContaining({ code: "ERR_OPTION_TYPE", message: expect.stringContaining(`${size}`) });
    expect(() => encodeFrame(header, codec)).toThrow(TypeError);
    expect(() => encodeFrameHeader(header, 2, codec)).toThrow(refusal);
  });
});

describe("without a codec of one's own", () => {
  it("frames are written and read by the one that the process shares", () => {
    const payload = noise(500);
    const made = encodeFrame({ opcode: 2, maskingKey: Uint8Array.of(1, 2, 3, 4), payload });
    expect(made).toEqual(frame(2, payload, { key: [1, 2, 3, 4] }));
    expect(decodeFrameHeader(made)).toEqual(decodeFrameHeader(made, 0, defaultCodec));
  });
});
