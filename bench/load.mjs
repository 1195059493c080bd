// The load, in Bun, whose sockets cost least. It does one order of its parent's at a time: `{ start: kind, … }` begins,
// `"sample"` tells what was counted so far, `"stop"` ends it.
import process from "node:process";
import { broadcast } from "./loads/broadcast.mjs";
import { echo } from "./loads/echo.mjs";
import { handshakes } from "./loads/handshakes.mjs";
import { paced } from "./loads/paced.mjs";
import { push } from "./loads/push.mjs";
import { sample } from "./sample.mjs";

const kinds = { broadcast, echo, handshakes, paced, push };

let work;

const answers = {
  async start(order) {
    work = await kinds[order.start](order);
    return work.told ?? {};
  },
  sample: () => ({ ...sample(), ...work.sample() }),
  async stop() {
    const told = await work.stop();
    work = undefined;
    return told ?? {};
  },
};

process.on("message", async (message) => {
  try {
    const question = typeof message === "string" ? message : "start";
    process.send(await answers[question](message));
  } catch (error) {
    process.send({ error: error.message });
  }
});
process.on("disconnect", () => process.exit());
