import { fails, stays } from "../../helpers/outcome.ts";
import { frameHeader, type Peer } from "../../helpers/wire.ts";
import type { Case, Section } from "../case.ts";

const part = { fin: false };
const x = (length: number): string => "x".repeat(length);
const header = (peer: Peer, opcode: number, length: number | bigint, fin = true): Uint8Array =>
  frameHeader(opcode, BigInt(length), { fin, key: peer.role === "server" ? [1, 2, 3, 4] : undefined });

export const sections: readonly Section[] = [
  {
    title: "maxLength, over all of a message (seed defect 3)",
    cases: [
      ...[0, 1, 10, 125, 126, 200].flatMap((maxLength): Case[] => [
        {
          name: `${maxLength}: so many bytes in one frame`,
          frames: (peer) => [peer.text(x(maxLength)), peer.binary(x(maxLength))],
          expected: stays(["text", x(maxLength)], ["binary", x(maxLength)]),
          limits: { maxLength },
        },
        {
          name: `${maxLength}: one byte more: 1009`,
          frames: (peer) => [peer.text(x(maxLength)), peer.binary(x(maxLength + 1)), peer.text("")],
          expected: fails(1009, ["text", x(maxLength)]),
          limits: { maxLength },
        },
        {
          name: `${maxLength}: so many bytes across fragments`,
          frames: (peer) => peer.fragments(2, [x(maxLength >> 1), "", x(maxLength - (maxLength >> 1)), ""]),
          expected: stays(["binary", x(maxLength)]),
          limits: { maxLength },
        },
        {
          name: `${maxLength}: one byte more in the last fragment: 1009`,
          frames: (peer) => [
            ...peer.fragments(1, [x(maxLength >> 1), x(maxLength - (maxLength >> 1)), "x"]),
            peer.ping(),
          ],
          expected: fails(1009),
          limits: { maxLength },
        },
      ]),
      {
        name: "at the header: no byte of what is too long is waited for",
        frames: (peer) => [header(peer, 1, 11)],
        expected: fails(1009),
        limits: { maxLength: 10 },
      },
      {
        name: "at the header of a fragment",
        frames: (peer) => [peer.binary(x(6), part), peer.ping("p"), header(peer, 0, 5, false)],
        expected: fails(1009, ["ping", "p"]),
        limits: { maxLength: 10 },
      },
      {
        name: "the count is of bytes, not of characters",
        frames: (peer) => [peer.text("é".repeat(5)), peer.text("é".repeat(6))],
        expected: fails(1009, ["text", "é".repeat(5)]),
        limits: { maxLength: 11 },
      },
      {
        name: "control frames do not count",
        frames: (peer) => [peer.binary(x(5), part), peer.ping(x(125)), peer.pong(x(125)), peer.continuation(x(5))],
        expected: stays(["ping", x(125)], ["pong", x(125)], ["binary", x(10)]),
        limits: { maxLength: 10 },
      },
      {
        name: "the count starts again with each message",
        frames: (peer) => [peer.text(x(10)), ...peer.fragments(2, [x(9), x(1)]), peer.text(x(10)), peer.text(x(11))],
        expected: fails(1009, ["text", x(10)], ["binary", x(10)], ["text", x(10)]),
        limits: { maxLength: 10 },
      },
      // Never truncated to 32 bits. Nobody sends so much: the headers alone tell.
      ...[2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER].flatMap((maxLength): Case[] => [
        {
          name: `${maxLength}: so many bytes may be announced`,
          frames: (peer) => [header(peer, 2, maxLength)],
          expected: stays(),
          limits: { maxLength },
          isCut: true,
        },
        {
          name: `${maxLength}: one more may not`,
          frames: (peer) => [header(peer, 2, BigInt(maxLength) + 1n)],
          expected: fails(1009),
          limits: { maxLength },
        },
        {
          name: `${maxLength}: so many may be announced across fragments`,
          frames: (peer) => [peer.binary(x(7), part), header(peer, 0, maxLength - 7)],
          expected: stays(),
          limits: { maxLength },
          isCut: true,
        },
        {
          name: `${maxLength}: one more across fragments may not`,
          frames: (peer) => [peer.binary(x(7), part), header(peer, 0, maxLength - 6)],
          expected: fails(1009),
          limits: { maxLength },
        },
      ]),
      {
        name: "by default 67,108,863 bytes, the seed's #x3ffffff",
        frames: (peer) => [header(peer, 2, 0x3ffffff)],
        expected: stays(),
        isCut: true,
      },
      { name: "by default not one more", frames: (peer) => [header(peer, 2, 0x4000000)], expected: fails(1009) },
    ],
  },
  {
    title: "maxFragments",
    cases: [
      {
        name: "1: whole messages alone",
        frames: (peer) => [peer.text("a"), peer.binary("b"), peer.text("c", part), peer.continuation("d")],
        expected: fails(1008, ["text", "a"], ["binary", "b"]),
        limits: { maxFragments: 1 },
      },
      {
        name: "3: so many, with control frames between them, message after message",
        frames: (peer) => [...peer.fragments(1, ["a", "b", "c"]), ...peer.fragments(2, ["d", "e", "f"])].flatMap((frame) => [frame, peer.pong()]), // prettier-ignore
        expected: stays(["pong", ""], ["pong", ""], ["text", "abc"], ["pong", ""], ["pong", ""], ["pong", ""], ["binary", "def"], ["pong", ""]), // prettier-ignore
        limits: { maxFragments: 3 },
      },
      {
        name: "3: one more, though it is the last and empty: 1008",
        frames: (peer) => [...peer.fragments(1, ["a", "b", "c", ""]), peer.text("never")],
        expected: fails(1008),
        limits: { maxFragments: 3 },
      },
      {
        name: "3: at the header of the fourth",
        frames: (peer) => [...peer.fragments(1, ["a", "b", "c", "d"]).slice(0, 3), header(peer, 0, 1000)],
        expected: fails(1008),
        limits: { maxFragments: 3 },
      },
    ],
  },
];
