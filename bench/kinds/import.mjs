// What importing hybi costs: the time of whole processes that do and that do not, in alternation, and what the process
// says itself. In milliseconds.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MEASURED, canPin, commands } from "../processes.mjs";

const cwd = fileURLToPath(new URL("../..", import.meta.url));

const importing = (specifier) => `const from = performance.now();
${specifier ? `await import(${JSON.stringify(specifier)});` : ""}
console.log(performance.now() - from);`;

/** What the contenders run. */
export const programs = {
  hybi: importing("hybi"),
  empty: importing(),
  module: importing("data:text/javascript,"),
  net: importing("node:net"),
  ws: importing("ws"),
};

/** So many runs stand for one round. */
const RUNS = 10;

function run(program) {
  const [node] = commands.node;
  const pin = canPin ? ["taskset", "--cpu-list", String(MEASURED)] : [];
  const [command, ...args] = [...pin, node, "--input-type=module", "--eval", program];
  const from = performance.now();
  const { stdout, status } = spawnSync(command, args, { cwd, encoding: "latin1" });
  const whole = performance.now() - from;
  if (status !== 0) throw new Error(`${program} ended with ${status}.`);
  return { whole, inside: Number(stdout) };
}

export async function imported(spec, runtime, { names, rounds, onRound }) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = 1; i <= rounds * RUNS; i++) {
    for (const name of names) {
      results[name].push(run(programs[name]));
      onRound(name, Math.ceil(i / RUNS));
    }
  }
  return results;
}
