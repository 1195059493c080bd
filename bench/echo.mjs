// Echo, against ws and against a raw `net` echo of the same bytes: each in a process of its own on one core, the load on
// another, in alternation. Prints messages a second, and their ratio to raw round by round.
//
//   npm run bench -- [--rounds 5] [--seconds 2] [--case 100x64x16]
import { fork, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    case: { type: "string", multiple: true, default: ["100x64x16", "100x20x1", "100x1024x16b", "50x16384x4b"] },
  },
});
const contenders = ["raw", "ws", "hybi"];
const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

function start(file, core) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)));
  if (canPin) spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(child.pid)]);
  return child;
}

const answer = (child) => new Promise((resolve) => child.once("message", resolve));

function parseCase(text) {
  const [, connections, size, inFlight, binary] = /^(\d+)x(\d+)x(\d+)(b?)$/.exec(text) ?? [];
  if (!size) throw new Error(`A case is CONNECTIONSxBYTESxINFLIGHT, with b behind it for binary, not ${text}.`);
  return { text: !binary, connections: +connections, size: +size, inFlight: +inFlight };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const round = (number) => number.toFixed(2);

const load = start("load.mjs", 1);
const servers = {};
const ports = {};
for (const name of contenders) {
  servers[name] = start(`servers/${name}.mjs`, 0);
  ports[name] = (await answer(servers[name])).port;
}

try {
  console.log(
    `Node ${process.versions.node}, ${values.rounds} rounds of ${values.seconds} s${canPin ? ", pinned" : ""}`,
  );
  for (const text of values.case) {
    const order = { ...parseCase(text), warmUp: 500, duration: Number(values.seconds) * 1000 };
    const results = Object.fromEntries(contenders.map((name) => [name, []]));
    let busiest = 0;
    for (let i = 0; i < Number(values.rounds); i++) {
      for (const name of contenders) {
        load.send({ ...order, port: ports[name], masked: name === "raw" });
        const result = await answer(load);
        results[name].push(result.perSecond);
        busiest = Math.max(busiest, result.load);
      }
    }
    console.log(
      `\n${order.connections} connections × ${order.size} B ${order.text ? "text" : "binary"} × ${order.inFlight} in flight`,
    );
    for (const name of contenders) {
      const ratios = results[name].map((perSecond, i) => perSecond / results.raw[i]);
      const spread = `${round(Math.min(...ratios))} to ${round(Math.max(...ratios))}`;
      const perSecond = Math.round(median(results[name])).toLocaleString("en");
      console.log(`  ${name.padEnd(5)} ${perSecond.padStart(10)} msg/s   ${round(median(ratios))} × raw (${spread})`);
    }
    const against = results.hybi.map((perSecond, i) => perSecond / results.ws[i]);
    console.log(
      `  hybi is ${round(median(against))} × ws (${round(Math.min(...against))} to ${round(Math.max(...against))})`,
    );
    if (busiest > 0.95)
      console.log(`  The load was at ${Math.round(busiest * 100)} % of its core: the figures are a lower bound.`);
  }
} finally {
  for (const child of [load, ...Object.values(servers)]) child.kill();
}
