import { WebSocket } from "undici";
import { run, standard } from "./run.mjs";

run(standard(WebSocket));
