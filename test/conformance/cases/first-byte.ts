import { fails, stays } from "../../helpers/outcome.ts";
import type { Case, Section } from "../case.ts";

const allRsv = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70];
const bits = (rsv: number): string => [0x40, 0x20, 0x10].map((bit, i) => (rsv & bit ? `RSV${i + 1}` : "")).join("");
const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
const reversed = (text: string): Uint8Array => new Uint8Array(Buffer.from(text).reverse());

export const sections: readonly Section[] = [
  {
    title: "RFC 6455 §5.2: reserved bits without an extension for them",
    cases: [
      ...allRsv.flatMap((rsv): Case[] => [
        ...[1, 2, 8, 9, 10].map((opcode): Case => ({
          name: `${bits(rsv)} on opcode ${opcode}: 1002`,
          frames: (peer) => [peer.frame(opcode, "", { rsv })],
          expected: fails(1002),
        })),
        {
          name: `${bits(rsv)} on a text with a payload`,
          frames: (peer) => [peer.text("Hello", { rsv })],
          expected: fails(1002),
        },
        {
          name: `${bits(rsv)} behind a valid message and a ping, and in front of others`,
          frames: (peer) => [
            peer.text("é"),
            peer.ping("p"),
            peer.binary("x", { rsv }),
            peer.text("never"),
            peer.ping(),
          ],
          expected: fails(1002, ["text", "é"], ["ping", "p"]),
        },
        {
          name: `${bits(rsv)} on a continuation`,
          frames: (peer) => [peer.text("a", { fin: false }), peer.continuation("b", { rsv })],
          expected: fails(1002),
        },
        {
          name: `${bits(rsv)} on a ping between fragments`,
          frames: (peer) => [peer.text("a", { fin: false }), peer.ping("", { rsv }), peer.continuation("b")],
          expected: fails(1002),
        },
      ]),
    ],
  },
  {
    title: "§5.2, §9: reserved bits that an extension has taken",
    cases: [
      {
        name: "its bit on a text, a binary, and neither",
        frames: (peer) => [
          peer.text(reversed("Grüße"), { rsv: 0x40 }),
          peer.binary([1, 2], { rsv: 0x40 }),
          peer.text("plain"),
        ],
        expected: stays(["text", "Grüße"], ["binary", "\u0002\u0001"], ["text", "plain"]),
        extension: "reversing",
      },
      {
        name: "its bit on the first fragment counts for the message; control frames come between",
        frames: (peer) => [
          peer.text(reversed("é€😀").subarray(0, 2), { fin: false, rsv: 0x40 }),
          peer.ping("now"),
          peer.continuation(reversed("é€😀").subarray(2, 5), { fin: false }),
          peer.continuation(reversed("é€😀").subarray(5)),
        ],
        expected: stays(["ping", "now"], ["text", "é€😀"]),
        extension: "reversing",
      },
      {
        name: "its bit on an empty message",
        frames: (peer) => [peer.text("", { rsv: 0x40 })],
        expected: stays(["text", ""]),
        extension: "reversing",
      },
      {
        name: "its bit on a continuation: 1002",
        frames: (peer) => [peer.text("", { fin: false, rsv: 0x40 }), peer.continuation("b", { rsv: 0x40 })],
        expected: fails(1002),
        extension: "reversing",
      },
      ...[8, 9, 10].map((opcode): Case => ({
        name: `its bit on the control frame ${opcode}: 1002`,
        frames: (peer) => [peer.frame(opcode, "", { rsv: 0x40 })],
        expected: fails(1002),
        extension: "reversing",
      })),
      ...[0x10, 0x20, 0x30, 0x50, 0x60, 0x70].map((rsv): Case => ({
        name: `${bits(rsv)}, of which it has not taken all: 1002`,
        frames: (peer) => [peer.text("x", { rsv })],
        expected: fails(1002),
        extension: "reversing",
      })),
      {
        name: "§8.1: what it decodes must be UTF-8: 1007",
        frames: (peer) => [peer.text("fine"), peer.text([0x28, 0xc3], { rsv: 0x40 }), peer.text("never")],
        expected: fails(1007, ["text", "fine"]),
        extension: "reversing",
      },
      {
        name: "what is not decoded yet need not be UTF-8, in fragments either",
        frames: (peer) => [
          peer.text([0xa9], { fin: false, rsv: 0x40 }),
          peer.continuation([0xc3]),
          peer.text([0xac, 0x82, 0xe2], { rsv: 0x40 }),
        ],
        expected: stays(["text", "é"], ["text", "€"]),
        extension: "reversing",
      },
    ],
  },
  {
    title: "§5.2, §11.8: reserved opcodes",
    cases: [
      ...reserved.flatMap((opcode): Case[] => [
        { name: `${opcode} alone: 1002`, frames: (peer) => [peer.frame(opcode)], expected: fails(1002) },
        { name: `${opcode} with a payload: 1002`, frames: (peer) => [peer.frame(opcode, "hi")], expected: fails(1002) },
        {
          name: `${opcode} between valid messages`,
          frames: (peer) => [peer.text("Hello"), peer.frame(opcode, "x"), peer.text("never"), peer.ping("never")],
          expected: fails(1002, ["text", "Hello"]),
        },
        {
          name: `${opcode} as a fragment, and inside a message`,
          frames: (peer) => [peer.text("a", { fin: false }), peer.frame(opcode, "x", { fin: false })],
          expected: fails(1002),
        },
      ]),
    ],
  },
];
