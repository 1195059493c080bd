import { run, standard } from "./run.mjs";

run(standard(globalThis.WebSocket));
