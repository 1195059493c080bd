import { noise } from "../../helpers/bytes.ts";
import { fails, stays } from "../../helpers/outcome.ts";
import { bytesOf, frame, frameHeader, latin1, type FrameFields, type Peer } from "../../helpers/wire.ts";
import type { Case, Section } from "../case.ts";

const sizes = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 1000, 65535, 65536, 65537, 131_072];
const text = (size: number): string => "*".repeat(size);
const key = [1, 2, 3, 4];
const longer: readonly [length: bigint, form: 16 | 64][] = [
  [0n, 16],
  [1n, 16],
  [125n, 16],
  [0n, 64],
  [1n, 64],
  [125n, 64],
  [126n, 64],
  [65535n, 64],
];
const header = (peer: Peer, opcode: number, length: bigint, fields: Omit<FrameFields, "announced"> = {}): Uint8Array =>
  frameHeader(opcode, length, { key: peer.role === "server" ? key : undefined, ...fields });

export const sections: readonly Section[] = [
  {
    title: "RFC 6455 §5.2, §5.6: messages of every form of length",
    cases: [
      ...sizes.flatMap((size): Case[] => [
        {
          name: `text of ${size} bytes`,
          frames: (peer) => [peer.text(text(size))],
          expected: stays(["text", text(size)]),
        },
        {
          name: `binary of ${size} bytes`,
          frames: (peer) => [peer.binary(noise(size))],
          expected: stays(["binary", latin1(noise(size))]),
        },
      ]),
      {
        name: "text that is not ASCII, of 65,536 bytes",
        frames: (peer) => [peer.text("é".repeat(32_768))],
        expected: stays(["text", "é".repeat(32_768)]),
      },
      {
        name: "text and binary in turns",
        frames: (peer) => [peer.text("one"), peer.binary([2, 0xff]), peer.text(""), peer.binary(), peer.text("fünf")],
        expected: stays(["text", "one"], ["binary", "\u0002\u00ff"], ["text", ""], ["binary", ""], ["text", "fünf"]),
      },
    ],
  },
  {
    title: "§5.1: who masks",
    cases: [
      {
        name: "a frame of the other role's kind is refused with 1002 (seed defect 15)",
        frames: (peer) => [frame(1, "Hello", peer.role === "server" ? {} : { key })],
        expected: fails(1002),
      },
      ...(["text", "binary", "ping", "pong", "close"] as const).map((kind, i): Case => ({
        name: `the same on ${kind}, behind a valid message`,
        frames: (peer) => [peer.text("é"), frame([1, 2, 9, 10, 8][i]!, "", peer.role === "server" ? {} : { key })],
        expected: fails(1002, ["text", "é"]),
      })),
      {
        name: "the same on a continuation",
        frames: (peer) => [peer.text("a", { fin: false }), frame(0, "b", peer.role === "server" ? {} : { key })],
        expected: fails(1002),
      },
    ],
  },
  {
    title: "§5.2: a length is in its shortest form",
    cases: [
      ...longer.flatMap(([length, form]) =>
        [1, 2].map((opcode): Case => ({
          name: `${length} in ${form} bits, opcode ${opcode}: 1002`,
          frames: (peer) => [peer.frame(opcode, text(Number(length)), { form })],
          expected: fails(1002),
        })),
      ),
      ...longer.map(([length, form]): Case => ({
        name: `${length} in ${form} bits on a continuation: 1002`,
        frames: (peer) => [peer.binary("", { fin: false }), peer.continuation(text(Number(length)), { form })],
        expected: fails(1002),
      })),
      ...([8, 9, 10] as const).map((opcode): Case => ({
        name: `0 in 16 bits on the control frame ${opcode}: 1002`,
        frames: (peer) => [peer.frame(opcode, "", { form: 16 })],
        expected: fails(1002),
      })),
      ...([126n, 127n, 65535n] as const).map((length): Case => ({
        name: `${length} in 16 bits is the shortest form`,
        frames: (peer) => [peer.binary(text(Number(length)), { form: 16 })],
        expected: stays(["binary", text(Number(length))]),
      })),
      ...[1n << 63n, (1n << 63n) + 5n, (1n << 64n) - 1n].map((length): Case => ({
        name: `the top bit of 64, ${length}: 1002, before any payload`,
        frames: (peer) => [header(peer, 2, length)],
        expected: fails(1002),
      })),
      // Seed defect 2: fourteen bytes that declare 2^40
      ...[2n ** 31n, 2n ** 32n, 2n ** 32n + 10n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n].map(
        (length): Case => ({
          name: `${length} bytes, which is over maxLength: 1009, before any payload (seed defect 2)`,
          frames: (peer) => [peer.text("before"), header(peer, 2, length)],
          expected: fails(1009, ["text", "before"]),
        }),
      ),
      {
        name: "2^32 + 10 is not taken for 10",
        frames: (peer) => [header(peer, 1, 2n ** 32n + 10n), bytesOf("0123456789")],
        expected: fails(1009),
      },
    ],
  },
];
