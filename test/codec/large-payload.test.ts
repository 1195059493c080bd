// Large payloads that are neither masked nor text go to the sink from the chunk, past the codec's window.
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { WINDOW_SIZE } from "../../assembly/layout.ts";
import { Decoder } from "../../src/codec/decoder.ts";
import { noise, splitAt } from "../helpers/bytes.ts";
import { eachBuild } from "../helpers/codecs.ts";
import { asParts, decodeChunks, decodePublicly, reference, same, unlimited } from "../helpers/decoding.ts";
import { SlotDecoder } from "../helpers/slot-decoder.ts";
import { bytesOf, concat, frame, latin1 } from "../helpers/wire.ts";

const client = { ...unlimited("client"), allowedRsv: 0x40 };

/** Where the pieces of a chunk lie: in the chunk's memory, or in the codec's. */
function sources(chunk: Uint8Array, decoder: SlotDecoder): string[] {
  const seen: string[] = [];
  decoder.decode(chunk, {
    piece: (_flags, source, _at, length) => seen.push(`${length} ${source.buffer === chunk.buffer ? "chunk" : "window"}`) > 0, // prettier-ignore
    violation: ({ text }) => expect.fail(text),
  });
  return seen;
}

describe.each(eachBuild)("large payloads ($build)", ({ codec }) => {
  const open: SlotDecoder[] = [];
  afterEach(() => open.splice(0).forEach((decoder) => decoder.free()));

  function decoder(limits = client): SlotDecoder {
    const decoder = new SlotDecoder(codec, limits);
    open.push(decoder);
    return decoder;
  }

  it("go past the window from 4 KiB on, in a client's binary and compressed messages", () => {
    const large = noise(70_000);
    const made = concat([frame(2, "x"), frame(2, large), frame(2, noise(4095)), frame(2, noise(4096)), frame(9, "y")]);
    // What is small is copied together with all that is behind it.
    expect(sources(made, decoder())).toEqual(["1 window", "70000 window", "4095 window", "4096 window", "1 window"]);
    expect(sources(concat([frame(2, large), frame(2, "x")]), decoder())).toEqual(["70000 chunk", "1 window"]);
    expect(sources(concat([frame(2, noise(4096)), frame(2, noise(4095))]), decoder())).toEqual([
      "4096 chunk",
      "4095 window",
    ]);
    const compressed = frame(1, large, { rsv: 0x40 });
    expect(sources(compressed.subarray(10), begun(compressed))).toEqual(["70000 chunk"]);
    const fragments = [frame(2, large, { fin: false }), frame(0, large, { fin: false }), frame(0, large)];
    expect(sources(concat(fragments), decoder())).toEqual(["70000 chunk", "70000 chunk", "70000 chunk"]);
  });

  /** A decoder that has had the header of `made`. */
  function begun(made: Uint8Array): SlotDecoder {
    const begun = decoder();
    sources(made.subarray(0, 10), begun);
    return begun;
  }

  it("do not where they are masked, or text, or their header is cut", () => {
    const large = bytesOf("é".repeat(35_000));
    expect(sources(frame(1, large), decoder())).toEqual(["70000 window"]);
    const text = [frame(1, large, { fin: false }), frame(0, large)];
    const inWindow = WINDOW_SIZE - 10 - 70_000 - 10;
    const pieces = [70_000, inWindow, 70_000 - inWindow];
    expect(sources(concat(text), decoder())).toEqual(pieces.map((length) => `${length} window`));
    expect(sources(frame(2, large, { key: [1, 2, 3, 4] }), decoder(unlimited("server")))).toEqual(["70000 window"]);
    const cut = decoder();
    const made = frame(2, large);
    expect(sources(made.subarray(0, 5), cut)).toEqual([]);
    expect(sources(made.subarray(5), cut)).toEqual(["70000 window"]);
  });

  it("a text that looks like headers of large frames is not cut at them", () => {
    const text = bytesOf("\u0002\u007f".repeat(WINDOW_SIZE));
    const pieces = sources(frame(1, text), decoder());
    expect(pieces.length).toBeLessThanOrEqual(Math.ceil((text.length + 10) / WINDOW_SIZE));
  });

  it("agree with the model, whatever is around them and wherever they are cut", () => {
    const lengths = [0, 1, 125, 126, 4095, 4096, 4097, 65535, 65536, WINDOW_SIZE + 1];
    const frames = fc.array(
      fc.record({
        opcode: fc.constantFrom(0, 0, 1, 2, 2, 2, 9),
        fin: fc.boolean(),
        rsv: fc.constantFrom(0, 0, 0, 0x40),
        length: fc.constantFrom(...lengths),
        isAlike: fc.boolean(),
        // Too long a form, so that a large frame is refused in the middle.
        form: fc.oneof({ weight: 30, arbitrary: fc.constant(undefined) }, fc.constant(64 as const)),
      }),
      { maxLength: 6 },
    );
    const cuts = fc.array(fc.nat(200_000), { maxLength: 5 });
    const property = fc.property(frames, cuts, fc.constantFrom(2 ** 53 - 1, 65_536), (frames, cuts, maxLength) => {
      let isOpen = false;
      const made = frames.map(({ opcode, fin, rsv, length, isAlike, form }) => {
        if (opcode < 3) opcode = isOpen ? 0 : opcode || 2;
        const isControl = opcode >= 8;
        const content = bytesOf(isAlike ? "\u0002\u007f".repeat(length).slice(0, length) : "~".repeat(length));
        const fields = { fin: fin || isControl, rsv: isControl || opcode === 0 ? 0 : rsv };
        if (!isControl) isOpen = !fin;
        return frame(opcode, isControl ? content.subarray(0, 125) : content, { ...fields, ...(form && { form }) });
      });
      const bytes = concat(made);
      const limits = { ...client, maxLength };
      const chunks = splitAt(bytes, [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))]);
      const expected = reference(bytes, limits);
      same(decodeChunks(codec, limits, chunks), expected, "SlotDecoder");
      same(decodePublicly(codec, limits, chunks), asParts(expected), "Decoder");
    });
    fc.assert(property, { numRuns: 150 });
  });

  it("are handed out as plain arrays in memory of their own, whatever the chunk is", () => {
    const large = noise(5000);
    const bytes = concat([frame(2, large), frame(2, large)]);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    for (const chunk of [Buffer.from(bytes), shared, concat([bytes, bytes]).subarray(bytes.length)]) {
      const of = new Decoder({ role: "client", codec });
      const pieces: Uint8Array[] = [];
      of.decode(chunk, { piece: ({ data }) => void pieces.push(data) });
      of.free();
      chunk.fill(0);
      expect(pieces.map(({ constructor }) => constructor)).toEqual([Uint8Array, Uint8Array]);
      for (const piece of pieces) {
        same(latin1(piece), latin1(large), "a piece");
        expect(piece.buffer).toBeInstanceOf(ArrayBuffer);
        expect(piece.buffer.byteLength).toBe(5000);
      }
    }
  });
});
