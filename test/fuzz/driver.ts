/**
 * The driver under calls, bytes and breakdowns in any order. What must hold, whatever they are: `close` comes once and
 * last, every callback is called once, the state only moves forward, and both ways only the bytes of the RFC go over.
 *
 * @module
 */
import * as fc from "fast-check";
import { same } from "../helpers/decoding.ts";
import { frame, type Role } from "../helpers/wire.ts";
import { DriverBench, type Call, type Step } from "./driver-bench.ts";
import { property } from "./property.ts";
import { anyRole, streamFor } from "./streams.ts";

const anyBytes = fc.oneof(
  { weight: 10, arbitrary: fc.nat(200) },
  { weight: 1, arbitrary: fc.constantFrom(16_384, 70_000) },
);
const anyCall: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ call: fc.constant("send"), type: fc.constantFrom("text", "binary"), length: anyBytes, callback: fc.boolean() }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ call: fc.constant("fragment"), type: fc.constantFrom("text", "binary", "continuation"), length: anyBytes, fin: fc.boolean(), callback: fc.boolean() }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ call: fc.constantFrom("ping", "pong"), length: fc.nat(130), callback: fc.boolean() }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ call: fc.constant("close"), code: fc.constantFrom(1000, 3000, 1006) }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("loop"), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("terminate") }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constantFrom("pause", "resume", "read", "throw") }) },
);
const stepsFor = (role: Role): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: anyCall },
      { weight: 3, arbitrary: fc.record({ on: fc.constantFrom("open", "message", "ping", "pong", "drain", "error", "close"), do: anyCall }) }, // prettier-ignore
      { weight: 6, arbitrary: streamFor(role).map((bytes) => ({ peer: bytes })) },
      // The answer to whatever was asked, and the peer's Close.
      { weight: 2, arbitrary: fc.constantFrom(1000, 3001).map((code) => ({ peer: frame(8, [code >> 8, code & 255], { key: role === "server" ? [1, 2, 3, 4] : undefined }) })) }, // prettier-ignore
      {
        weight: 3,
        arbitrary: fc.record({ peerDoes: fc.constantFrom("end", "destroy", "pause", "resume", "answer", "answer") }),
      },
      { weight: 1, arbitrary: fc.constant({ breaks: true as const }) },
      { weight: 1, arbitrary: fc.constantFrom(100, 5000, 10_000).map((advance) => ({ advance })) },
      { weight: 8, arbitrary: fc.constantFrom(1, 2, 20).map((turns) => ({ turns })) },
    ),
    { maxLength: 30, size: "max" },
  );

const inputs = anyRole.chain((role) =>
  fc.record({
    role: fc.constant(role),
    chunkSize: fc.constantFrom(1, 3, 100, Infinity),
    /** Steps before the opening handshake is begun, and before it is answered. */
    early: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Step[]>([]) },
      stepsFor(role).map((steps) => steps.slice(0, 4)),
    ),
    meanwhile: fc.oneof({ weight: 3, arbitrary: fc.constant<Step[]>([]) }, stepsFor(role).map((steps) => steps.slice(0, 4))), // prettier-ignore
    answer: fc.oneof({ weight: 12, arbitrary: fc.constant("right" as const) }, fc.constantFrom("wrong" as const, "garbage" as const, "none" as const)), // prettier-ignore
    listens: fc.boolean(),
    options: fc.record({
      highWaterMark: fc.constantFrom(300, 1000, 65_536),
      maxQueuedBytes: fc.constantFrom(100, 3000, 2 ** 26),
      maxQueuedMessages: fc.constantFrom(2, 10, 2 ** 17),
      slowConsumer: fc.constantFrom("close", "wait", "drop-oldest", "drop-newest"),
      maxPendingPongs: fc.constantFrom(0, 2, 1024),
      heartbeat: fc.constantFrom(false as const, { interval: 20_000, timeout: 5000 }),
    }),
    steps: stepsFor(role),
  }),
);

export const driver = property("driver: any calls and any peer", 600, inputs, async (input) => {
  const bench = new DriverBench(input.role, input.chunkSize, input.listens, input.options);
  for (const step of input.early) await bench.step(step);
  bench.start();
  for (const step of input.meanwhile) await bench.step(step);
  await bench.answer(input.answer);
  for (const step of input.steps) await bench.step(step);
  await bench.finish();
  for (const { what, actual, expected } of bench.findings()) same(actual, expected, what);
});
