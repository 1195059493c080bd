// All of hybi, for the tests to use in a page, and by `inWorker` in a shared worker.
import * as hybi from "hybi";
import { callsTo } from "./calls.mjs";

globalThis.hybi = hybi;
globalThis.inWorker = callsTo(new SharedWorker(new URL("./shared.mjs", import.meta.url), { type: "module" }));
document.documentElement.dataset.ready = "";
