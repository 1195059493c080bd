// How long a message takes at half load: at half of the rate that the slowest contender reaches.
import { serve } from "./serve.mjs";

export async function latency({ order, ...spec }, runtime, settings) {
  const full = await serve({ ...spec, order, kind: "echo" }, runtime, { ...settings, rounds: 1 });
  const rate = Math.round(Math.min(...Object.values(full).map(([round]) => round.perSecond)) / 2);
  return serve({ ...spec, order: { ...order, rate }, kind: "paced" }, runtime, settings);
}
