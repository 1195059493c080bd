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
import { certificate } from "./certificate.mjs";
import { clients, imports, servers } from "./contenders.mjs";
import { idle } from "./kinds/idle.mjs";
import { imported } from "./kinds/import.mjs";
import { latency } from "./kinds/latency.mjs";
import { receive } from "./kinds/receive.mjs";
import { serve } from "./kinds/serve.mjs";
import { canPin, versions } from "./processes.mjs";
import { keep, read } from "./report.mjs";
import { table } from "./table.mjs";

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
// Nothing is measured that could not be kept.
read(values.json);

const settings = { rounds: Number(values.rounds), ms: 1000 * Number(values.seconds) };

/** Says how far it is, where someone looks on. */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** How a kind of case is measured, and of whom. */
const kinds = {
  echo: [serve, servers],
  broadcast: [serve, servers],
  handshakes: [serve, servers],
  push: [receive, clients],
  idle: [idle, servers],
  latency: [latency, servers],
  import: [imported, imports],
};

/** What a server that listens with TLS has to be told. */
async function secured({ args = [], isSecure, order, ...rest }) {
  if (!isSecure) return { args, order, ...rest };
  const env = { BENCH_TLS: JSON.stringify(await certificate()) };
  return { ...rest, args: [...args, "--tls"], env, order: { ...order, tls: true } };
}

async function measure(name, runtime) {
  const { args, env, aims, ...rest } = await secured(cases[name]);
  const order = { ...rest.order, ...(values.connections && { connections: Number(values.connections) }) };
  const [work, all] = kinds[rest.kind];
  const only = rest.only ?? Object.keys(all[runtime]);
  const isAsked = (contender) =>
    contender === "hybi" || (only.includes(contender) && (values.contender?.includes(contender) ?? true));
  const contenders = Object.fromEntries(Object.entries(all[runtime]).filter(([contender]) => isAsked(contender)));
  const results = await work({ ...rest, order, args, env }, runtime, {
    ...settings,
    names: Object.keys(contenders),
    onRound: (contender, round) => progress(`${runtime} ${name} ${contender} ${round}/${settings.rounds}`),
  });
  progress("");
  const of = { case: name, runtime, version: versions[runtime] };
  return { ...of, ...rest, title: rest.title(order), order, settings, aims: aims?.[runtime], contenders, results };
}

console.log(`${values.rounds} rounds of ${values.seconds} s, ${canPin ? "pinned to cores" : "not pinned to cores"}`);
for (const runtime of values.runtime) {
  for (const name of values.case.filter((name) => Object.hasOwn(kinds[cases[name].kind][1], runtime))) {
    try {
      const record = await measure(name, runtime);
      console.log(table(record));
      keep(values.json, [record]);
    } catch (error) {
      // The other cases may go well all the same.
      console.error(`\n${name} · ${runtime} failed: ${error.message}`);
      process.exitCode = 1;
    }
  }
}
