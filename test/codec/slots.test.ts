import { afterEach, describe, expect, it } from "vitest";
import { SLOT_COUNT } from "../../assembly/layout.ts";
import { ConnectionError, Decoder } from "../../src/codec/index.ts";
import { SlotDecoder } from "../helpers/slot-decoder.ts";
import { noise } from "../helpers/bytes.ts";
import { eachBuild } from "../helpers/codecs.ts";
import { reference, same, unlimited } from "../helpers/decoding.ts";
import { Peer, concat, frame, latin1 } from "../helpers/wire.ts";

/** All of them but slot 0, which says "none". */
const ALL = SLOT_COUNT - 1;

describe.each(eachBuild)("slots ($build)", ({ codec }) => {
  const open: SlotDecoder[] = [];
  const take = (count: number): void => {
    for (let i = 0; i < count; i++) open.push(new SlotDecoder(codec, unlimited("client")));
  };
  const give = (count: number): void => open.splice(-count).forEach((decoder) => decoder.free());
  afterEach(() => give(open.length));

  it("200,000 decoders, opened and freed in waves, use the same slots again", () => {
    const before = codec.slotsTaken;
    let opened = 0;
    // The waves differ, and some decoders stay from one to the next.
    for (let wave = 0; opened < 200_000; wave++) {
      const count = 10_000 + 7_919 * (wave % 4);
      take(count);
      opened += count;
      expect(codec.slotsTaken).toBe(before + open.length);
      give(open.length - 100 * (wave % 3));
      expect(codec.slotsTaken).toBe(before + open.length);
    }
    // More than there are, so slots came back; and none was lost or handed out twice, since now all can be had.
    expect(opened).toBeGreaterThan(SLOT_COUNT);
    give(open.length);
    take(ALL - before);
    expect(codec.slotsTaken).toBe(ALL);
    give(open.length);
    expect(codec.slotsTaken).toBe(before);
  });

  it("a decoder that is freed by its own callback reports nothing more, then or later", () => {
    const before = codec.slotsTaken;
    const decoder = new Decoder({ role: "client", codec });
    const pieces: string[] = [];
    const callbacks = {
      piece: ({ data }: { data: Uint8Array }): void => {
        pieces.push(latin1(data));
        decoder.free();
      },
    };
    const one = frame(1, "one");
    decoder.decode(concat([one, one]), callbacks);
    decoder.decode(one, callbacks);
    expect(pieces).toEqual(["one"]);
    expect(codec.slotsTaken).toBe(before);
  });

  it("one more than there are is refused, clearly, until one is freed", () => {
    const before = codec.slotsTaken;
    take(ALL - before);
    for (const more of [
      () => new SlotDecoder(codec, unlimited("server")),
      () => new Decoder({ role: "server", codec }),
    ]) {
      expect(more).toThrow(ConnectionError);
      const message = expect.stringMatching(/131071 decoder slots.*taken/);
      expect(more).toThrow(expect.objectContaining({ code: "ERR_NO_SLOT", message }));
    }
    expect(codec.slotsTaken).toBe(ALL);
    // The last slot works like any other, and so does the one that was given back.
    expect(decoded(open.at(-1)!)).toBe("from the last slot");
    give(1);
    take(1);
    expect(codec.slotsTaken).toBe(ALL);
    expect(decoded(open.at(-1)!)).toBe("from the last slot");
    expect(() => new SlotDecoder(codec, unlimited("client"))).toThrow("taken");
    give(open.length);
    expect(codec.slotsTaken).toBe(before);
  });

  it("freeing twice does no harm", () => {
    const before = codec.slotsTaken;
    const first = new Decoder({ role: "client", codec });
    take(1);
    first.free();
    first.free();
    expect(codec.slotsTaken).toBe(before + 1);
    // Had the slot gone into the list twice, these two would be one.
    take(2);
    first.free();
    const [, third, fourth] = open as [SlotDecoder, SlotDecoder, SlotDecoder];
    const half = frame(2, "from the last slot");
    decodeInto(third, half.subarray(0, 5));
    expect(decoded(fourth)).toBe("from the last slot");
    expect(decodeInto(third, half.subarray(5))).toBe("m the last slot");
    expect(codec.slotsTaken).toBe(before + 3);
  });

  it("a slot that is used again has nothing left of its last owner", () => {
    const peer = new Peer("server");
    // Left in the middle of a header, of a payload, of a character, of a message, at a limit, and failed.
    const [fragment] = peer.fragments(1, ["é", ""]) as [Uint8Array];
    const leftovers = [
      peer.binary(noise(300)).subarray(0, 3),
      peer.binary(noise(300)).subarray(0, 20),
      peer.text("aé").subarray(0, 8),
      fragment,
      concat([fragment, peer.ping("x").subarray(0, 1)]),
      peer.frame(5),
    ];
    const fresh = concat([...peer.fragments(1, ["é", "", "b"]), peer.binary(noise(40)), peer.close(1000)]);
    const expected = reference(fresh, unlimited("server"));
    for (const leftover of leftovers) {
      const strict = { role: "server" as const, maxLength: 400, maxFragments: 1, allowedRsv: 0x40 };
      const owner = new SlotDecoder(codec, strict);
      owner.decode(leftover, { piece: () => true, violation: () => undefined });
      owner.free();
      const next = new SlotDecoder(codec, unlimited("server"));
      let seen = "";
      next.decode(fresh, {
        piece: (_flags, source, at, length) => {
          seen += latin1(source.subarray(at, at + length));
          return true;
        },
        violation: ({ text }) => expect.fail(text),
      });
      next.free();
      same(seen, expected.events.map(({ data }) => data).join(""), "behind a leftover");
    }
  });
});

function decodeInto(decoder: SlotDecoder, bytes: Uint8Array): string {
  let seen = "";
  decoder.decode(bytes, {
    piece: (_flags, source, at, length) => {
      seen += latin1(source.subarray(at, at + length));
      return true;
    },
    violation: ({ text }) => expect.fail(text),
  });
  return seen;
}

const decoded = (decoder: SlotDecoder): string => decodeInto(decoder, frame(2, "from the last slot"));
