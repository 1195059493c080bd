// The soak: a server in a process of its own, under connections that come and go, talk, stall, flood, break off and send
// garbage, for as long as it is told. Messages have to arrive whole, once and in order, and afterwards the server has to
// be what it was before. Prints a table; exits with 1 when a rule is broken.
//
//   npm run soak -- [--connections 10000] [--minutes 10] [--runtime node] [--seed 1]
//
// The rules of memory leave `--slack` MiB of RSS (default: 24), and a sixth of it of heap, for what a runtime keeps:
//   RSS          of the second half is at most 10 % above that of the first, both under load and drained;
//   heap         drained, it is at most 10 % above what it was after a first, shorter load that was drained as well;
//   all else     no connection and no decoder slot is left, and there are as many descriptors as after that load.
// What is measured is measured after garbage was collected. RSS and descriptors are read from /proc, without which (on
// macOS) RSS comes from `ps`, and descriptors are not looked at.
import { fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "10000" },
    minutes: { type: "string", default: "10" },
    runtime: { type: "string", default: "node" },
    seed: { type: "string", default: "1" },
    slack: { type: "string", default: "24" },
  },
});
const connections = Number(values.connections);
const minutes = Number(values.minutes);
const seed = Number(values.seed);
/** A short soak has everyone wait less, so that it sees as many connections come and go. */
const pace = Math.min(1, minutes / 2);
const handshakeTimeout = Math.max(4000, 10_000 * pace);
const MIB = 1 << 20;
/** The share of the places that is taken at least; in the others one connection is gone, and the next not there yet. */
const MOST = 0.75;
const slack = Number(values.slack) * MIB;

/** One process of clients for so many connections, but not more processes than a small machine has cores. */
const workers = connections > 1000 ? 2 : 1;
/** Each address has ports for so many connections and those that the system still remembers. Linux has 127.0.0.2 too. */
const addresses = process.platform === "linux" ? Math.ceil(connections / 2500) : 1;
const hosts = Array.from({ length: addresses }, (_, i) => `127.0.0.${i + 1}`);

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const binary = (name) => path(`../node_modules/.bin/${name}`);
const commands = {
  node: [process.execPath, "--expose-gc"],
  deno: [binary("deno"), "run", "--allow-all", "--v8-flags=--expose-gc"],
  bun: [binary("bun")],
};

/** Descriptors that the server's process needs, with those that are on their way out. */
const needed = Math.ceil(connections * 1.2) + 200;

/** Has a shell raise the limit for the server, as far as the system lets it. */
function withDescriptors(command) {
  const limit = spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "latin1" }).stdout.trim();
  if (limit !== "unlimited" && Number(limit) < needed) {
    console.error(`A process may open ${limit} files here at the most, and the server needs ${needed}:`);
    console.error(`have the limit raised (ulimit -Hn), or take fewer connections (--connections).`);
    process.exit(1);
  }
  return ["sh", "-c", `[ "$(ulimit -n)" -ge ${needed} ] || ulimit -n ${needed}; exec "$0" "$@"`, ...command];
}

const command = commands[values.runtime];
if (!command) throw new Error(`The runtimes are ${Object.keys(commands).join(", ")}, not ${values.runtime}.`);
const [shell, ...args] = withDescriptors([
  ...command,
  path("soak/server.mjs"),
  String(seed),
  String(handshakeTimeout),
  ...hosts,
]);
const server = spawn(shell, args, { stdio: ["ignore", "inherit", "pipe", "ipc"] });
let complaints = "";
server.stderr.on("data", (chunk) => (complaints += chunk));
const children = [server];
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
server.on("exit", (code, signal) => {
  console.error(`The server ended with ${code ?? signal}: ${complaints}`);
  process.exit(1);
});

/** What a child says next. */
const answer = async (child) => (await once(child, "message"))[0];

const { urls, pid } = await answer(server);

function residentSet() {
  if (existsSync("/proc/self/status"))
    return 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1]);
  return 1024 * Number(spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "latin1" }).stdout);
}

const descriptors = () => (existsSync("/proc/self/fd") ? readdirSync(`/proc/${pid}/fd`).length : 0);

async function ask(rounds) {
  server.send({ rounds });
  const told = await answer(server);
  return { ...told, rss: residentSet(), descriptors: descriptors() };
}

const rows = [];
/** Measures, and takes the measures down. */
async function measure(when) {
  const now = await ask(minutes < 1 ? 5 : 25);
  const { rss, heap, descriptors, slots, counts } = now;
  rows.push({
    when,
    connections: now.connections,
    slots,
    descriptors,
    "RSS MiB": Number((rss / MIB).toFixed(1)),
    "heap MiB": Number((heap / MIB).toFixed(1)),
    "connections so far": counts.connections ?? 0,
    "messages so far": (counts["messages received"] ?? 0) + (counts["messages sent"] ?? 0),
  });
  return now;
}

const clients = Array.from({ length: workers }, () => {
  const child = fork(path("soak/client.mjs"));
  child.on("exit", (code, signal) => {
    console.error(`The clients ended with ${code ?? signal}.`);
    process.exit(1);
  });
  children.push(child);
  return child;
});

function load(round) {
  const places = Math.floor(connections / workers);
  for (const [worker, child] of clients.entries()) child.send({ urls, seed: seed + round, worker, places, pace });
}

/** Empties the places; answers what the clients have to say. */
async function drain() {
  const reports = clients.map(answer);
  for (const child of clients) child.send("drain");
  return Promise.all(reports);
}

/** Waits until the server is rid of its connections, which its timeouts bound. */
async function drained(most) {
  for (const from = performance.now(); performance.now() - from < 30_000; await sleep(200)) {
    const { connections, slots } = await ask(0);
    if (connections === 0 && slots === 0 && descriptors() <= most) return;
  }
}

/** Waits until most of the places are taken, which a machine that is busy with other things may never see. */
async function loaded() {
  for (const from = performance.now(); performance.now() - from < 300_000; await sleep(200))
    if ((await ask(0)).connections >= MOST * connections) return;
}

let reports;
/** Loads the server for a part of the time, and drains it again; answers what it was under the load, and after it. */
async function part(name, round, share, most) {
  load(round);
  await loaded();
  await sleep(minutes * 60_000 * share);
  const under = await measure(name);
  reports = await drain();
  await drained(most);
  return { under, after: await measure(`${name}, drained`) };
}

const { after: before } = await part("warm", 0, 0.2, descriptors());
const first = await part("first half", 1, 0.4, before.descriptors);
const second = await part("second half", 2, 0.4, before.descriptors);
const { after } = second;

for (const child of [server, ...clients]) child.removeAllListeners("exit");
for (const child of [server, ...clients]) child.disconnect();

console.log(`\n${values.runtime}, ${connections} connections, ${minutes} minutes, seed ${seed}`);
console.table(rows);

const counts = { ...after.counts };
for (const report of reports)
  for (const [name, count] of Object.entries(report.counts))
    counts[`clients: ${name}`] = (counts[`clients: ${name}`] ?? 0) + count;
for (const [name, count] of Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
  console.log(`  ${name.padEnd(40)} ${count.toLocaleString("en").padStart(14)}`);

const violations = [...after.violations, ...reports.flatMap(({ violations }) => violations)];
const broken = [];
const rule = (isKept, text) => {
  console.log(`  ${isKept ? "kept  " : "BROKEN"} ${text}`);
  if (!isKept) broken.push(text);
};
const inMib = (bytes) => (bytes / MIB).toFixed(1);
const atMost = (what, now, then, share, more) =>
  rule(
    now <= then * share + more,
    `${what}: ${inMib(now)} MiB, where ${inMib(then)} × ${share} + ${inMib(more)} are allowed`,
  );
console.log("\nRules");
rule(
  Math.min(first.under.connections, second.under.connections) >= (MOST - 0.1) * connections,
  `the load is there: ${first.under.connections} and ${second.under.connections} connections in the halves`,
);
rule(
  (counts["clients: messages acknowledged"] ?? 0) > 0,
  `messages are acknowledged: ${counts["clients: messages acknowledged"] ?? 0}`,
);
atMost("RSS under load", second.under.rss, first.under.rss, 1.1, slack);
atMost("RSS when drained", after.rss, first.after.rss, 1.1, slack);
atMost("heap when drained", after.heap, before.heap, 1.1, slack / 6);
rule(after.connections === 0, `connections left: ${after.connections}`);
rule(after.slots === 0, `decoder slots left: ${after.slots}`);
rule(after.descriptors === before.descriptors, `descriptors: ${after.descriptors}, as before: ${before.descriptors}`);
rule(complaints === "", `the server has nothing to complain about${complaints && `: ${complaints}`}`);
rule(violations.length === 0, "messages arrived whole, once and in order, and connections ended as they should");
for (const text of violations) console.log(`  ${text}`);
process.exit(broken.length > 0 ? 1 : 0);
