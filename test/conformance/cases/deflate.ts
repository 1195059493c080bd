import { constants, deflateRawSync } from "node:zlib";
import { noise } from "../../helpers/bytes.ts";
import { closes, fails, stays } from "../../helpers/outcome.ts";
import { bytesOf, concat, latin1, type Content } from "../../helpers/wire.ts";
import type { Case, Section } from "../case.ts";

const RSV1 = 0x40;
const compressed = { rsv: RSV1 };

/** A message as zlib makes it (RFC 7692 §7.2.1). */
const deflated = (content: Content, options: object = {}): Uint8Array =>
  deflateRawSync(bytesOf(content), { finishFlush: constants.Z_SYNC_FLUSH, ...options }).subarray(0, -4);

/** Stored blocks: longer than what is in them. */
const stored = (content: Content): Uint8Array => deflated(content, { level: 0 });

const parts = (bytes: Uint8Array, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => bytes.subarray((i * bytes.length) / count, ((i + 1) * bytes.length) / count));
/** A compressed message in so many fragments: RSV1 stands on the first (§6). */
const inFragments = (count: number, content: Content) => (peer: Parameters<Case["frames"]>[0]) =>
  parts(deflated(content), count).map((part, i) =>
    peer.frame(i === 0 ? 1 : 0, part, { fin: i === count - 1, rsv: i === 0 ? RSV1 : 0 }),
  );

const hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const long = "Ein längerer Text, der sich wiederholt, der sich wiederholt. ".repeat(50);
/** A thousand times as long as it looks. */
const bomb = deflated(new Uint8Array(1 << 20));

const section = (title: string, those: readonly Omit<Case, "extension">[]): Section => ({
  title,
  cases: those.map((one) => ({ ...one, extension: "deflate" })),
});

export const sections: readonly Section[] = [
  section("RFC 7692 §7.2.3: its examples", [
    {
      name: "a message of one block (§7.2.3.1)",
      frames: (peer) => [peer.text(hello, compressed)],
      expected: stays(["text", "Hello"]),
    },
    {
      name: "in two fragments (§7.2.3.1)",
      frames: (peer) => [
        peer.text(hello.slice(0, 3), { ...compressed, fin: false }),
        peer.continuation(hello.slice(3)),
      ],
      expected: stays(["text", "Hello"]),
    },
    {
      name: "the window goes on (§7.2.3.2)",
      frames: (peer) => [peer.text(hello, compressed), peer.text([0xf2, 0x00, 0x11, 0x00, 0x00], compressed)],
      expected: stays(["text", "Hello"], ["text", "Hello"]),
    },
    {
      name: "a stored block (§7.2.3.3)",
      frames: (peer) => [peer.text([0, 5, 0, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0], compressed)],
      expected: stays(["text", "Hello"]),
    },
    {
      name: "a block with BFINAL (§7.2.3.4), and what comes behind it",
      frames: (peer) => [
        peer.text([0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], compressed),
        peer.text(hello, compressed),
      ],
      expected: stays(["text", "Hello"], ["text", "Hello"]),
    },
    {
      name: "two blocks (§7.2.3.5)",
      frames: (peer) => [
        peer.text([0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00], compressed),
      ],
      expected: stays(["text", "Hello"]),
    },
    {
      name: "an empty message (§7.2.3.6), and one of no bytes at all, which compressors make of nothing",
      frames: (peer) => [peer.text([0], compressed), peer.binary([2, 0], compressed), peer.text([], compressed)],
      expected: stays(["text", ""], ["binary", ""], ["text", ""]),
    },
  ]),
  section("RFC 7692 §6: messages with RSV1 and without", [
    {
      name: "a message without it is left alone, and is not in the window",
      frames: (peer) => [
        peer.text(hello, compressed),
        peer.text("not compressed"),
        peer.text([0xf2, 0x00, 0x11, 0x00, 0x00], compressed),
      ],
      expected: stays(["text", "Hello"], ["text", "not compressed"], ["text", "Hello"]),
    },
    {
      name: "control frames go between the fragments as they are",
      frames: (peer) => {
        const [first, ...rest] = inFragments(3, long)(peer);
        return [first!, peer.ping("between"), ...rest.flatMap((fragment) => [peer.pong("more"), fragment])];
      },
      expected: stays(["ping", "between"], ["pong", "more"], ["pong", "more"], ["text", long]),
    },
    {
      name: "in fragments of one byte",
      frames: (peer) => inFragments(deflated(long).length, long)(peer),
      expected: stays(["text", long]),
    },
    {
      name: "text and binary of many kinds, with one window for all",
      frames: (peer) => [
        peer.text(deflated(long), compressed),
        peer.binary(deflated(noise(3000)), compressed),
        peer.binary(stored(noise(3000, 2)), compressed),
        peer.text(deflated("é€😀", { strategy: constants.Z_FIXED }), compressed),
        peer.binary(deflated(noise(70_000, 3)), compressed),
        peer.text(deflated(long, { strategy: constants.Z_HUFFMAN_ONLY }), compressed),
      ],
      expected: stays(
        ["text", long],
        ["binary", latin1(noise(3000))],
        ["binary", latin1(noise(3000, 2))],
        ["text", "é€😀"],
        ["binary", latin1(noise(70_000, 3))],
        ["text", long],
      ),
    },
    {
      name: "the peer closes behind a compressed message",
      frames: (peer) => [peer.text(hello, compressed), peer.close(1000, "done")],
      expected: closes(1000, "done", ["text", "Hello"]),
    },
    ...([9, 10, 8] as const).map((opcode) => ({
      name: `on a control frame (opcode ${opcode}): 1002`,
      frames: (peer: Parameters<Case["frames"]>[0]) => [peer.frame(opcode, "", compressed)],
      expected: fails(1002),
    })),
    {
      name: "on a ping between the fragments of a compressed message: 1002",
      frames: (peer) => [inFragments(2, long)(peer)[0]!, peer.ping("x", compressed)],
      expected: fails(1002),
    },
    {
      name: "on a continuation of a compressed message: 1002",
      frames: (peer) => [
        peer.text(hello.slice(0, 3), { ...compressed, fin: false }),
        peer.continuation(hello.slice(3), compressed),
      ],
      expected: fails(1002),
    },
    {
      name: "on a continuation of one that is not: 1002",
      frames: (peer) => [peer.text("a", { fin: false }), peer.continuation(hello, compressed)],
      expected: fails(1002),
    },
    ...[0x20, 0x10, 0x60, 0x50].map((rsv) => ({
      name: `with other reserved bits (0x${rsv.toString(16)}): 1002`,
      frames: (peer: Parameters<Case["frames"]>[0]) => [peer.text(hello, { rsv })],
      expected: fails(1002),
    })),
  ]),
  section("RFC 7692 §7.2.2: what is no DEFLATE: 1007", [
    ...(
      [
        ["a block of the reserved type", [0x07, 0x00]],
        ["garbage", "garbage"],
        ["a stored block whose lengths differ", [0x00, 0x05, 0x00, 0xfb, 0xff, 0x48]],
        ["a match that reaches back before the beginning", [0xf2, 0x00, 0x11, 0x00, 0x00]],
        ["cut in the middle of a block", hello.slice(0, 3)],
        ["cut inside a stored block", stored("Hello").slice(0, 7)],
        ["cut inside the codes of a dynamic block", deflated(long).slice(0, 8)],
        ["with a few bytes of garbage behind it", [...hello, 0xff, 0xff, 0xff]],
      ] satisfies [string, Content][]
    ).map(([name, content]) => ({
      name: `${name}, behind a valid message`,
      frames: (peer: Parameters<Case["frames"]>[0]) => [
        peer.text("valid"),
        peer.text(content, compressed),
        peer.text(hello, compressed),
      ],
      expected: fails(1007, ["text", "valid"]),
    })),
    {
      name: "text that is not UTF-8 once it is inflated",
      frames: (peer) => [peer.binary(deflated([0xff]), compressed), peer.text(deflated([0x61, 0xff]), compressed)],
      expected: fails(1007, ["binary", "\u00ff"]),
    },
    {
      name: "text whose last character is cut",
      frames: (peer) => [peer.text(deflated([0xe2, 0x82]), compressed)],
      expected: fails(1007),
    },
  ]),
  section("RFC 7692: the limits are for what is inflated", [
    {
      name: "of exactly maxLength, also where it is longer while it is compressed",
      frames: (peer) => [
        peer.binary(deflated(noise(1000)), compressed),
        peer.binary(stored(noise(1000)), compressed),
        ...parts(stored(noise(1000)), 3).map((part, i) =>
          peer.frame(i === 0 ? 2 : 0, part, { fin: i === 2, rsv: i === 0 ? RSV1 : 0 }),
        ),
      ],
      limits: { maxLength: 1000 },
      expected: stays(...Array.from({ length: 3 }, () => ["binary", latin1(noise(1000))] as const)),
    },
    ...[1001, 2000, 100_000].map((length) => ({
      name: `of ${length} bytes where 1,000 are allowed: 1009`,
      frames: (peer: Parameters<Case["frames"]>[0]) => [
        peer.text(hello, compressed),
        peer.binary(deflated(new Uint8Array(length)), compressed),
      ],
      limits: { maxLength: 1000 },
      expected: fails(1009, ["text", "Hello"]),
    })),
    {
      name: "a bomb of 1 MiB, whole and in fragments: 1009",
      frames: (peer) =>
        parts(bomb, 4).map((part, i) => peer.frame(i === 0 ? 2 : 0, part, { fin: i === 3, rsv: i === 0 ? RSV1 : 0 })),
      limits: { maxLength: 100_000 },
      expected: fails(1009),
    },
    {
      name: "far over maxLength while it is compressed: 1009 without looking into it",
      frames: (peer) => [peer.binary(concat([stored(noise(900)), stored(noise(900))]), compressed)],
      limits: { maxLength: 1000 },
      expected: fails(1009),
    },
    {
      name: "maxLength 0: an empty message, and one byte",
      frames: (peer) => [peer.text([0], compressed), peer.text(deflated("a"), compressed)],
      limits: { maxLength: 0 },
      expected: fails(1009, ["text", ""]),
    },
  ]),
];
