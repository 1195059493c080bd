import { describe, expect, it } from "vitest";
import { EVENT_CAPACITY, EVENT_LAST, WINDOW_SIZE } from "../../assembly/layout.ts";
import type { Codec } from "../../src/codec/codec.ts";
import { Decoder } from "../../src/codec/decoder.ts";
import { encodeFrame, decodeFrameHeader } from "../../src/codec/frame.ts";
import { Outbox } from "../../src/codec/outbox.ts";
import { SlotDecoder } from "../helpers/slot-decoder.ts";
import type { Violation } from "../../src/codec/violation.ts";
import { noise } from "../helpers/bytes.ts";
import { eachBuild } from "../helpers/codecs.ts";
import { decodeChunks, reference, same, unlimited } from "../helpers/decoding.ts";
import { Peer, bytesOf, concat, frame, latin1, masked, readFrames } from "../helpers/wire.ts";

// A listener runs in the middle of a decode, and may use the codec for something else.

const limits = unlimited("server");
const peer = new Peer("server");

/** More frames than the event table holds, more bytes than the window: both are filled again in the middle. */
const outer = concat([
  ...Array.from({ length: EVENT_CAPACITY + 20 }, (_, i) => peer.text(`é${i}`)),
  peer.binary(noise(2 * WINDOW_SIZE)),
  ...Array.from({ length: 5 }, (_, i) => peer.ping(`p${i}`)),
]);
const expected = reference(outer, limits);

const inner = concat([
  ...Array.from({ length: EVENT_CAPACITY + 1 }, () => frame(2)),
  frame(1, "inner €"),
  frame(2, noise(WINDOW_SIZE + 9)),
]);
const innerExpected = reference(inner, unlimited("client"));

/** Everything that a listener may do with a codec: each must give its own answer, and leave the outer decode alone. */
const uses: readonly [string, (codec: Codec) => void][] = [
  [
    "decodes something else",
    (codec) => same(decodeChunks(codec, unlimited("client"), [inner]), innerExpected, "inner"),
  ],
  [
    "decodes something that breaks a rule",
    (codec) => {
      const bytes = concat([frame(1, "x"), frame(3)]);
      same(decodeChunks(codec, unlimited("client"), [bytes]), reference(bytes, unlimited("client")), "inner");
    },
  ],
  ["validates", (codec) => expect(codec.validateUtf8(bytesOf("é".repeat(40_000)))).toBe(true)],
  [
    "masks",
    (codec) => {
      const bytes = noise(WINDOW_SIZE + 1);
      same(codec.mask(bytes, Uint8Array.of(1, 2, 3, 4), 1), masked(bytes, [1, 2, 3, 4], 1), "masked");
    },
  ],
  ["answers a key", (codec) => expect(codec.acceptKey("dGhlIHNhbXBsZSBub25jZQ==")).toMatch(/^s3pPLMBi/)],
  ["makes base64", (codec) => expect(codec.base64(noise(3000))).toBe(Buffer.from(noise(3000)).toString("base64"))],
  [
    "writes and reads frames",
    (codec) => {
      const made = encodeFrame({ opcode: 2, payload: noise(300), maskingKey: Uint8Array.of(4, 3, 2, 1) }, codec);
      same(made, frame(2, noise(300), { key: [4, 3, 2, 1] }), "a frame");
      expect(decodeFrameHeader(made, 0, codec)?.payloadLength).toBe(300);
    },
  ],
  [
    "sends",
    (codec) => {
      const outbox = new Outbox(codec, () => 0x04030201);
      outbox.text("sent é");
      outbox.bytes(0x82, noise(20_000));
      const sent = readFrames(concat(outbox.take()));
      same(sent.map(({ payload }) => payload), [bytesOf("sent é"), noise(20_000)], "sent"); // prettier-ignore
    },
  ],
];

/** Decodes the outer stream; `use` runs inside some of the pieces, before the piece is read. */
function decodeOuter(codec: Codec, chunk: Uint8Array, use: () => void): void {
  const decoder = new SlotDecoder(codec, limits);
  const seen: { opcode: number; data: string; left: number }[] = [];
  let pieces = 0;
  decoder.decode(chunk, {
    piece(flags, source, at, length, left) {
      pieces++;
      // The first ones, one around each refill of the table, those of the long frame, and the last.
      if (pieces < 3 || Math.abs(pieces - EVENT_CAPACITY) < 2 || length > 100 || (flags & 0x0f) === 9) use();
      const data = latin1(source.subarray(at, at + length));
      const before = seen.at(-1);
      if (before && before.left > 0) Object.assign(before, { data: before.data + data, left });
      else seen.push({ opcode: flags & 0x0f, data, left });
      return true;
    },
    violation: ({ text }) => expect.fail(text),
  });
  decoder.free();
  same(seen, expected.events.map(({ opcode, data, left }) => ({ opcode, data, left })), "the outer events"); // prettier-ignore
}

describe.each(eachBuild)("inside a sink's call ($build)", ({ codec }) => {
  it.each(uses)("a listener that %s does not disturb the decode", (_, use) => {
    decodeOuter(codec, outer, () => use(codec));
  });

  it("all of them, one inside the other", () => {
    let depth = 0;
    const nest = (): void => {
      if (depth === 3) return;
      depth++;
      for (const [, use] of uses.slice(1)) use(codec);
      const bytes = concat([frame(1, `depth ${depth} é`), frame(9, "x"), frame(2, noise(700))]);
      const decoder = new Decoder({ role: "client", codec });
      const seen: Uint8Array[] = [];
      decoder.decode(bytes, {
        piece: ({ data }) => {
          nest();
          seen.push(data);
        },
      });
      decoder.free();
      expect(seen).toEqual([bytesOf(`depth ${depth} é`), bytesOf("x"), noise(700)]);
      depth--;
    };
    const short = concat([peer.text("é"), peer.binary(noise(200)), peer.pong("end")]);
    const wanted = reference(short, limits);
    const decoder = new SlotDecoder(codec, limits);
    const seen: string[] = [];
    decoder.decode(short, {
      piece(_flags, source, at, length) {
        nest();
        seen.push(latin1(source.subarray(at, at + length)));
        return true;
      },
      violation: ({ text }) => expect.fail(text),
    });
    decoder.free();
    expect(seen).toEqual(wanted.events.map(({ data }) => data));
  });

  it("the same when the outer chunk lies in the window", () => {
    const frames = Array.from({ length: 8 }, (_, i) => peer.text(`é${i}`));
    const chunk = concat(frames);
    const wanted = reference(chunk, limits).events.map(({ data }) => data);
    for (const [name, use] of uses) {
      codec.window.set(chunk, 77);
      const decoder = new SlotDecoder(codec, limits);
      const seen: string[] = [];
      decoder.decode(codec.window.subarray(77, 77 + chunk.length), {
        piece(_flags, source, at, length) {
          use(codec);
          seen.push(latin1(source.subarray(at, at + length)));
          return true;
        },
        violation: ({ text }) => expect.fail(text),
      });
      decoder.free();
      same(seen, wanted, name);
    }
  });

  it("decoders may be made and freed inside, the one at work included", () => {
    const before = codec.slotsTaken;
    const decoder = new SlotDecoder(codec, limits);
    const chunk = concat([peer.text("a"), peer.text("b"), peer.text("c")]);
    let pieces = 0;
    decoder.decode(chunk, {
      piece() {
        pieces++;
        const other = new SlotDecoder(codec, limits);
        expect(codec.slotsTaken).toBe(before + 2);
        other.free();
        if (pieces < 2) return true;
        decoder.free();
        return false;
      },
      violation: ({ text }) => expect.fail(text),
    });
    expect(pieces).toBe(2);
    expect(codec.slotsTaken).toBe(before);
  });

  it("a listener that throws leaves a codec that works", () => {
    const decoder = new SlotDecoder(codec, limits);
    const thrown = new Error("from a listener");
    const sink = {
      piece(flags: number): boolean {
        if (flags & EVENT_LAST) throw thrown;
        return true;
      },
      violation: ({ text }: Violation) => expect.fail(text),
    };
    for (let i = 0; i < 3; i++) expect(() => decoder.decode(peer.text(`${i}`), sink)).toThrow(thrown);
    decoder.free();
    decodeOuter(codec, outer, () => codec.validateUtf8(bytesOf("é")));
    // Not taken for a call from inside any more: a host's window would be put back behind the next call.
    codec.window.fill(1);
    codec.base64(noise(10));
    expect(codec.window.subarray(0, 10)).toEqual(noise(10));
  });
});
