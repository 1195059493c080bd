import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UTF8_ACCEPT, UTF8_NON_ASCII, UTF8_REJECT, UTF8_STATE, WINDOW, WINDOW_SIZE } from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";
import { concat, equal, hex, splitAt } from "../helpers/bytes.ts";
import { behind, boundary, judge, malformed, validTexts, verdictOf } from "../helpers/utf8.ts";
import type { Rest, Verdict } from "../helpers/utf8.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const repeated = (text: string, length: number): Uint8Array => bytesOf(text.repeat(length)).subarray(0, length);

/** For the tests that go over all there is: a busy machine may take its time. */
const patient = { timeout: 60_000 };

/** The verdict, as a number, on each sequence of three bytes: what all builds are held against. */
const onThree = new Uint8Array(1 << 24);
const WHOLE = 0;
const CUT = 1;
const BAD = 2;
const step = (rest: Rest | undefined, byte: number): Rest | undefined => rest && behind(rest, byte);
const onOne = new Map<string, Uint8Array>(); // few rests differ
for (let first = 0; first < 256; first++) {
  for (let second = 0; second < 256; second++) {
    const rest = step(step(boundary, first), second);
    const key = JSON.stringify(rest) ?? "bad";
    const verdicts =
      onOne.get(key) ??
      Uint8Array.from({ length: 256 }, (_, third) => ({ whole: WHOLE, cut: CUT, bad: BAD })[verdictOf(step(rest, third))]);
    onOne.set(key, verdicts);
    onThree.set(verdicts, (first << 16) | (second << 8));
  }
}

/** Any first byte over ASCII, then bytes at the ends of the ranges that a validator must tell apart. */
function* fourBytes(): Generator<Uint8Array> {
  const ends = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xf0, 0xff];
  const bytes = new Uint8Array(4);
  for (let first = 0x80; first < 256; first++) {
    for (const second of ends) {
      for (const third of ends) {
        for (const fourth of ends) {
          bytes.set([first, second, third, fourth]);
          yield bytes;
        }
      }
    }
  }
}

const valid = validTexts.map(bytesOf);
const mixedText = "é你😀 ok ñ語🚀 and ASCII between ";

describe("the model that the validator is held against", () => {
  it("agrees with Node on every sequence of three bytes that begins over ASCII", patient, () => {
    // Here and below, an import in a loop of millions is looked up first: Vitest makes it a getter's call.
    const isValid = isUtf8;
    const bytes = new Uint8Array(3);
    let disagreements = 0;
    for (let i = 0x800000; i < onThree.length; i++) {
      bytes[0] = i >> 16;
      bytes[1] = i >> 8;
      bytes[2] = i;
      if (isValid(bytes) !== (onThree[i] === WHOLE)) disagreements++;
    }
    expect(disagreements).toBe(0);
  });

  it("agrees with Node on four bytes", patient, () => {
    for (const bytes of fourBytes()) {
      if (isUtf8(bytes) !== (judge(bytes).verdict === "whole")) expect.fail(hex(bytes));
    }
  });

  it("calls bad exactly what nothing can follow to make it whole", () => {
    // The lowest byte of each quarter of the continuations: some of these fits wherever any continuation does.
    const some = [[0x80], [0x90], [0xa0], [0xb0]];
    const two = some.flatMap((one) => some.map((other) => [...one, ...other]));
    const three = two.flatMap((pair) => some.map((other) => [...pair, ...other]));
    const ends = [[], ...some, ...two, ...three];
    for (const [name, bytes] of malformed) {
      const { badAt } = judge(bytes);
      const saved = bytes.findIndex((_, i) => !ends.some((end) => isUtf8(concat(bytes.slice(0, i + 1), end))));
      expect(badAt, name).toBe(saved);
    }
  });

  it("knows the valid texts", () => {
    for (const bytes of valid) expect(judge(bytes)).toEqual({ verdict: "whole", badAt: undefined });
  });
});

describe.each(builds)("validate, $name", ({ exports: { validate }, memory }) => {
  /** Where texts are put: unaligned, with room in front. */
  const AT = WINDOW + 37;

  const verdict = (state: number): Verdict =>
    (state & UTF8_STATE) === UTF8_ACCEPT ? "whole" : (state & UTF8_STATE) === UTF8_REJECT ? "bad" : "cut";

  /** The states behind each of the pieces. The bytes around each piece are such that to heed one would show. */
  const statesOver = (pieces: readonly Uint8Array[], at = AT): number[] => {
    const states: number[] = [];
    let state = 0;
    for (const piece of pieces) {
      memory.fill(0xff, at - 32, at + piece.length + 32);
      memory.set(piece, at);
      state = validate(state, at, piece.length);
      states.push(state);
    }
    return states;
  };
  const stateOver = (pieces: readonly Uint8Array[], at = AT): number => statesOver(pieces, at).at(-1) ?? 0;
  const isAscii = (bytes: Uint8Array): boolean => bytes.every((byte) => byte < 0x80);

  it("judges every sequence of one, two and three bytes", patient, () => {
    const [low, accept, reject, expected] = [UTF8_STATE, UTF8_ACCEPT, UTF8_REJECT, onThree];
    let wrong = 0;
    memory.fill(0xff, AT - 32, AT + 32);
    for (let first = 0, i = 0; first < 256; first++) {
      memory[AT] = first;
      if (verdict(validate(0, AT, 1)) !== verdictOf(behind(boundary, first))) wrong++;
      for (let second = 0; second < 256; second++) {
        memory[AT + 1] = second;
        if (verdict(validate(0, AT, 2)) !== verdictOf(step(behind(boundary, first), second))) wrong++;
        for (let third = 0; third < 256; third++, i++) {
          memory[AT + 2] = third;
          const automaton = validate(0, AT, 3) & low;
          if ((automaton === accept ? WHOLE : automaton === reject ? BAD : CUT) !== expected[i]) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });

  it("judges four bytes, at once and one by one", patient, () => {
    for (const bytes of fourBytes()) {
      const expected = judge(bytes).verdict;
      const pieces = splitAt(bytes, [1, 2, 3]);
      if (verdict(stateOver([bytes])) !== expected || verdict(stateOver(pieces)) !== expected) expect.fail(hex(bytes));
    }
  });

  it("accepts valid texts of every length at every alignment, and writes nothing", () => {
    const margin = new Uint8Array(32).fill(0xff);
    for (const text of ["ASCII only, and a little longer than a block. ", mixedText]) {
      for (let length = 0; length <= 300; length++) {
        const bytes = repeated(text, length);
        const expected = judge(bytes).verdict;
        for (let offset = 0; offset <= 16; offset++) {
          const at = WINDOW + 32 + offset;
          const state = stateOver([bytes], at);
          const flag = isAscii(bytes) ? 0 : UTF8_NON_ASCII;
          if (verdict(state) !== expected || (state & UTF8_NON_ASCII) !== flag) {
            expect.fail(`${state} for ${length} bytes of ${text} at offset ${offset}`);
          }
          const around = memory.subarray(at - 32, at + length + 32);
          if (!equal(around, concat(margin, bytes, margin))) {
            expect.fail(`wrote to memory: ${length} bytes of ${text} at offset ${offset}`);
          }
        }
      }
    }
  });

  it("comes to the same state wherever a text is split", () => {
    const texts = [...valid, ...malformed.map(([, bytes]) => concat(bytesOf("né: "), bytes, bytesOf(" 你")))];
    for (const bytes of texts) {
      const whole = stateOver([bytes]);
      expect(verdict(whole)).toBe(judge(bytes).verdict);
      for (let place = 0; place <= bytes.length; place++) {
        const [front = bytes, back = bytes] = splitAt(bytes, [place]);
        const states = statesOver([front, back]);
        if (states[0] === undefined || verdict(states[0]) !== judge(front).verdict || states[1] !== whole) {
          expect.fail(`${states.join(", ")} instead of ${whole} for ${hex(front)} ${hex(back)}`);
        }
      }
    }
  });

  it("fails at the first bad byte, and for good", () => {
    for (const [name, bad] of malformed) {
      for (const front of valid) {
        const bytes = concat(front, bad, bytesOf("and on"));
        const { badAt } = judge(bytes);
        const states = statesOver([...bytes].map((byte) => Uint8Array.of(byte)));
        const expected = states.map((_, i) => badAt !== undefined && i >= badAt);
        expect(
          states.map((state) => verdict(state) === "bad"),
          name,
        ).toEqual(expected);
      }
    }
  });

  it("finds malformed bytes at every place in a text", patient, () => {
    for (const text of ["a", "é", "你a", "😀", mixedText]) {
      for (let length = 0; length <= 80; length++) {
        const front = repeated(text, length);
        if (judge(front).verdict !== "whole") continue;
        for (const [name, bad] of malformed) {
          const backs = ["", "b", text.repeat(20)].map(bytesOf);
          for (const bytes of [concat(bad, front), ...backs.map((back) => concat(front, bad, back))]) {
            const cut = splitAt(bytes, [length + 1]);
            if (verdict(stateOver([bytes])) !== "bad" || verdict(stateOver(cut)) !== "bad") {
              expect.fail(`${name}, with ${length} bytes of ${text}: ${hex(bytes)}`);
            }
          }
        }
      }
    }
  });

  it("does not fail a text that is cut inside its last character, nor take it for whole", () => {
    for (const character of ["é", "你", "\ud7ff", "\u0800", "😀", "\u{10ffff}", "\u{10000}"]) {
      const bytes = bytesOf(character);
      for (let length = 0; length <= 80; length++) {
        for (let cut = 1; cut < bytes.length; cut++) {
          for (const text of ["a", mixedText]) {
            const front = repeated(text, length);
            if (judge(front).verdict !== "whole") continue;
            const state = stateOver([concat(front, bytes.subarray(0, cut))]);
            if (verdict(state) !== "cut") expect.fail(`${character} cut at ${cut}, behind ${length} bytes of ${text}`);
          }
        }
      }
    }
  });

  it("notes the first byte over 0x7F, wherever it is, and keeps the note", () => {
    for (let length = 0; length <= 150; length++) {
      const ascii = repeated("a", length);
      expect(stateOver([ascii])).toBe(UTF8_ACCEPT);
      for (let place = 0; place <= length; place++) {
        const bytes = concat(ascii.subarray(0, place), [0xc3, 0xa9], ascii.subarray(place));
        if (stateOver([bytes]) !== UTF8_NON_ASCII) expect.fail(`é at ${place} of ${length}`);
      }
    }
    expect(stateOver([bytesOf("é"), bytesOf("a"), bytesOf("a".repeat(100)), bytesOf("")])).toBe(UTF8_NON_ASCII);
  });

  it("fills the window", () => {
    for (const text of ["ASCII", "é", "你", "😀", mixedText]) {
      const bytes = repeated(text, WINDOW_SIZE);
      const expected = judge(bytes).verdict;
      memory.set(bytes, WINDOW);
      expect(verdict(validate(0, WINDOW, WINDOW_SIZE))).toBe(expected);
      memory[WINDOW + 40000] = 0xfe;
      expect(verdict(validate(0, WINDOW, WINDOW_SIZE))).toBe("bad");
    }
  });

  describe("whatever comes, in whatever pieces", () => {
    const anyPart = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...valid) },
      { weight: 4, arbitrary: fc.string({ unit: "binary" }).map(bytesOf) },
      { weight: 1, arbitrary: fc.constantFrom(...malformed).map(([, bytes]) => Uint8Array.from(bytes)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
      { weight: 1, arbitrary: fc.nat({ max: 100 }).map((length) => repeated("ASCII ", length)) },
    );
    const anyBytes = fc.oneof(
      fc.array(anyPart, { maxLength: 6 }).map((parts) => concat(...parts)),
      fc.uint8Array({ maxLength: 100 }),
    );
    const anyPlaces = fc.array(fc.nat({ max: 300 }), { maxLength: 8 });

    it("gives the verdict of Node and of the model, and fails in the piece with the first bad byte", () => {
      const check = (bytes: Uint8Array, places: number[]): void => {
        const { verdict: expected, badAt } = judge(bytes);
        const within = places.map((place) => place % (bytes.length + 1));
        const pieces = splitAt(bytes, within);
        const states = statesOver(pieces);
        expect(states.at(-1)).toBe(stateOver([bytes]));
        expect(verdict(states.at(-1) ?? 0)).toBe(expected);
        expect(expected === "whole").toBe(isUtf8(bytes));
        let end = 0;
        for (const [i, piece] of pieces.entries()) {
          end += piece.length;
          expect(verdict(states[i] ?? 0) === "bad").toBe(badAt !== undefined && badAt < end);
        }
      };
      fc.assert(fc.property(anyBytes, anyPlaces, check), { numRuns: 1000 });
    });
  });
});
