// The bench: hybi beside the runtime's raw sockets and its other WebSockets, each in a process of its own on one core,
// the load on another, in alternation. Prints tables, and keeps what was measured.
//
//   npm run bench -- [--runtime node]… [--case echo-64]… [--rounds 5] [--seconds 1.5] [--json build/bench.json]
//
// `--contender ws` measures that one beside hybi only, `--connections 10` takes so many. README.md says what is
// measured, and how.
import process from "node:process";
import { parseArgs } from "node:util";
import { cases } from "./cases.mjs";
import { servers } from "./contenders.mjs";
import { serve } from "./kinds/serve.mjs";
import { canPin, versions } from "./processes.mjs";
import { keep } from "./report.mjs";
import { rates } from "./table.mjs";

const { values } = parseArgs({
  options: {
    runtime: { type: "string", multiple: true, default: Object.keys(servers) },
    case: { type: "string", multiple: true, default: Object.keys(cases) },
    contender: { type: "string", multiple: true },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1.5" },
    connections: { type: "string" },
    json: { type: "string", default: "build/bench.json" },
  },
});

function must(names, known, what) {
  for (const name of names)
    if (!Object.hasOwn(known, name)) throw new Error(`The ${what} are ${Object.keys(known).join(", ")}, not ${name}.`);
}
must(values.runtime, servers, "runtimes");
must(values.case, cases, "cases");

const settings = { rounds: Number(values.rounds), ms: 1000 * Number(values.seconds) };

/** Says how far it is, where someone looks on. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function measure(name, runtime) {
  const { title, kind, unit, order, args, env, aims } = cases[name];
  const contenders = Object.fromEntries(
    Object.entries(servers[runtime]).filter(([name]) => name === "hybi" || (values.contender?.includes(name) ?? true)),
  );
  const size = values.connections ? { connections: Number(values.connections) } : {};
  const taken = { ...order, ...size };
  const results = await serve({ order: taken, kind, args, env }, runtime, {
    ...settings,
    names: Object.keys(contenders),
    onRound: (contender, round) => progress(`${runtime} ${name} ${contender} ${round + 1}/${settings.rounds}`),
  });
  progress("");
  const record = { case: name, runtime, title, unit, kind, order: taken, settings };
  return { ...record, aims: aims[runtime], contenders, results };
}

console.log(`${values.rounds} rounds of ${values.seconds} s, ${canPin ? "pinned to cores" : "not pinned to cores"}`);
for (const runtime of values.runtime) {
  for (const name of values.case) {
    const record = await measure(name, runtime);
    console.log(rates(record));
    keep(values.json, [{ ...record, version: versions[runtime] }]);
  }
}
