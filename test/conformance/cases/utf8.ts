import { hex } from "../../helpers/bytes.ts";
import { fails, stays } from "../../helpers/outcome.ts";
import { judge, malformed, validTexts } from "../../helpers/utf8.ts";
import { bytesOf, concat } from "../../helpers/wire.ts";
import type { Case, Section } from "../case.ts";

const single = (bytes: Uint8Array): Uint8Array[] => [...bytes].map((byte) => Uint8Array.of(byte));
const cutShort = validTexts.map(bytesOf).flatMap((bytes) => {
  // Ends inside its last character of more than one byte.
  const at = bytes.findLastIndex((byte) => byte >= 0xc0);
  return at < 0 ? [] : [bytes.subarray(0, at + 1)];
});

export const sections: readonly Section[] = [
  {
    title: "RFC 6455 §8.1: text that is UTF-8",
    cases: [
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
        frames: (peer) =>
          peer.fragments(1, single(bytesOf("é€😀"))).flatMap((fragment) => [peer.pong([0xff]), fragment]),
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
    ],
  },
  {
    title: "§8.1: text that is not: 1007",
    cases: [
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
    ],
  },
];
