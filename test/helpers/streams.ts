import type { DecoderLimits } from "../../src/codec/slot-decoder.ts";
import { unlimited } from "./decoding.ts";
import { malformed, validTexts } from "./utf8.ts";
import { Peer, concat, frame, type Content, type Role } from "./wire.ts";

export interface Stream {
  name: string;
  bytes: Uint8Array;
  limits: DecoderLimits;
}

type Row = readonly [name: string, frames: (peer: Peer) => Uint8Array[], limits?: Partial<DecoderLimits>];

const mixed = "é你😀 a";
const sizes = [0, 1, 2, 3, 5, 8, 16, 17, 33, 125, 126, 127];
const letters = (length: number): string => "abcdefghijklmnopqrstuvwxyz".repeat(10).slice(0, length);
const bytes = (length: number): number[] => Array.from({ length }, (_, i) => (i * 37 + 250) & 0xff);

const valid: readonly Row[] = [
  ["nothing", () => []],
  ...sizes.flatMap((size): Row[] => [
    [`text of ${size} bytes`, (peer) => [peer.text(letters(size))]],
    [`binary of ${size} bytes`, (peer) => [peer.binary(bytes(size))]],
  ]),
  ...[0, 1, 125].map((size): Row => [`ping and pong of ${size} bytes`, (peer) => [peer.ping(bytes(size)), peer.pong(bytes(size))]]), // prettier-ignore
  ...validTexts.map((text): Row => [`the text ${JSON.stringify(text)}`, (peer) => [peer.text(text)]]),
  [
    "a text in fragments of one byte",
    (peer) =>
      peer.fragments(
        1,
        [...Buffer.from(mixed)].map((byte) => [byte]),
      ),
  ],
  ["binary that is no UTF-8", (peer) => [peer.binary([0xff, 0xc0, 0x80]), ...peer.fragments(2, [[0xf0], [0xf0]])]],
  ["three messages", (peer) => [peer.text("one"), peer.binary([2]), peer.text("drei €")]],
  ["fragments, some of them empty", (peer) => peer.fragments(1, ["", "Hel", "", "", "lo", ""])],
  ["a message of two empty fragments", (peer) => peer.fragments(2, ["", ""])],
  [
    "control frames between fragments",
    (peer) => {
      const [first, second, third] = peer.fragments(1, ["é".repeat(3), "\u{1f600}", "!"]) as [Uint8Array, Uint8Array, Uint8Array]; // prettier-ignore
      return [first, peer.ping("p"), second, peer.pong(""), peer.ping(bytes(125)), third];
    },
  ],
  ["a Close with a reason, and a frame behind it", (peer) => [peer.close(1000, "gone, très loin"), peer.text("late")]],
  ["keys of zeros, of ones, and of zeros and ones", (peer) => [[0, 0, 0, 0], [255, 255, 255, 255], [0, 255, 0, 255]].map((key) => peer.text("Schlüssel", peer.role === "server" ? { key } : {}))], // prettier-ignore
  ["a message at maxLength", (peer) => peer.fragments(2, [bytes(6), bytes(4)]), { maxLength: 10 }],
  ["as many fragments as are allowed", (peer) => peer.fragments(2, ["a", "b", "c"]), { maxFragments: 3 }],
  ["sixteen empty fragments, twice", (peer) => peer.fragments(1, [...Array<string>(16).fill(""), "a", ...Array<string>(16).fill(""), "b"])], // prettier-ignore
  ["all reserved bits, each allowed", (peer) => [0x10, 0x20, 0x40, 0x70].map((rsv) => peer.text([0xff, rsv], { rsv })), { allowedRsv: 0x70 }], // prettier-ignore
  [
    "a reserved bit on the first fragment only",
    (peer) => [peer.text([0xc1], { fin: false, rsv: 0x40 }), peer.ping(), peer.continuation([0xff])],
    { allowedRsv: 0x40 },
  ],
];

/** What breaks a rule by itself, wherever it stands outside an unfinished message. */
const broken: readonly Row[] = [
  ...[0x10, 0x20, 0x40, 0x30, 0x50, 0x60, 0x70].map((rsv): Row => [`reserved bits ${rsv.toString(16)}`, (peer) => [peer.text("r", { rsv })]]), // prettier-ignore
  ["a reserved bit on a ping", (peer) => [peer.ping("r", { rsv: 0x40 })], { allowedRsv: 0x40 }],
  ["one reserved bit too many", (peer) => [peer.text("r", { rsv: 0x60 })], { allowedRsv: 0x40 }],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Row => [
    `opcode ${opcode}`,
    (peer) => [peer.frame(opcode, "x")],
  ]),
  ["the wrong masking", (peer) => [frame(1, "x", peer.role === "server" ? {} : { key: [1, 2, 3, 4] })]],
  ["a length of 125 in 16 bits", (peer) => [peer.binary(bytes(125), { form: 16 })]],
  ["a length of 0 in 16 bits", (peer) => [peer.binary("", { form: 16 })]],
  ["a length of 65535 in 64 bits", (peer) => [peer.binary("", { form: 64, announced: 65535n })]],
  ["the top bit of a length", (peer) => [peer.binary("", { announced: 1n << 63n })]],
  ["a ping of 126 bytes", (peer) => [peer.ping(bytes(126))]],
  ["a pong that announces 64 bits", (peer) => [peer.pong("", { announced: 1n << 40n })]],
  ["a fragmented ping", (peer) => [peer.ping("x", { fin: false })]],
  ["a fragmented Close", (peer) => [peer.close(1000, "", { fin: false })]],
  ["a continuation of nothing", (peer) => [peer.continuation("x")]],
  ["a first continuation of nothing", (peer) => [peer.continuation("x", { fin: false })]],
  ["a length over 2^53", (peer) => [peer.binary("", { announced: (1n << 53n) + 1n })]],
  ["one byte over maxLength", (peer) => [peer.text(letters(101))], { maxLength: 100 }],
  ["one byte over maxLength in the last fragment", (peer) => peer.fragments(2, [bytes(60), bytes(40), "x"]), { maxLength: 100 }], // prettier-ignore
  ["one fragment too many", (peer) => peer.fragments(2, ["a", "b", "c", "d"]), { maxFragments: 3 }],
  ["seventeen empty fragments", (peer) => peer.fragments(1, [...Array<string>(17).fill(""), "a"])],
  ["a new text inside a message", (peer) => [peer.text("x", { fin: false }), peer.text("y")]],
  ["a new binary inside a message", (peer) => [peer.text("é", { fin: false }), peer.ping(), peer.binary("y")]],
  ...malformed.map(([name, bad]): Row => [`text with ${name}`, (peer) => [peer.text([...Buffer.from("ok é "), ...bad, 0x20])]]), // prettier-ignore
  ...malformed.map(([name, bad]): Row => [`text in fragments with ${name}`, (peer) => peer.fragments(1, ["fine", ...bad.map((byte): Content => [byte]), "?"])]), // prettier-ignore
  ...[1, 2, 3].map((length): Row => [`text cut in a character of four bytes, behind ${length}`, (peer) => [peer.text(Buffer.from("a😀").subarray(0, 1 + length))]]), // prettier-ignore
  ["fragments that end inside a character", (peer) => peer.fragments(1, ["a", [0xe4], [0xbd], ""])],
];

/** Behind a violation nothing is looked at. */
const junk = Uint8Array.from([0xff, 0x00, 0x81, 0x85, 0x01]);

/** Byte streams of every kind, valid and not, for the one who decodes in this role. */
export function streams(role: Role): Stream[] {
  const made = (name: string, row: Row, around: (frames: Uint8Array[], peer: Peer) => Uint8Array[]): Stream => {
    const peer = new Peer(role);
    return { name, bytes: concat(around(row[1](peer), peer)), limits: { ...unlimited(role), ...row[2] } };
  };
  return [
    ...valid.map((row) => made(row[0], row, (frames) => frames)),
    // Ends inside a header of each form, and inside a payload.
    ...[1, 2, 3, 5, 9, 13].map((kept) => {
      const announced = { announced: 1n << 20n };
      const row: Row = ["", (peer) => [peer.text("behind it "), peer.binary("never all of it", announced)]];
      const { bytes: stream, ...rest } = made(`a stream that ends ${kept} bytes into a frame`, row, (frames) => frames);
      const start = readStart(stream);
      return { ...rest, bytes: stream.subarray(0, start + kept) };
    }),
    ...[3, 10, 20].map((kept) => {
      const row: Row = ["", (peer) => [peer.text("first"), peer.text("the second is cut: é😀")]];
      const { bytes: stream, ...rest } = made(`a text that ends ${kept} bytes early`, row, (frames) => frames);
      return { ...rest, bytes: stream.subarray(0, stream.length - kept) };
    }),
    ...broken.flatMap((row) => [
      made(row[0], row, (frames) => frames),
      made(`${row[0]}, with others around it`, row, (frames, peer) => [
        peer.text("vor€"),
        peer.ping("p"),
        ...frames,
        junk,
        peer.text("behind"),
      ]),
    ]),
  ];
}

/** Where the second of two frames starts, the first of which is short. */
function readStart(stream: Uint8Array): number {
  return 2 + (stream[1]! & 0x80 ? 4 : 0) + (stream[1]! & 0x7f);
}
