// The module's own calls, where the host would hide what they do.
import { beforeEach, describe, expect, it } from "vitest";
import { kinds, messages, samples } from "../../bench/corpus.mjs";
import {
  DEFLATE_END,
  DEFLATE_IN,
  DEFLATE_IN_SIZE,
  DEFLATE_IN_SLACK,
  DEFLATE_OUT,
  DEFLATE_OUT_SIZE,
  DEFLATE_STATE,
  DEFLATE_STATE_SIZE,
  FLUSH_FINISH,
  FLUSH_NONE,
  FLUSH_SYNC,
  MATCHES,
  MAX_WINDOW,
} from "../../assembly/deflate/layout.ts";
import { DeflateModule } from "../../src/deflate/module.ts";
import { concat, equal } from "../helpers/bytes.ts";
import { allLevels, deflateModules, greatestDistance, inflated, inflatedSoFar } from "../helpers/deflating.ts";

const END = DEFLATE_END / 4;
/** See assembly/deflate/stream.ts. */
const UNUSED_POSITION = DEFLATE_STATE / 4 + 5;
const MAX_INPUT = 65536;

describe.each(deflateModules)("the deflating side of the $build module", ({ build }) => {
  let { exports, memory, words } = new DeflateModule(build);

  beforeEach(() => {
    ({ exports, memory, words } = new DeflateModule(build));
  });

  /** Deflates up to 65536 bytes behind the others. */
  function deflate(bytes: Uint8Array, flush: number): Uint8Array {
    if (words[END]! + bytes.length > DEFLATE_IN + DEFLATE_IN_SIZE) exports.deflateSlide();
    memory.set(bytes, words[END]);
    const size = exports.deflate(bytes.length, flush);
    return memory.slice(DEFLATE_OUT, DEFLATE_OUT + size);
  }

  it("writes the empty block of a sync flush, and the last block of an empty stream", () => {
    for (const level of [1, 6]) {
      exports.deflateOpen(0, 15, level);
      expect([...deflate(new Uint8Array(0), FLUSH_NONE)]).toEqual([]);
      expect([...deflate(new Uint8Array(0), FLUSH_SYNC)]).toEqual([0, 0, 0, 0xff, 0xff]);
      expect([...deflate(new Uint8Array(0), FLUSH_FINISH)]).toEqual([3, 0]);
    }
    exports.deflateOpen(0, 15, 0);
    expect([...deflate(new Uint8Array(0), FLUSH_FINISH)]).toEqual([1, 0, 0, 0xff, 0xff]);
  });

  it("writes nowhere but in its own regions, and within DEFLATE_OUT, whatever the input", () => {
    const regions: [number, number][] = [
      [DEFLATE_STATE, DEFLATE_STATE + DEFLATE_STATE_SIZE],
      [DEFLATE_IN, DEFLATE_IN + DEFLATE_IN_SIZE],
      [DEFLATE_OUT, DEFLATE_OUT + DEFLATE_OUT_SIZE],
      [MATCHES, memory.length],
    ];
    // Canaries in all that lies between them; the static data below must stay as it is.
    for (const [from, to] of [
      [16384, DEFLATE_STATE],
      [DEFLATE_IN + DEFLATE_IN_SIZE, DEFLATE_IN + DEFLATE_IN_SIZE + DEFLATE_IN_SLACK],
    ] as const)
      memory.fill(0xa5, from, to);
    const before = memory.slice();
    for (const { name, bytes } of samples([1, 5, 300, 65_536], 7)) {
      for (const level of allLevels) {
        exports.deflateOpen(0, 15, level);
        for (let turn = 0; turn < 3; turn++) {
          const { length } = deflate(bytes, turn === 1 ? FLUSH_NONE : FLUSH_SYNC);
          // Stored blocks of all tokens that a block may have, one by one, and the flush.
          expect(length, name).toBeLessThanOrEqual(bytes.length + 64);
        }
      }
    }
    let from = 0;
    for (const [start, end] of [...regions, [memory.length, 0] as const]) {
      expect(equal(memory.subarray(from, start), before.subarray(from, start)), `${from} to ${start}`).toBe(true);
      from = end;
    }
    // Where tables and tokens end, far before the memory does.
    expect(memory.subarray(memory.length - 65536).every((byte) => byte === 0)).toBe(true);
  });

  it("finds matches in the history, at any length of it, and none beyond the window", () => {
    const text = kinds.prose(MAX_WINDOW, 3);
    for (const level of [1, 3, 6, 9]) {
      for (const history of [0, 1, 2, 3, 4, 5, 255, 256, 257, 5000, 32767, 32768]) {
        for (const windowBits of [8, 9, 11, 15]) {
          memory.set(text.subarray(0, history), DEFLATE_IN);
          exports.deflateOpen(history, windowBits, level);
          const message = text.subarray(0, 900);
          const output = deflate(message, FLUSH_FINISH);
          // The history as stored blocks in front makes it a stream that stands for itself.
          const { length } = text.subarray(0, history);
          const stored = [0, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255];
          const whole = concat(stored, text.subarray(0, history), output);
          expect(equal(inflated(whole), concat(text.subarray(0, history), message))).toBe(true);
          expect(greatestDistance(output)).toBeLessThanOrEqual(2 ** windowBits);
          if (history >= 1000 && history <= 2 ** windowBits) expect(output.length).toBeLessThan(200);
        }
      }
    }
  });

  it("goes on when an input was taken back", () => {
    for (const level of [1, 6]) {
      exports.deflateOpen(0, 15, level);
      const log = messages(90, 5);
      const kept: Uint8Array[] = [];
      for (const [i, message] of log.entries()) {
        kept.push(deflate(message, FLUSH_SYNC));
        if (words[END]! + 3000 > DEFLATE_IN + DEFLATE_IN_SIZE) exports.deflateSlide();
        const end = words[END];
        // Also what is like the messages to come, so that the tables are full of what is no more.
        deflate(i % 2 === 0 ? kinds.random(1 + 29 * i, i + 1) : log[(i + 1) % log.length]!, FLUSH_SYNC);
        words[END] = end!;
      }
      expect(equal(inflatedSoFar(concat(...kept)), concat(...log))).toBe(true);
    }
  });

  it("begins its positions anew before they overflow, in the middle of a stream and between two", () => {
    const text = kinds.chat(400_000, 2);
    for (const start of [0xf0000000 - 100_000, 0xf0000000 + 1, 0xffff0000 - MAX_WINDOW]) {
      words[UNUSED_POSITION] = start;
      exports.deflateOpen(0, 15, 6);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < text.length; at += 20_000) pieces.push(deflate(text.subarray(at, at + 20_000), FLUSH_SYNC));
      expect(words[UNUSED_POSITION]).toBeLessThan(1_000_000);
      const output = concat(...pieces);
      expect(equal(inflatedSoFar(output), text)).toBe(true);
      expect(output.length).toBeLessThan(text.length / 4);
    }
  });

  it("keeps a stream apart from those before it", () => {
    const [first, second] = [kinds.html(40_000, 1), kinds.html(300, 1)];
    for (const level of [1, 6]) {
      exports.deflateOpen(0, 15, level);
      deflate(first, FLUSH_SYNC);
      exports.deflateOpen(0, 15, level);
      expect(equal(inflated(deflate(second, FLUSH_FINISH)), second)).toBe(true);
      // Also from what was taken back. In front of DEFLATE_IN there are zeros, which must not be taken for history.
      const zeros = new Uint8Array(20_000);
      exports.deflateOpen(0, 15, level);
      deflate(zeros, FLUSH_SYNC);
      words[END] = DEFLATE_IN;
      deflate(zeros.subarray(0, 1), FLUSH_SYNC);
      exports.deflateOpen(0, 15, level);
      expect(equal(inflated(deflate(zeros, FLUSH_FINISH)), zeros)).toBe(true);
    }
  });

  it("takes all that fits behind the window at once", () => {
    const bytes = kinds.source(MAX_WINDOW + MAX_INPUT, 1);
    memory.set(bytes.subarray(0, MAX_WINDOW), DEFLATE_IN);
    exports.deflateOpen(MAX_WINDOW, 15, 9);
    const rest = bytes.subarray(MAX_WINDOW);
    const output = deflate(rest, FLUSH_FINISH);
    const length = [0, 0, 128, 255, 127];
    expect(equal(inflated(concat(length, bytes.subarray(0, MAX_WINDOW), output)), bytes)).toBe(true);
  });
});
