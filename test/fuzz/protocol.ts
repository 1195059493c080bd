import * as fc from "fast-check";
import { processBudget } from "../../src/protocol/budget.ts";
import { codecs } from "../helpers/codecs.ts";
import { same } from "../helpers/decoding.ts";
import { Session } from "../helpers/session.ts";
import { concat, type Role } from "../helpers/wire.ts";
import type { Outcome } from "../helpers/outcome.ts";
import { model, type Rules } from "./model.ts";
import { property } from "./property.ts";
import { anyCuts, anyRole, bothRoles, cutAt, exampleStream, streamFor } from "./streams.ts";

interface Input {
  readonly role: Role;
  readonly rules: Rules;
  readonly build: number;
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
  /** Before which chunk this side starts the closing handshake, if it is so many. */
  readonly closesAt: number;
}

const maxLengths = [0, 1, 10, 100, 1000, 0x3ffffff];
const maxFragments = [0, 1, 2, 5, 65536];
const never = 255;

const inputs: fc.Arbitrary<Input> = anyRole.chain((role) =>
  fc.record({
    role: fc.constant(role),
    rules: fc.record({ maxLength: fc.constantFrom(...maxLengths), maxFragments: fc.constantFrom(...maxFragments) }),
    build: fc.nat(codecs.length - 1),
    bytes: streamFor(role),
    cuts: anyCuts,
    closesAt: fc.oneof({ weight: 3, arbitrary: fc.constant(never) }, fc.nat(6)),
  }),
);

/** As the model has it; who has sent a Close frame sends no other (§5.5.1), and listens for the peer's. */
function expectedOf({ role, rules, closesAt }: Input, chunks: readonly Uint8Array[]): Outcome {
  const outcome = model(role, concat(chunks), rules);
  if (closesAt >= chunks.length) return outcome;
  const before = model(role, concat(chunks.slice(0, closesAt)), rules);
  if (before.readyState !== "open") return outcome;
  return { ...outcome, sent: [["close", 3000, "ours"]], readyState: "closing" };
}

function check(input: Input): void {
  const { role, rules, build, bytes, cuts, closesAt } = input;
  const chunks = cutAt(bytes, cuts);
  const session = new Session(role, { codec: codecs[build]!, limits: rules });
  chunks.forEach((chunk, i) => {
    if (i === closesAt) session.protocol.close(3000, Buffer.from("ours"));
    session.receive([chunk]);
  });
  same(session.end(), expectedOf(input, chunks), "protocol and model");
  same(processBudget.used, 0, "the memory that is given back");
}

export const protocol = property("protocol: what the model of RFC 6455 says", 2000, inputs, check, {
  read: (source) => ({
    role: source.one(bothRoles),
    rules: { maxLength: source.one(maxLengths), maxFragments: source.one(maxFragments) },
    build: source.number() % codecs.length,
    closesAt: source.one([never, 0, 1, 2]),
    cuts: source.numbers(),
    bytes: source.rest(),
  }),
  // By the build in JavaScript, whose coverage can be seen.
  examples: bothRoles.map((role, i) => concat([Uint8Array.of(i, 5, 4, 2, 0, 0), exampleStream(role)])),
});
