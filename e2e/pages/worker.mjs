// The same in a worker.
import { builds, check, refusal } from "./vectors.mjs";

const calls = { builds, check, refusal };
onmessage = async ({ data: [name, ...args] }) => postMessage(await calls[name](...args));
