import { createHash } from "node:crypto";
import { constants, deflateRawSync } from "node:zlib";
import { samples } from "../bench/corpus.mjs";
import { deflate } from "hybi/deflate";
import { noise } from "../test/helpers/bytes.ts";
import { asParts, reference, unlimited } from "../test/helpers/decoding.ts";
import { roles } from "../test/helpers/session.ts";
import { streams } from "../test/helpers/streams.ts";
import { judge, malformed, validTexts } from "../test/helpers/utf8.ts";
import { Peer, bytesOf, concat, frameHeader, masked } from "../test/helpers/wire.ts";
import { answersOf, extensionNames, followed } from "../test/conformance/case.ts";
import { sections } from "../test/conformance/cases/index.ts";
import type { Attack } from "../test/hostile/arena.ts";
import { fields as fieldRows } from "../test/hostile/server-fields.ts";
import { requests as requestRows } from "../test/hostile/server-requests.ts";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const sizes = [0, 1, 2, 3, 4, 7, 15, 16, 17, 31, 33, 63, 64, 65, 125, 1000, 4096, 4097, 65_537];

/** The conformance cases, in both roles, and what comes behind them. */
const cases = roles.flatMap((role) =>
  sections.flatMap(({ title, cases }) =>
    cases.map((one) => {
      const limits = { ...unlimited(role), ...one.limits, allowedRsv: one.extension ? 0x40 : 0 };
      const peer = new Peer(role);
      const bytes = concat(one.frames(peer));
      return { one, name: `${title}: ${one.name}, as a ${role}`, role, limits, bytes, ...followed(peer, one) };
    }),
  ),
);

const table = roles.flatMap((role) => streams(role).map((row) => ({ ...row, name: `${row.name}, as a ${role}` })));

/** Messages that are whole, up to what fails the connection: by the outcome that the conformance suite has for it. */
const inflating = cases
  .filter(({ one }) => one.extension === "deflate")
  .map(({ name, bytes, limits, one }) => {
    const { events } = one.expected;
    const failed = events.find(([kind]) => kind === "failed");
    const messages = events.filter(([kind]) => kind === "text" || kind === "binary");
    return { name, bytes: base64(bytes), limits, expected: { messages, closeCode: failed?.[1] } };
  });

const keys = [[0x37, 0xfa, 0x21, 0x3d], [0, 0, 0, 0], [255, 0, 255, 1]]; // prettier-ignore
const acceptKeys = ["dGhlIHNhbXBsZSBub25jZQ==", ...[1, 2, 3].map((seed) => base64(noise(16, seed)))];
const utf8 = [...validTexts.map((text) => ["valid", [...bytesOf(text)]] as const), ...malformed];
const forms: readonly bigint[] = [0n, 1n, 125n, 126n, 127n, 65535n, 65536n, 2n ** 32n, 2n ** 53n - 1n];

/** The cases as one sees them who uses `hybi/driver`, which answers Pings and does not tell of Close frames. */
const protocol = cases.map(({ one, name, role, bytes, late, outcome }) => ({
  name,
  role,
  limits: one.limits,
  extension: one.extension && extensionNames[one.extension],
  bytes: base64(concat([bytes, ...late])),
  expected: {
    ...outcome,
    events: outcome.events.filter(([kind]) => kind !== "closeDone"),
    sent: answersOf(outcome),
  },
}));

/** Requests that a server refuses, or of which it takes no extension and no subprotocol; but for the longest. */
const requests = Object.values<readonly Attack[]>({ ...requestRows, ...fieldRows })
  .flat()
  .flatMap(({ name, request }) => {
    if (!request || request.bytes.length > 50_000 || request.options?.extensions) return [];
    const { bytes, options, status } = request;
    return [{ name, bytes: Buffer.from(bytes, "latin1").toString("base64"), options, expected: status }];
  });

/** What the codec, DEFLATE and the protocol answer, by the models and the peers that the tests of each hold them to. */
export const vectors = {
  decoding: [...table, ...cases].map(({ name, bytes, limits }) => {
    const expected = asParts(reference(bytes, limits));
    return { name, bytes: base64(bytes), limits, expected };
  }),
  inflating,
  masking: keys.flatMap((key) =>
    sizes.flatMap((size) =>
      [0, 1, 2, 3].map((phase) => {
        const bytes = noise(size, size + 1);
        return { name: `${size} bytes, phase ${phase}`, bytes: base64(bytes), key, phase, expected: base64(masked(bytes, key, phase)) }; // prettier-ignore
      }),
    ),
  ),
  utf8: utf8.map(([name, bytes]) => ({
    name,
    bytes: base64(Uint8Array.from(bytes)),
    expected: judge(bytes).verdict === "whole",
  })),
  accepting: acceptKeys.map((key) => ({
    name: key,
    key,
    expected: createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64"),
  })),
  headers: forms.flatMap((length) =>
    [0, 1, 2, 8, 9, 10, 15].flatMap((opcode) =>
      [{}, { fin: false, rsv: 0x40 }, { key: [1, 2, 3, 4], rsv: 0x70 }].map((fields) => ({
        name: `opcode ${opcode}, length ${length}`,
        fields: { ...fields, opcode },
        length: Number(length),
        expected: base64(frameHeader(opcode, length, fields)),
      })),
    ),
  ),
  deflating: samples([0, 1, 10, 1000, 40_000]).flatMap(
    ({ name, bytes }) =>
    [0, 1, 6, 9].map((level) => ({ name: `${name} at level ${level}`, bytes: base64(bytes), level, expected: base64(deflate(bytes, { level })) })), // prettier-ignore
  ),
  zlib: samples([0, 1, 10, 1000, 40_000]).flatMap(({ name, bytes }) =>
    [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY].map((strategy) => ({
      name: `${name} by strategy ${strategy}`,
      stream: base64(deflateRawSync(bytes, { strategy })),
      expected: base64(bytes),
    })),
  ),
  requests,
  protocol,
};

export type Kind = keyof typeof vectors;
export const kinds = Object.keys(vectors) as Kind[];

/**
 * Those that tell in a moment whether a build works. A worker has the engine of its page, and a bundler cannot look into
 * a module: where only one of these is new, the others would do what has been done already.
 */
const brief: readonly Kind[] = ["inflating", "masking", "utf8", "accepting", "headers"];

/** What a build is held to in a place: everything, unless the same code runs in the same engine elsewhere. */
export const kindsFor = (isElsewhere: boolean): readonly Kind[] => (isElsewhere ? brief : kinds);
