// What an idle connection costs a server: bytes a connection, of the process (RSS) and of its heap, both after garbage
// was collected. The first connections are left out, since they bring code and tables that all the others share.
import { spawnSync } from "node:child_process";
import { servers } from "../contenders.mjs";
import { Child } from "../processes.mjs";
import { residentSet } from "../resident-set.mjs";

const FIRST = 200;
/** A load has a port of its address for each connection; this many leave some to others. */
const MOST_OF_A_LOAD = 10_000;
/** As little as an echo would do with: the buffer that a read of Deno's waits with is part of its memory. */
const args = ["--buffer", "4096"];

function checkDescriptors(connections) {
  const limit = Number(spawnSync("sh", ["-c", "ulimit -n"], { encoding: "latin1" }).stdout);
  const needed = connections + FIRST + 100;
  if (limit < needed)
    throw new Error(
      `A process may open ${limit} files here, and the server needs ${needed}: raise it (ulimit -n ${needed}), ` +
        `or measure fewer connections (--connections ${Math.max(1, limit - FIRST - 100)}).`,
    );
}

async function measure(runtime, { file }, connections) {
  const server = new Child(runtime, `servers/${file}`, { args });
  const loads = Array.from({ length: Math.ceil(connections / MOST_OF_A_LOAD) }, () => new Child("node", "idle.mjs"));
  try {
    const { port, pid } = await server.answer();
    const memory = async () => {
      const { heap } = await server.ask("collect");
      return { heap, rss: residentSet(pid) };
    };
    await loads[0].ask({ port, count: FIRST });
    const before = await memory();
    const count = Math.ceil(connections / loads.length);
    await Promise.all(loads.map((load) => load.ask({ port, count })));
    const after = await memory();
    for (const load of loads)
      if ((await load.ask({ port, count: 0 })).closed > 0)
        throw new Error(`${file} closed a connection that was left idle.`);
    return { rss: (after.rss - before.rss) / connections, heap: (after.heap - before.heap) / connections };
  } finally {
    for (const child of [server, ...loads]) child.stop();
  }
}

/** Starts a contender after the other, each anew in each round, since memory that was freed is not given back. */
export async function idle({ order }, runtime, { names, rounds, onRound }) {
  checkDescriptors(order.connections);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let i = 1; i <= rounds; i++) {
    for (const name of names) {
      onRound(name, i);
      results[name].push(await measure(runtime, servers[runtime][name], order.connections));
    }
  }
  return results;
}
