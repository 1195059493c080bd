// Calls from a page to a shared worker. What a page sends by its WebSockets, and what comes, Chromium copies to whoever
// drives it, in base64, which for a large message takes far longer than to carry it; what a shared worker does, not.

/** In the worker: answers each by the function of its name. */
export function answerBy(functions) {
  globalThis.onconnect = ({ ports: [port] }) => {
    port.onmessage = async ({ data: [name, ...args] }) => {
      try {
        port.postMessage({ result: await functions[name](...args) });
      } catch (error) {
        port.postMessage({ error: String(error) });
      }
    };
  };
}

/** In the page: makes one, once the one before it is answered. */
export function callsTo({ port }) {
  return (...call) =>
    new Promise((resolve, reject) => {
      port.onmessage = ({ data: { result, error } }) => (error ? reject(new Error(error)) : resolve(result));
      port.postMessage(call);
    });
}
