import { closes, fails } from "../../helpers/outcome.ts";
import { malformed } from "../../helpers/utf8.ts";
import { bytesOf, concat } from "../../helpers/wire.ts";
import type { Case, Section } from "../case.ts";

const validCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const invalidCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65535];
const defect = (code: number): string =>
  code >= 1012 && code <= 1014 ? " (seed defect 13)" : code === 1005 ? " (seed defect 14)" : "";

export const sections: readonly Section[] = [
  {
    title: "RFC 6455 §5.5.1, §7.4: Close frames that may be sent are answered with the same",
    cases: [
      {
        name: "an empty one: 1005 is reported, none is sent (seed defect 14)",
        frames: (peer) => [peer.close()],
        expected: closes(undefined),
      },
      ...validCodes.flatMap((code): Case[] => [
        {
          name: `${code} without a reason${defect(code)}`,
          frames: (peer) => [peer.close(code)],
          expected: closes(code),
        },
        {
          name: `${code} with a reason${defect(code)}`,
          frames: (peer) => [peer.close(code, "tschüß 😀")],
          expected: closes(code, "tschüß 😀"),
        },
      ]),
      {
        name: "a reason of 123 bytes",
        frames: (peer) => [peer.close(1000, "r".repeat(123))],
        expected: closes(1000, "r".repeat(123)),
      },
      {
        name: "a reason of 123 bytes that is not ASCII",
        frames: (peer) => [peer.close(4321, "é".repeat(61) + "x")],
        expected: closes(4321, "é".repeat(61) + "x"),
      },
      {
        name: "a reason that begins with a byte order mark",
        frames: (peer) => [peer.close(1000, "\ufeffmark")],
        expected: closes(1000, "\ufeffmark"),
      },
      {
        name: "behind messages and pings",
        frames: (peer) => [peer.text("a"), peer.ping("p"), ...peer.fragments(2, ["b", "c"]), peer.close(1001, "away")],
        expected: closes(1001, "away", ["text", "a"], ["ping", "p"], ["binary", "bc"]),
      },
      {
        name: "inside an unfinished message",
        frames: (peer) => [peer.text("never", { fin: false }), peer.close(1000)],
        expected: closes(1000),
      },
    ],
  },
  {
    title: "§5.5.1, §7.4: others fail the connection",
    cases: [
      ...invalidCodes.flatMap((code): Case[] => [
        { name: `${code}: 1002${defect(code)}`, frames: (peer) => [peer.close(code)], expected: fails(1002) },
        {
          name: `${code} with a reason, behind a message: 1002`,
          frames: (peer) => [peer.text("a"), peer.close(code, "reason")],
          expected: fails(1002, ["text", "a"]),
        },
      ]),
      { name: "a payload of one byte: 1002", frames: (peer) => [peer.frame(8, [3])], expected: fails(1002) },
      {
        name: "a reason of 124 bytes: 1002",
        frames: (peer) => [peer.close(1000, "r".repeat(124))],
        expected: fails(1002),
      },
      ...malformed.map(([name, bad]): Case => ({
        name: `a reason with ${name}: 1007 (seed defect 13)`,
        frames: (peer) => [peer.close(1000, concat([bytesOf("grüß "), Uint8Array.from(bad)]))],
        expected: fails(1007),
      })),
      {
        name: "a reason that ends inside a character: 1007",
        frames: (peer) => [peer.close(1000, bytesOf("grü").subarray(0, 3))],
        expected: fails(1007),
      },
      {
        name: "an invalid code matters more than an invalid reason: 1002",
        frames: (peer) => [peer.close(1005, [0xff])],
        expected: fails(1002),
      },
    ],
  },
];
