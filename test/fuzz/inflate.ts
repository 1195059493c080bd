import { constants, deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { chance, kinds, type Chance, type Kind } from "../../bench/corpus.mjs";
import { Inflater } from "../../src/deflate/inflater.ts";
import { DataError } from "../../src/errors.ts";
import { same } from "../helpers/decoding.ts";
import { Bench, byZlib, deflateBuilds, type Outcome } from "../helpers/inflating.ts";
import { concat } from "../helpers/wire.ts";
import { property } from "./property.ts";
import { anyCuts, anyMutations, cutAt, mutate } from "./streams.ts";

interface Input {
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
  readonly room: number;
}

const benches = deflateBuilds.map((build) => new Bench(build));
const rooms = [Infinity, 1000, 258, 9, 1];

/** A stream of zlib's, of some kind of content, in its own kinds of blocks. */
function streamOf(kind: Kind, length: number, seed: number): Uint8Array {
  const random = chance(seed);
  return deflateRawSync(kinds[kind](length, 1 + (seed % 50)), {
    level: random.one([0, 1, 6, 9]),
    memLevel: random.one([1, 2, 8]),
    strategy: random.one([0, 0, constants.Z_HUFFMAN_ONLY, constants.Z_RLE, constants.Z_FIXED]),
    finishFlush: random.one([
      constants.Z_FINISH,
      constants.Z_FINISH,
      constants.Z_SYNC_FLUSH,
      constants.Z_PARTIAL_FLUSH,
    ]),
  });
}

const anyKind = fc.constantFrom(...(Object.keys(kinds) as Kind[]));
const anyStream = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(anyKind, fc.nat(3000), fc.nat()).map((choices) => streamOf(...choices)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
);

const inputs: fc.Arbitrary<Input> = fc.record({
  bytes: fc
    .tuple(anyStream, anyMutations, fc.oneof(fc.constant(new Uint8Array(0)), anyStream))
    .map(([stream, mutations, behind]) => concat([mutate(stream, mutations), behind])),
  cuts: anyCuts,
  room: fc.constantFrom(...rooms),
});

/** What an Inflater makes of it. */
function byClass(bench: Bench, pieces: readonly Uint8Array[]): Outcome {
  const inflater = new Inflater({ module: bench.module });
  const out: Uint8Array[] = [];
  let read = 0;
  try {
    for (const piece of pieces) {
      out.push(inflater.write(piece));
      read += piece.length - inflater.unused.length;
      if (inflater.isFinished) return { verdict: "finished", output: Buffer.concat(out), read };
    }
    return { verdict: "cut", output: Buffer.concat(out), read: 0 };
  } catch (error) {
    if (!(error instanceof DataError) || error.code !== "ERR_INVALID_DATA") throw error;
    return { verdict: "bad", output: Buffer.alloc(0), read: 0 };
  } finally {
    inflater.close();
  }
}

function check({ bytes, cuts, room }: Input): void {
  const expected = byZlib(bytes);
  const pieces = cutAt(bytes, cuts);
  for (const bench of benches) {
    same(bench.inflate([bytes]), expected, `${bench.module.build}, whole`);
    same(bench.inflate(pieces, room), expected, `${bench.module.build}, with room for ${room}`);
    same(byClass(bench, pieces), expected, `${bench.module.build}, by the public class`);
  }
}

export const inflate = property("inflate: zlib's answer, at every cut, in each build", 300, inputs, check, {
  read: (source) => ({ room: source.one(rooms), cuts: source.numbers(), bytes: source.rest() }),
  examples: (Object.keys(kinds) as Kind[]).map((kind, i) =>
    concat([Uint8Array.of(i, 2, 10, 99), streamOf(kind, 400, i)]),
  ),
});

/** So many streams are spoilt for each input: far more than could be made one by one. */
const SPOILT = 1000;

/** Flips bits, sets bytes and leaves some out, mostly near the beginning, where the codes are. */
function spoil(stream: Uint8Array, random: Chance): Uint8Array {
  const bytes = stream.slice();
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const at = random.integer(random.one([8, 60, bytes.length]));
    if (at >= bytes.length) continue;
    const how = random.integer(4);
    if (how < 2) bytes[at]! ^= 1 << random.integer(8);
    else if (how === 2) bytes[at] = random.integer(256);
    else bytes.copyWithin(at, at + 1);
  }
  return bytes.subarray(0, random.integer(8) === 0 ? random.integer(bytes.length + 1) : bytes.length);
}

export const spoilt = property("spoilt: zlib's answer to a thousand spoilt streams", 4, fc.nat(), (seed) => {
  const random = chance(seed);
  let stream = new Uint8Array(0);
  for (let i = 0; i < SPOILT; i++) {
    if (i % 20 === 0) stream = streamOf(random.one(Object.keys(kinds) as Kind[]), random.integer(2000), random.integer(2 ** 31)).slice(); // prettier-ignore
    const bytes = spoil(stream, random);
    const bench = benches[i % 8 === 0 ? 1 : 0]!;
    same(bench.inflate([bytes], random.one(rooms.slice(0, 4))), byZlib(bytes), `${bench.module.build}, stream ${i}`);
  }
});
