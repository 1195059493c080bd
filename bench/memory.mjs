// What an idle connection costs a server, beside the runtime's raw socket and its other WebSockets: each server in a
// process of its own, in alternation. Prints bytes a connection, of the process (RSS) and of its heap, both after garbage
// was collected. The first connections are left out, since they bring code and tables that all the others share.
//
//   npm run bench:memory -- [--runtime node] [--connections 10000] [--rounds 3]
//
// RSS is read from /proc, or from `ps`: Linux, macOS and the BSDs.
import { fork, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { residentSet } from "./resident-set.mjs";

const { values } = parseArgs({
  options: {
    runtime: { type: "string", multiple: true, default: ["node", "deno", "bun"] },
    connections: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
  },
});
const connections = Number(values.connections);
const rounds = Number(values.rounds);
const FIRST = 200;
/** A load has a port of its address for each connection; this many leave some to others. */
const MOST_OF_A_LOAD = 10_000;

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const binary = (name) => path(`../node_modules/.bin/${name}`);

const runtimes = {
  node: {
    command: [process.execPath, "--expose-gc"],
    contenders: { raw: "raw", ws: "ws", hybi: "hybi" },
  },
  deno: {
    command: [binary("deno"), "run", "--allow-all", "--v8-flags=--expose-gc"],
    contenders: { raw: "deno-raw", "Deno.serve": "deno-serve", hybi: "hybi" },
  },
  bun: {
    command: [binary("bun")],
    contenders: { raw: "bun-raw", "Bun.serve": "bun-serve", hybi: "hybi" },
  },
};

/** What a child says next; fails when it ends instead. */
function answer(child) {
  return new Promise((resolve, reject) => {
    const ended = (code, signal) => reject(new Error(`${child.spawnargs.join(" ")} ended with ${code ?? signal}.`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message);
    });
  });
}

async function measure([command, ...args], server) {
  const child = spawn(command, [...args, path(`servers/${server}.mjs`)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const loads = Array.from({ length: Math.ceil(connections / MOST_OF_A_LOAD) }, () => fork(path("idle.mjs")));
  try {
    const { port, pid } = await answer(child);
    const open = async (load, count) => {
      load.send({ port, count });
      return answer(load);
    };
    const memory = async () => {
      child.send("collect");
      const { heap } = await answer(child);
      return { heap, rss: residentSet(pid) };
    };
    await open(loads[0], FIRST);
    const before = await memory();
    await Promise.all(loads.map((load) => open(load, Math.ceil(connections / loads.length))));
    const after = await memory();
    for (const load of loads)
      if ((await open(load, 0)).closed > 0) throw new Error(`${server} closed a connection that was left idle.`);
    return { rss: (after.rss - before.rss) / connections, heap: (after.heap - before.heap) / connections };
  } finally {
    // They end by themselves when nobody is connected, also where a runtime runs behind a script.
    for (const one of [child, ...loads]) if (one.connected) one.disconnect();
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const bytes = (number) => Math.round(number).toLocaleString("en").padStart(7);
const spread = (numbers) =>
  `${bytes(median(numbers))} (${[Math.min(...numbers), Math.max(...numbers)].map((n) => bytes(n).trim()).join(" to ")})`;

function checkDescriptors() {
  const limit = Number(spawnSync("sh", ["-c", "ulimit -n"], { encoding: "latin1" }).stdout);
  const needed = connections + FIRST + 100;
  if (!(limit < needed)) return;
  console.error(
    `A process may open ${limit} files here, and the server needs ${needed}: raise it (ulimit -n ${needed}),`,
  );
  console.error(`or measure fewer connections (--connections ${Math.max(1, limit - FIRST - 100)}).`);
  process.exit(1);
}

checkDescriptors();
for (const name of values.runtime) {
  const runtime = runtimes[name];
  if (!runtime) throw new Error(`The runtimes are ${Object.keys(runtimes).join(", ")}, not ${name}.`);
  const contenders = Object.entries(runtime.contenders);
  const results = Object.fromEntries(contenders.map(([contender]) => [contender, []]));
  for (let i = 0; i < rounds; i++)
    for (const [contender, server] of contenders) results[contender].push(await measure(runtime.command, server));

  const version = spawnSync(runtime.command[0], ["--version"], { encoding: "latin1" }).stdout.split("\n")[0];
  console.log(`\n${name} (${version}), ${connections} idle connections, ${rounds} rounds: bytes a connection`);
  const of = (contender, what) => results[contender].map((result) => result[what]);
  for (const [contender] of contenders)
    console.log(
      `  ${contender.padEnd(10)} RSS ${spread(of(contender, "rss"))}   heap ${spread(of(contender, "heap"))}`,
    );
  const above = (what) => bytes(median(of("hybi", what)) - median(of("raw", what))).trim();
  console.log(`  hybi is ${above("rss")} of RSS and ${above("heap")} of heap above raw`);
}
