// How a server answers the bench, the same on every runtime: where it listens, and what it keeps once garbage is gone.
import process from "node:process";

/** Tells the port, collects garbage when asked to, and ends when nobody is left to ask. */
export function ready(port) {
  process.on("message", async () => {
    const { Bun, gc } = globalThis;
    const collect = Bun ? () => Bun.gc(true) : gc;
    if (!collect) throw new Error("Start this server with --expose-gc.");
    // What a collection leaves to finalizers is gone by the next, and V8 takes seconds to give free pages back.
    for (let i = 0; i < 25; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    process.send({ heap: process.memoryUsage().heapUsed });
  });
  process.on("disconnect", () => process.exit());
  process.send({ port, pid: process.pid });
}
