// How a server answers the bench, the same on every runtime: where it listens, the CPU time it took so far, and what it
// keeps once garbage is gone.
import process from "node:process";
import { sample } from "../sample.mjs";

async function collect() {
  const { Bun, gc } = globalThis;
  const run = Bun ? () => Bun.gc(true) : gc;
  if (!run) throw new Error("Start this server with --expose-gc.");
  // What a collection leaves to finalizers is gone by the next, and V8 takes seconds to give free pages back.
  for (let i = 0; i < 25; i++) {
    run();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { heap: process.memoryUsage().heapUsed };
}

const answers = { sample, collect };

/** Tells the port, answers what it is asked, and ends when nobody is left to ask. */
export function ready(port) {
  process.on("message", async (question) => process.send(await answers[question]()));
  process.on("disconnect", () => process.exit());
  process.send({ port, pid: process.pid });
}
