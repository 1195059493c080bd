import { describe, expect, it } from "vitest";
import { hex } from "../../helpers/bytes.ts";
import { codecs } from "../../helpers/codecs.ts";
import { same } from "../../helpers/decoding.ts";
import { Session, conform, fails, roles, stays, type Case } from "../../helpers/conformance.ts";
import { judge, malformed, validTexts } from "../../helpers/utf8.ts";
import { Peer, bytesOf, concat } from "../../helpers/wire.ts";

const part = { fin: false };
const single = (bytes: Uint8Array): Uint8Array[] => [...bytes].map((byte) => Uint8Array.of(byte));
const cutShort = validTexts.map(bytesOf).flatMap((bytes) => {
  // Ends inside its last character of more than one byte.
  const at = bytes.findLastIndex((byte) => byte >= 0xc0);
  return at < 0 ? [] : [bytes.subarray(0, at + 1)];
});

conform("RFC 6455 §8.1: text that is UTF-8", [
  ...validTexts.flatMap((text): Case[] => [
    { name: `${JSON.stringify(text)} whole`, frames: (peer) => [peer.text(text)], expected: stays(["text", text]) },
    {
      name: `${JSON.stringify(text)} in fragments of one byte, thus inside its characters`,
      frames: (peer) => (text === "" ? [peer.text()] : peer.fragments(1, single(bytesOf(text)))),
      expected: stays(["text", text]),
    },
  ]),
  {
    name: "characters cut by fragments with control frames between",
    frames: (peer) => peer.fragments(1, single(bytesOf("é€😀"))).flatMap((fragment) => [peer.pong([0xff]), fragment]),
    expected: stays(...bytesOf("é€😀").reduce<["pong", string][]>((all) => [...all, ["pong", "\u00ff"]], []), [
      "text",
      "é€😀",
    ]),
  },
  {
    name: "a byte order mark is part of the message",
    frames: (peer) => [peer.text("\ufeffmarked"), ...peer.fragments(1, ["\ufeff", "twice \ufeff"])],
    expected: stays(["text", "\ufeffmarked"], ["text", "\ufefftwice \ufeff"]),
  },
  {
    name: "noncharacters are characters here",
    frames: (peer) => [peer.text("\ufffe\uffff\ufdd0\u{1fffe}\u{10ffff}")],
    expected: stays(["text", "\ufffe\uffff\ufdd0\u{1fffe}\u{10ffff}"]),
  },
  {
    name: "binary messages and control frames need not be UTF-8",
    frames: (peer) => [peer.binary([0xff, 0xc0]), ...peer.fragments(2, [[0xed], [0xa0]]), peer.ping([0x80])],
    expected: stays(["binary", "\u00ff\u00c0"], ["binary", "\u00ed\u00a0"], ["ping", "\u0080"]),
  },
]);

conform("§8.1: text that is not: 1007", [
  ...malformed.flatMap(([name, bad]): Case[] => [
    { name: `${name}, alone`, frames: (peer) => [peer.text(bad)], expected: fails(1007) },
    {
      name: `${name}, within other text and behind a valid message`,
      frames: (peer) => [
        peer.text("é"),
        peer.text(concat([bytesOf("κόσμε"), Uint8Array.from(bad), bytesOf("edited")])),
      ],
      expected: fails(1007, ["text", "é"]),
    },
    {
      name: `${name}, in fragments of one byte, with pings between`,
      frames: (peer) => {
        // Those up to the bad byte are answered, and no more.
        const { badAt } = judge(bad);
        const fragments = peer.fragments(1, [...bad.slice(0, badAt! + 1).map((byte) => [byte]), [0x61]]);
        return fragments.flatMap((fragment, i) => (i < badAt! ? [fragment, peer.ping()] : [fragment]));
      },
      expected: fails(1007, ...Array.from({ length: judge(bad).badAt! }, () => ["ping", ""] as const)),
    },
  ]),
  ...cutShort.flatMap((bytes): Case[] => [
    {
      name: `a message that ends inside a character: …${hex(bytes.subarray(-3))}`,
      frames: (peer) => [peer.text(bytes), peer.text("never")],
      expected: fails(1007),
    },
    {
      name: `the same, ended by an empty fragment: …${hex(bytes.subarray(-3))}`,
      frames: (peer) => [...peer.fragments(1, [bytes, ""]), peer.text("never")],
      expected: fails(1007),
    },
  ]),
]);

describe("§8.1: the bad byte is told at once", () => {
  /** The first bytes of a text whose frame announces more than will come. */
  const announced = (peer: Peer, text: Uint8Array, fragmented: boolean): Uint8Array => {
    const whole = peer.frame(fragmented ? 0 : 1, concat([text, new Uint8Array(100)]));
    return whole.subarray(0, whole.length - 100);
  };

  describe.each(roles)("as a %s", (role) => {
    it.each(malformed)("%s", (_, bad) => {
      let turn = 0;
      for (const head of ["", "plain text of more than sixteen bytes ", "é€😀"]) {
        const text = concat([bytesOf(head), Uint8Array.from(bad), bytesOf("!")]);
        const badAt = judge(text).badAt!;
        for (const fragmented of [false, true]) {
          const codec = codecs[turn++ % codecs.length]!;
          const peer = new Peer(role);
          const session = new Session(role, { codec });
          if (fragmented) session.receive([peer.text("ü", part), peer.ping()]);
          const bytes = announced(peer, text, fragmented);
          const start = bytes.length - text.length;
          const clone = [...bytes];
          session.receive([bytes.subarray(0, start)]);
          for (let i = 0; i < text.length; i++) {
            const what = `${codec.build}, byte ${i}, behind ${JSON.stringify(head)}, ${fragmented}`;
            session.receive([Uint8Array.of(clone[start + i]!)]);
            same(session.protocol.readyState, i < badAt ? "open" : "closing", what);
          }
          const expected = fragmented ? fails(1007, ["ping", ""]) : fails(1007);
          same(session.end(), expected, codec.build);
        }
      }
    });

    it("in the very chunk that holds it, though the frame goes on", () => {
      for (const codec of codecs) {
        for (const [name, bad] of malformed) {
          const session = new Session(role, { codec });
          session.receive([announced(new Peer(role), concat([bytesOf("fine €"), Uint8Array.from(bad)]), false)]);
          same(session.end(), fails(1007), `${codec.build}, ${name}`);
        }
      }
    });

    it("and a valid prefix never fails, wherever it ends", () => {
      for (const codec of codecs) {
        for (const text of validTexts) {
          const bytes = bytesOf(text);
          for (let kept = 0; kept <= bytes.length; kept++) {
            const session = new Session(role, { codec });
            session.receive([announced(new Peer(role), bytes.subarray(0, kept), false)]);
            same(session.end(), stays(), `${codec.build}, ${kept} bytes of ${text}`);
          }
        }
      }
    });
  });
});

describe("long texts", () => {
  it.each(roles)("a bad byte anywhere in 100,000 is found in its chunk (%s)", (role) => {
    const text = bytesOf("aé€😀".repeat(10_000));
    for (const [i, at] of [0, 1, 15, 16, 17, 4095, 65_535, 65_536, 65_537, 99_999].entries()) {
      const bytes = text.slice();
      bytes[at] = 0xff;
      const session = new Session(role, { codec: codecs[i % codecs.length]! });
      session.receive([new Peer(role).text(bytes)]);
      same(session.end(), fails(1007), `at ${at}`);
    }
    const session = new Session(role);
    session.receive([new Peer(role).text(text)]);
    expect(session.messages[0] === Buffer.from(text).toString()).toBe(true);
    session.end();
  });
});
