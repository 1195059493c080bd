// Servers under a load: how many messages a second, and what each costs the server.
import { servers } from "../contenders.mjs";
import { Child, LOAD, MEASURED, sleep } from "../processes.mjs";
import { perSecond, share } from "../sample.mjs";

/** Milliseconds before the first sample. */
const WARM_UP = 500;

/** What was counted and used between two samples of both sides. */
export async function between(counting, measured, load, ms) {
  await sleep(Math.min(WARM_UP, ms));
  const both = () => Promise.all([measured.ask("sample"), load.ask("sample")]);
  const [measuredFrom, loadFrom] = await both();
  await sleep(ms);
  const [measuredTo, loadTo] = await both();
  const rate = counting === load ? perSecond(loadFrom, loadTo) : perSecond(measuredFrom, measuredTo);
  const busy = share(measuredFrom, measuredTo);
  return { perSecond: rate, microseconds: (busy / rate) * 1e6, busy, load: share(loadFrom, loadTo) };
}

/** Starts all contenders, and measures them in alternation. */
export async function serve({ order, kind, args = [], env }, runtime, { names, rounds, ms, onRound }) {
  const load = new Child("bun", "load.mjs", { core: LOAD });
  const children = [load];
  const started = [];
  try {
    for (const name of names) {
      const { file, comesBack } = servers[runtime][name];
      const child = new Child(runtime, `servers/${file}`, { args, env, core: MEASURED });
      children.push(child);
      const { port } = await child.answer();
      started.push({ name, child, order: { ...order, start: kind, port, comesBack } });
    }
    const results = Object.fromEntries(names.map((name) => [name, []]));
    // Round 0 is for compilers that only get to work on what is busy, and does not count.
    for (let i = 0; i <= rounds; i++) {
      for (const { name, child, order } of started) {
        onRound(name, i);
        await load.ask(order);
        const result = await between(load, child, load, ms);
        const told = await load.ask("stop");
        if (i > 0) results[name].push({ ...result, ...told });
      }
    }
    return results;
  } finally {
    for (const child of children) child.stop();
  }
}
