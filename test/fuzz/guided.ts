/**
 * A search that coverage guides: bytes that run code which none before has run are kept, and others are made of them.
 * The engine's own counters tell; the codec's build in JavaScript is seen by them too, and WebAssembly is not.
 *
 * @module
 */
import { Session, type Profiler } from "node:inspector";
import * as fc from "fast-check";
import { anyMutation, mutate } from "./streams.ts";
import type { Property } from "./property.ts";

/** Mostly at the front, where the choices and the first frames are. */
const anyMutations = fc.array(
  fc.oneof(
    anyMutation,
    anyMutation.map((mutation) => ({ ...mutation, at: mutation.at % 24 })),
  ),
  { minLength: 1, maxLength: 8, size: "max" },
);

/** What a run has reached: each block, by how often it ran, in powers of two. */
class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Counts what ran since the last call; answers whether any of it is new. */
  isNew(): boolean {
    const before = this.#seen.size;
    // In a session of the own thread the answer comes at once.
    this.#session.post("Profiler.takePreciseCoverage", (_error, { result }) => this.#add(result));
    return this.#seen.size > before;
  }

  #add(scripts: readonly Profiler.ScriptCoverage[]): void {
    for (const { ranges } of scripts.filter(({ url }) => url === import.meta.url).flatMap((each) => each.functions))
      for (const { startOffset, endOffset, count } of ranges)
        if (count > 0) this.#seen.add(`${startOffset} ${endOffset} ${Math.floor(Math.log2(count))}`);
  }

  get size(): number {
    return this.#seen.size;
  }

  end(): void {
    this.#session.disconnect();
  }
}

/** Searches until `isOver`; throws what the check of an input throws, with the input. */
export function search({ name, byBytes }: Property, seed: number, isOver: () => boolean): string {
  const coverage = new Coverage();
  const kept: Uint8Array[] = [...byBytes!.examples];
  let tried = 0;
  try {
    for (let round = 0; !isOver(); round++) {
      for (const mutations of fc.sample(anyMutations, { seed: seed + round, numRuns: 200 })) {
        // The newest are where there is more to be found.
        const base = kept[Math.max(kept.length - 1 - (tried % 40), tried % kept.length)]!;
        const bytes = mutate(base, mutations);
        tried++;
        try {
          byBytes!.check(bytes);
        } catch (cause) {
          throw new Error(`${name} fails for the bytes ${Buffer.from(bytes).toString("hex")}`, { cause });
        }
        if (coverage.isNew()) kept.push(bytes);
      }
    }
  } finally {
    coverage.end();
  }
  return `${name.split(":")[0]!}: ${tried} tried, ${kept.length} kept, ${coverage.size} blocks and counts`;
}
