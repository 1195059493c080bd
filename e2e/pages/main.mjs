// What the tests call in a page: `hybi.here(name, …)` on its main thread, `hybi.inWorker(name, …)` in a worker.
import { builds, check, refusal } from "./vectors.mjs";

const calls = { builds, check, refusal };
let worker;
globalThis.hybi = {
  here: async (name, ...args) => calls[name](...args),
  inWorker: (...call) =>
    new Promise((resolve, reject) => {
      worker ??= new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(call);
    }),
};
document.documentElement.dataset.ready = "";
