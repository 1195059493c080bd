// Cost as work grows: the server's CPU time a message, over connections, bytes and fragments. Says where it grows faster
// than the work.
//
// `--most 1000` leaves out the points beyond.
//
//   npm run bench:curves -- [--runtime node]… [--curve payload]… [--rounds 3] [--seconds 1] [--json build/bench.json]
import { parseArgs } from "node:util";
import { servers } from "./contenders.mjs";
import { serve } from "./kinds/serve.mjs";
import { versions } from "./processes.mjs";
import { keep, read } from "./report.mjs";
import { median } from "./stats.mjs";
import { steps, sweeps } from "./sweeps.mjs";
import { align, times } from "./table.mjs";

const { values } = parseArgs({
  options: {
    runtime: { type: "string", multiple: true, default: Object.keys(servers) },
    curve: { type: "string", multiple: true, default: Object.keys(sweeps) },
    most: { type: "string", default: "Infinity" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "1" },
    json: { type: "string", default: "build/bench.json" },
  },
});
// Nothing is measured that could not be kept.
read(values.json);
const settings = { rounds: Number(values.rounds), ms: 1000 * Number(values.seconds), onRound: () => undefined };

async function measure(name, runtime, contenders) {
  const { points, order } = sweeps[name];
  const measured = [];
  for (const x of points.filter((x) => x <= Number(values.most))) {
    const names = Object.keys(contenders);
    const results = await serve({ kind: "echo", order: order(x) }, runtime, { ...settings, names });
    const costs = names.map((one) => [one, median(results[one].map((round) => round.microseconds))]);
    measured.push({ x, microseconds: Object.fromEntries(costs) });
  }
  return measured;
}

function print({ case: name, title, runtime, contenders, points }) {
  const sweep = sweeps[name.replace("curve-", "")];
  const names = Object.keys(contenders);
  const peer = names.find((one) => one !== "hybi");
  const each = sweep.grows ? ["hybi, ns each"] : [];
  const head = ["", ...names.map((one) => `${contenders[one].label}, µs`), ...each, "its × hybi"];
  const rows = points.map(({ x, microseconds }) => [
    `  ${sweep.label(x)}`,
    ...names.map((one) => microseconds[one].toFixed(2)),
    ...(sweep.grows ? [((microseconds.hybi / x) * 1000).toFixed(2)] : []),
    times(microseconds[peer] / microseconds.hybi),
  ]);
  console.log(`\nCPU time a message over ${title} · ${runtime}`);
  for (const line of align([head, ...rows])) console.log(line);
  for (const one of names)
    for (const { from, to, beyond } of steps(sweep, points, one))
      console.log(
        `  ${contenders[one].label}: from ${sweep.label(from)} to ${sweep.label(to)} it costs ${times(beyond)} × what it would if it were linear.`,
      );
  if (sweep.note) console.log(`  ${sweep.note}`);
}

for (const runtime of values.runtime) {
  const { hybi, ws, builtin } = servers[runtime];
  const contenders = ws ? { hybi, ws } : { hybi, builtin };
  for (const name of values.curve) {
    if (!sweeps[name]) throw new Error(`The curves are ${Object.keys(sweeps).join(", ")}, not ${name}.`);
    const points = await measure(name, runtime, contenders);
    const of = { case: `curve-${name}`, runtime, version: versions[runtime], kind: "curve" };
    const record = { ...of, title: sweeps[name].title, settings, contenders, points };
    print(record);
    keep(values.json, [record]);
  }
}
