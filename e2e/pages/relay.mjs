// The page of socket.mjs, which the tests call through it.
import { callsTo } from "./calls.mjs";

globalThis.call = callsTo(new SharedWorker(new URL("./socket.mjs", import.meta.url), { type: "module" }));
document.documentElement.dataset.ready = "";
