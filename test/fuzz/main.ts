/**
 * Tries the properties with new inputs for as long as is wanted: `npm run fuzz -- --minutes 10 --only head`.
 *
 * A failure prints its seed, with which the same batch comes again, and the smallest input that was found; the exit code
 * is then 1. With `--guided` the search goes by coverage instead, over those properties that can read bytes.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { properties } from "./properties.ts";
import { search } from "./guided.ts";
import type { Property } from "./property.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
    guided: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const firstSeed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const chosen = properties.filter(
  ({ name, byBytes }) => name.startsWith(values.only) && (byBytes !== undefined || !values.guided),
);
if (!(minutes > 0) || !Number.isInteger(firstSeed) || chosen.length === 0) {
  const names = properties.map(({ name }) => `  ${name}`).join("\n");
  console.error(
    `Usage: npm run fuzz -- [--minutes 5] [--seed 1] [--only name] [--guided]\nnames, or their beginnings:\n${names}`,
  );
  process.exit(2);
}

/** What is being tried, for an error that comes outside of any check. */
let current = "";
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

function fail(error: unknown): never {
  console.error(`\nFAILED ${current}\n`, error);
  process.exit(1);
}

async function tryBatch({ name, property, runs }: Property, seed: number): Promise<void> {
  current = `${name}\nAgain: npm run fuzz -- --only "${name}" --seed ${seed}`;
  const details = await fc.check(property, { seed, numRuns: runs, interruptAfterTimeLimit: 60_000 });
  if (details.failed) fail(`${fc.defaultReportMessage(details) ?? ""}\n${String(details.errorInstance)}`);
}

const started = performance.now();
const elapsed = (): number => (performance.now() - started) / 60_000;
const tried = new Map(chosen.map(({ name }) => [name, 0]));
console.log(`Seed ${firstSeed}, ${minutes} minutes.`);
let reported = 0;
if (values.guided) {
  for (const [i, each] of chosen.entries()) {
    current = `${each.name}, guided, by the seed ${firstSeed}`;
    console.log(search(each, firstSeed, () => elapsed() > (minutes * (i + 1)) / chosen.length));
  }
}
for (let round = 0; elapsed() < minutes; round++) {
  for (const each of chosen) {
    await tryBatch(each, firstSeed + round);
    tried.set(each.name, tried.get(each.name)! + each.runs);
    if (elapsed() >= minutes) break;
  }
  if (elapsed() - reported < 0.5 && elapsed() < minutes) continue;
  reported = elapsed();
  const counts = [...tried].map(([name, count]) => `${name.split(":")[0]!} ${count}`).join(", ");
  console.log(`${elapsed().toFixed(1)} min: ${counts}`);
}
