import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitAt } from "../helpers/bytes.ts";
import { codecs } from "../helpers/codecs.ts";
import { chopped, same } from "../helpers/decoding.ts";
import { fails, stays, type Event, type Outcome } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { Peer, concat, latin1 } from "../helpers/wire.ts";

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
