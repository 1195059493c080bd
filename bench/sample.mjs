// What any process of the bench says of itself: its clock, and the CPU time of all its threads, both in milliseconds.
import process from "node:process";

export function sample() {
  const { user, system } = process.cpuUsage();
  return { now: performance.now(), cpu: (user + system) / 1000 };
}

/** What was used between two samples, as a share of one core. */
export const share = (from, to) => (to.cpu - from.cpu) / (to.now - from.now);

/** What was counted between two samples, a second. */
export const perSecond = (from, to) => ((to.count - from.count) / (to.now - from.now)) * 1000;
