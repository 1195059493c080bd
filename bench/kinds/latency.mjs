// How long a message takes at half load: at half of the rate that the slowest contender reaches, or less where the load
// itself, which here has each message leave by a write of its own, does not keep up.
import { serve } from "./serve.mjs";

/** Microseconds. A load that is this late with one message of a hundred falls behind. */
const LATE = 100_000;

export async function latency({ order, ...spec }, runtime, settings) {
  const full = await serve({ ...spec, order, kind: "echo" }, runtime, { ...settings, rounds: 1 });
  let rate = Math.min(...Object.values(full).map(([round]) => round.perSecond)) / 2;
  for (;;) {
    const paced = { ...spec, order: { ...order, rate: Math.round(rate) }, kind: "paced" };
    const results = await serve(paced, runtime, settings);
    if (Object.values(results).every((rounds) => rounds.some(({ delay }) => delay < LATE))) return results;
    rate /= 2;
  }
}
