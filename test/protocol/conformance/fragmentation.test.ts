import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_EMPTY_RUN } from "../../../assembly/layout.ts";
import { noise, splitAt } from "../../helpers/bytes.ts";
import { codecs } from "../../helpers/codecs.ts";
import { chopped, same } from "../../helpers/decoding.ts";
import { Session, closes, conform, fails, roles, stays, type Case, type Event, type Outcome } from "../../helpers/conformance.ts"; // prettier-ignore
import { Peer, concat, latin1 } from "../../helpers/wire.ts";

const part = { fin: false };
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

conform("RFC 6455 §5.4: fragments", [
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
]);

conform("§5.4, §5.5: control frames between fragments", [
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
]);

conform("HOSTILE: empty fragments move nothing forward, so few in a row are taken", [
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
]);

const alphabet = ["T", "t", "B", "b", "C", "c", "P"] as const;
type Letter = (typeof alphabet)[number];

/** Capitals have FIN. What a sequence of frames comes to, by §5.4 alone: each has its own letter for a payload. */
function byTheBook(letters: readonly Letter[]): Outcome {
  const events: Event[] = [];
  let open: { kind: "text" | "binary"; data: string } | undefined;
  for (const letter of letters) {
    if (letter === "P") {
      events.push(["ping", letter]);
      continue;
    }
    const isContinuation = letter === "C" || letter === "c";
    if (isContinuation !== (open !== undefined)) return fails(1002, ...events);
    open ??= { kind: letter === "T" || letter === "t" ? "text" : "binary", data: "" };
    open.data += letter;
    if (letter === letter.toUpperCase()) {
      events.push([open.kind, open.data]);
      open = undefined;
    }
  }
  return stays(...events);
}

const opcodes: Record<string, number> = { t: 1, b: 2, c: 0, p: 9 };

describe("§5.4: every sequence of up to four frames", () => {
  it.each(roles)("is taken or refused as the section says (%s)", (role) => {
    let sequences: Letter[][] = [[]];
    let legal = 0;
    let count = 0;
    for (let length = 1; length <= 4; length++) {
      sequences = sequences.flatMap((before) => alphabet.map((letter) => [...before, letter]));
      for (const letters of sequences) {
        const peer = new Peer(role);
        const frames = letters.map((letter) =>
          peer.frame(opcodes[letter.toLowerCase()]!, letter, { fin: letter === letter.toUpperCase() }),
        );
        const expected = byTheBook(letters);
        if (expected.readyState === "open") legal++;
        const codec = codecs[count++ % codecs.length]!;
        const bytes = concat(frames);
        same(new Session(role, { codec }).receive([bytes]).end(), expected, letters.join(""));
        same(new Session(role, { codec }).receive(chopped(bytes, 1)).end(), expected, `${letters.join("")}, by bytes`);
      }
    }
    expect(count).toBe(7 + 49 + 343 + 2401);
    expect(legal).toBeGreaterThan(200);
  });
});

describe("messages in fragments at random", () => {
  it.each(roles)("arrive whole and in order, with control frames at their place (%s)", (role) => {
    const message = fc.record({
      isText: fc.boolean(),
      text: fc.array(fc.constantFrom("a", "é", "你", "😀"), { maxLength: 60 }).map((all) => all.join("")),
      places: fc.array(fc.nat(240), { maxLength: 5 }),
      control: fc.array(fc.constantFrom("ping" as const, "pong" as const, undefined), { minLength: 6, maxLength: 6 }),
    });
    const property = fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.array(fc.nat(2000), { maxLength: 8 }),
      (messages, cuts) => {
        const peer = new Peer(role);
        const events: Event[] = [];
        const frames = messages.flatMap(({ isText, text, places, control }) => {
          const bytes = new Uint8Array(Buffer.from(text));
          const parts = splitAt(bytes, places.filter((place) => place < bytes.length)); // prettier-ignore
          const made = peer.fragments(isText ? 1 : 2, parts).flatMap((fragment, i) => {
            const kind = control[i];
            if (!kind) return [fragment];
            events.push([kind, `${i}`]);
            return [peer[kind](`${i}`), fragment];
          });
          events.push(isText ? ["text", text] : ["binary", latin1(bytes)]);
          return made;
        });
        const all = concat(frames);
        const chunks = splitAt(all, cuts.filter((cut) => cut < all.length)); // prettier-ignore
        for (const codec of codecs)
          expect(new Session(role, { codec }).receive(chunks).end()).toEqual(stays(...events));
      },
    );
    fc.assert(property, { numRuns: 150 });
  });
});
