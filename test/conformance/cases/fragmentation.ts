import { MAX_EMPTY_RUN } from "../../../assembly/layout.ts";
import { noise } from "../../helpers/bytes.ts";
import { closes, fails, stays, type Event } from "../../helpers/outcome.ts";
import { latin1 } from "../../helpers/wire.ts";
import type { Case, Section } from "../case.ts";

const part = { fin: false };
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

export const sections: readonly Section[] = [
  {
    title: "RFC 6455 §5.4: fragments",
    cases: [
      ...[1, 2].flatMap((opcode): Case[] => {
        const kind = opcode === 1 ? "text" : "binary";
        return [
          {
            name: `${kind} in two fragments`,
            frames: (peer) => peer.fragments(opcode, ["frag", "ment"]),
            expected: stays([kind, "fragment"]),
          },
          {
            name: `${kind} in five`,
            frames: (peer) => peer.fragments(opcode, ["a", "bc", "", "def", "g"]),
            expected: stays([kind, "abcdefg"]),
          },
          {
            name: `${kind} whose last fragment is empty`,
            frames: (peer) => peer.fragments(opcode, ["all", ""]),
            expected: stays([kind, "all"]),
          },
          {
            name: `${kind} whose first fragments are empty`,
            frames: (peer) => peer.fragments(opcode, ["", "", "all"]),
            expected: stays([kind, "all"]),
          },
          {
            name: `${kind} of empty fragments alone`,
            frames: (peer) => peer.fragments(opcode, ["", "", ""]),
            expected: stays([kind, ""]),
          },
          {
            name: `${kind} in three hundred fragments of one byte`,
            frames: (peer) => peer.fragments(opcode, times(300, "x")),
            expected: stays([kind, "x".repeat(300)]),
          },
          {
            name: `a new ${kind} inside a ${kind}: 1002`,
            frames: (peer) => [peer.frame(opcode, "a", part), peer.frame(opcode, "b"), peer.continuation("c")],
            expected: fails(1002),
          },
          {
            name: `a new fragmented ${kind} inside a message of the other kind: 1002`,
            frames: (peer) => [peer.frame(3 - opcode, "a", part), peer.frame(opcode, "b", part)],
            expected: fails(1002),
          },
          {
            name: `a continuation behind a whole ${kind}: 1002`,
            frames: (peer) => [peer.frame(opcode, "whole"), peer.continuation("more")],
            expected: fails(1002, [kind, "whole"]),
          },
          {
            name: `a continuation behind the last fragment of a ${kind}: 1002`,
            frames: (peer) => [...peer.fragments(opcode, ["a", "b"]), peer.continuation("c"), peer.text("never")],
            expected: fails(1002, [kind, "ab"]),
          },
        ];
      }),
      {
        name: "a continuation with nothing open, final: 1002",
        frames: (peer) => [peer.continuation("x")],
        expected: fails(1002),
      },
      {
        name: "a continuation with nothing open, not final: 1002",
        frames: (peer) => [peer.continuation("x", part), peer.text("never")],
        expected: fails(1002),
      },
      {
        name: "an empty continuation with nothing open: 1002",
        frames: (peer) => [peer.continuation()],
        expected: fails(1002),
      },
      {
        name: "a continuation behind a ping, with nothing open: 1002",
        frames: (peer) => [peer.ping("p"), peer.continuation("x")],
        expected: fails(1002, ["ping", "p"]),
      },
      {
        name: "two fragmented messages, one behind the other",
        frames: (peer) => [...peer.fragments(1, ["a", "b"]), ...peer.fragments(2, ["c", "d", "e"])],
        expected: stays(["text", "ab"], ["binary", "cde"]),
      },
      {
        name: "a message that never ends is never delivered",
        frames: (peer) => [peer.text("before"), peer.text("a", part), peer.continuation("b", part)],
        expected: stays(["text", "before"]),
      },
      {
        name: "fragments that are long, and cut by long pings",
        frames: (peer) => [
          peer.binary(noise(40_000), part),
          peer.ping("p".repeat(125)),
          peer.continuation(noise(70_000, 2), part),
          peer.pong(),
          peer.continuation(noise(3, 3)),
        ],
        expected: stays(
          ["ping", "p".repeat(125)],
          ["pong", ""],
          ["binary", latin1(noise(40_000)) + latin1(noise(70_000, 2)) + latin1(noise(3, 3))],
        ),
      },
    ],
  },
  {
    title: "§5.4, §5.5: control frames between fragments",
    cases: [
      {
        name: "a ping and a pong are reported before the message",
        frames: (peer) => [
          peer.text("frag", part),
          peer.ping("1"),
          peer.pong("2"),
          peer.continuation("ment", part),
          peer.ping("3"),
          peer.continuation("!"),
        ],
        expected: stays(["ping", "1"], ["pong", "2"], ["ping", "3"], ["text", "fragment!"]),
      },
      {
        name: "a Close between fragments is answered; the message is never delivered",
        frames: (peer) => [peer.text("frag", part), peer.close(1000, "enough"), peer.continuation("ment")],
        expected: closes(1000, "enough"),
      },
      ...([8, 9, 10] as const).flatMap((opcode): Case[] => [
        {
          name: `the control frame ${opcode} as a fragment: 1002`,
          frames: (peer) => [peer.frame(opcode, "", part), peer.continuation("")],
          expected: fails(1002),
        },
        {
          name: `the control frame ${opcode} as a fragment, inside a message: 1002`,
          frames: (peer) => [peer.text("a", part), peer.frame(opcode, "", part), peer.continuation("b")],
          expected: fails(1002),
        },
      ]),
    ],
  },
  {
    title: "empty fragments move nothing forward, so few in a row are taken",
    cases: [
      {
        name: "the most in a row, at the start, in the middle, and behind a control frame",
        frames: (peer) => [
          ...peer.fragments(2, [...times(MAX_EMPTY_RUN, ""), "a", ...times(MAX_EMPTY_RUN, ""), "b", ""]),
          ...times(MAX_EMPTY_RUN, 0).map((_, i) => peer.frame(i === 0 ? 1 : 0, "", part)),
          peer.ping(),
          peer.continuation("end"),
        ],
        expected: stays(["binary", "ab"], ["ping", ""], ["text", "end"]),
      },
      {
        name: "one more: 1008",
        frames: (peer) => peer.fragments(1, [...times(MAX_EMPTY_RUN + 1, ""), "a"]),
        expected: fails(1008),
      },
      {
        name: "one more in the middle: 1008",
        frames: (peer) => peer.fragments(2, ["a", ...times(MAX_EMPTY_RUN + 1, ""), "b"]),
        expected: fails(1008),
      },
      {
        name: "control frames between them do not help: 1008",
        frames: (peer) =>
          peer.fragments(2, ["a", ...times(MAX_EMPTY_RUN + 1, ""), "b"]).flatMap((frame) => [frame, peer.pong("x")]),
        expected: fails(1008, ...times<Event>(MAX_EMPTY_RUN + 1, ["pong", "x"])),
      },
      {
        name: "the count starts again with each message",
        frames: (peer) => times(3, 0).flatMap(() => peer.fragments(1, [...times(MAX_EMPTY_RUN, ""), ""])),
        expected: stays(...times<Event>(3, ["text", ""])),
      },
    ],
  },
];
