import * as fc from "fast-check";
import type { DecoderLimits } from "../../src/codec/slot-decoder.ts";
import { codecs } from "../helpers/codecs.ts";
import { asParts, decodeChunks, decodePublicly, reference, same } from "../helpers/decoding.ts";
import { concat } from "../helpers/wire.ts";
import { property } from "./property.ts";
import { anyCuts, anyRole, bothRoles, cutAt, exampleStream, streamFor } from "./streams.ts";

interface Input {
  readonly limits: DecoderLimits;
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
}

const maxLengths = [0, 10, 100, 1000, Number.MAX_SAFE_INTEGER];
const maxFragments = [1, 2, 5, 0xffffffff];
const reservedBits = [0, 0x40, 0x70];

const inputs: fc.Arbitrary<Input> = anyRole.chain((role) =>
  fc.record({
    limits: fc.record({
      role: fc.constant(role),
      maxLength: fc.constantFrom(...maxLengths),
      maxFragments: fc.constantFrom(...maxFragments),
      allowedRsv: fc.constantFrom(...reservedBits),
    }),
    bytes: streamFor(role),
    cuts: anyCuts,
  }),
);

function check({ limits, bytes, cuts }: Input): void {
  const expected = reference(bytes, limits);
  const chunks = cutAt(bytes, cuts);
  for (const codec of codecs) {
    same(decodeChunks(codec, limits, chunks), expected, codec.build);
    same(decodePublicly(codec, limits, chunks), asParts(expected), `${codec.build}, by the public class`);
  }
}

export const decoder = property("decoder: the same events at every cut, in each build", 600, inputs, check, {
  read: (source) => ({
    limits: {
      role: source.one(bothRoles),
      maxLength: source.one(maxLengths),
      maxFragments: source.one(maxFragments),
      allowedRsv: source.one(reservedBits),
    },
    cuts: source.numbers(),
    bytes: source.rest(),
  }),
  examples: bothRoles.map((role, i) => concat([Uint8Array.of(i, 4, 3, 1, 0), exampleStream(role)])),
});
