// What compression costs. In this process, hybi's DEFLATE beside node:zlib, in alternation: a pair of compression and
// decompression for JSON messages of 1 KiB, and 1 MiB of text at each level, with the sizes. Then, in processes of their
// own, an echo server of hybi's beside one of ws's: messages a second, and what connections keep.
//
//   npm run bench:deflate -- [--rounds 5] [--seconds 2] [--connections 64] [--in-flight 1] [--only pair]
import { fork, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as zlib from "node:zlib";
import { Deflater, Inflater, deflate, inflate } from "hybi/deflate";
import { kinds, messages } from "./corpus.mjs";
import { residentSet } from "./resident-set.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    connections: { type: "string", default: "64" },
    "in-flight": { type: "string", default: "1" },
    only: { type: "string", multiple: true, default: ["pair", "text", "size", "echo", "memory"] },
  },
});
const rounds = Number(values.rounds);

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const spread = (numbers, digits = 2) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)})`;
/** Microseconds that `work` took. */
function timed(work) {
  const from = performance.now();
  work();
  return (performance.now() - from) * 1000;
}

/** Has the contenders take turns, once more than is counted, so that all are warm; answers what each took each time. */
function alternate(contenders) {
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let i = 0; i <= rounds; i++)
    for (const [name, work] of Object.entries(contenders)) {
      const micros = timed(work);
      if (i > 0) results[name].push(micros);
    }
  return results;
}

function print(name, figure, results, base, what = "the time of ") {
  const ratios = results[name].map((micros, i) => micros / results[base][i]);
  console.log(`  ${name.padEnd(22)} ${figure.padStart(22)}   ${spread(ratios)} × ${what}${base}`);
}

const parts = {
  pair() {
    const log = messages();
    const times = 5 * log.length;
    const pairs = (deflateOne, inflateOne) => () => {
      for (let i = 0; i < times; i++) inflateOne(deflateOne(log[i % log.length]));
    };
    const finishFlush = zlib.constants.Z_SYNC_FLUSH;
    const contenders = {
      zlib: pairs(
        (message) => zlib.deflateRawSync(message, { finishFlush }),
        (bytes) => zlib.inflateRawSync(bytes, { finishFlush }),
      ),
    };
    for (const level of [1, 6, 9]) {
      const [deflater, inflater] = [new Deflater({ level }), new Inflater()];
      contenders[`hybi, level ${level}`] = pairs(
        (message) => Buffer.concat([deflater.write(message), deflater.flush()]),
        (bytes) => inflater.write(bytes),
      );
    }
    const results = alternate(contenders);
    console.log("\nA JSON message of about 1 KiB, compressed and decompressed; hybi's windows go on, zlib's do not");
    for (const [name, micros] of Object.entries(results))
      print(name, `${spread(micros.map((all) => all / times))} µs`, results, "zlib");
  },

  text() {
    const text = kinds.prose(1 << 20);
    console.log("\n1 MiB of text, compressed at each level, and decompressed");
    for (let level = 1; level <= 9; level++) {
      const mine = deflate(text, { level });
      const theirs = zlib.deflateRawSync(text, { level });
      const results = alternate({
        zlib: () => zlib.deflateRawSync(text, { level }),
        [`hybi, level ${level}`]: () => deflate(text, { level }),
      });
      const speed = (micros) => `${(text.length / median(micros)).toFixed(0)} MB/s`;
      print(
        `hybi, level ${level}`,
        `${speed(results[`hybi, level ${level}`])} to ${speed(results.zlib)}`,
        results,
        "zlib",
      );
      console.log(`${" ".repeat(26)}${mine.length} bytes, ${(mine.length / theirs.length).toFixed(3)} × zlib's`);
    }
    const bytes = zlib.deflateRawSync(text);
    const results = alternate({ zlib: () => zlib.inflateRawSync(bytes), hybi: () => inflate(bytes) });
    print("hybi", `${(text.length / median(results.hybi)).toFixed(0)} MB/s`, results, "zlib");
  },

  size() {
    console.log("\nBytes, as a ratio to zlib's at the same level: 256 KiB of each kind");
    for (const [kind, make] of Object.entries(kinds)) {
      const bytes = make(1 << 18);
      const ratio = (level) => deflate(bytes, { level }).length / zlib.deflateRawSync(bytes, { level }).length;
      console.log(
        `  ${kind.padEnd(10)} ${[1, 6, 9].map((level) => `level ${level}: ${ratio(level).toFixed(3)}`).join("   ")}`,
      );
    }
  },

  async echo() {
    const connections = Number(values.connections);
    const inFlight = Number(values["in-flight"]);
    const contenders = {
      ws: ["ws"],
      hybi: ["hybi"],
      "hybi, level 1": ["hybi", '--use={"level":1}'],
      "hybi, no compression back": ["hybi", '--use={"threshold":100000}'],
    };
    const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    let busiest = 0;
    for (let i = 0; i < rounds; i++)
      for (const [name, [file, ...args]] of Object.entries(contenders))
        await withServer(file, args, async (load) => {
          await load({ order: "open", count: connections });
          const duration = Number(values.seconds) * 1000;
          const measured = await load({ order: "measure", inFlight, warmUp: 1000, duration });
          results[name].push(measured.perSecond);
          busiest = Math.max(busiest, measured.load);
        });
    console.log(`\nEcho with permessage-deflate: ${connections} connections × 1 KiB of JSON × ${inFlight} in flight`);
    for (const [name, perSecond] of Object.entries(results)) {
      const ratios = perSecond.map((one, i) => one / results.ws[i]);
      console.log(
        `  ${name.padEnd(26)} ${Math.round(median(perSecond)).toString().padStart(8)} msg/s   ${spread(ratios, 1)} × ws`,
      );
    }
    if (busiest > 0.95)
      console.log(`  The load was at ${Math.round(busiest * 100)} % of its core: the figures are a lower bound.`);
  },

  async memory() {
    const count = 1000;
    console.log(`\n${count} connections with permessage-deflate, after 100 messages each: bytes of RSS a connection`);
    const bits = [9, 10, 11, 12, 13, 14, 15];
    const contenders = {
      ws: ["ws"],
      hybi: ["hybi"],
      "hybi, no context takeover": ["hybi", '--use={"contextTakeover":false,"peerContextTakeover":false}'],
      ...Object.fromEntries(
        bits.map((n) => [`hybi, ${n} bits each way`, ["hybi", `--use={"takeoverBits":${n},"peerWindowBits":${n}}`]]),
      ),
    };
    const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    for (let i = 0; i < Math.min(rounds, 3); i++)
      for (const [name, [file, ...args]] of Object.entries(contenders))
        await withServer(file, args, async (load, child) => {
          await load({ order: "open", count: 10 });
          await load({ order: "exchange", count: 100 });
          const settled = async () => {
            child.send("collect");
            await answer(child);
            return residentSet(child.pid);
          };
          const before = await settled();
          await load({ order: "open", count });
          await load({ order: "exchange", count: 100 });
          results[name].push(((await settled()) - before) / count);
        });
    for (const [name, bytes] of Object.entries(results)) print(name, spread(bytes, 0), results, "ws", "");
  },
};

const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;
const answer = (child) => new Promise((resolve) => child.once("message", resolve));

/** Runs `work` with a server in a process of its own, on one core, and a load for it on another. */
async function withServer(file, args, work) {
  const start = (name, core, more = []) => {
    const path = fileURLToPath(new URL(name, import.meta.url));
    const child = fork(path, more, { execArgv: ["--expose-gc"] });
    if (canPin) spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(child.pid)]);
    return child;
  };
  const server = start(`servers/${file}.mjs`, 0, ["--deflate", ...args]);
  const load = start("deflate-load.mjs", 1);
  try {
    const { port } = await answer(server);
    await work((order) => {
      load.send({ ...order, port });
      return answer(load);
    }, server);
  } finally {
    for (const child of [load, server]) child.kill();
  }
}

console.log(`Node ${process.versions.node}, ${rounds} rounds`);
for (const part of values.only) await parts[part]();
