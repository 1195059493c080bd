/**
 * A host of nothing but web standards: for runtimes that have no host of their own, whose sockets are brought by
 * `Server.accept` and by a client's `dial`.
 *
 * @module
 */
import type { Host } from "../driver/transport.ts";
import { ConnectionError, typeError } from "../errors.ts";
import { isStreamPair, StreamsTransport } from "./streams-transport.ts";

const unsupported = (what: string): Promise<never> => Promise.reject(new ConnectionError("ERR_UNSUPPORTED", what));

export const host: Host = {
  name: "streams",
  lacks: ["listen", "tls"],
  random: (bytes) => void crypto.getRandomValues(bytes),
  setTimer(callback, ms) {
    const timer = setTimeout(callback, ms);
    // Node's and Bun's keep the process alive; elsewhere a timer is a number.
    (timer as Partial<typeof timer>).unref?.();
    return () => clearTimeout(timer);
  },
  now: () => performance.now(),
  reportError: (error) => console.error(error),
  dial: () => unsupported('This runtime opens no sockets for hybi: give the client a "dial" option.'),
  listen: () => unsupported("This runtime does not listen for hybi: hand its sockets to Server.accept."),
  wrap(socket, head) {
    if (isStreamPair(socket)) return new StreamsTransport(socket, head);
    throw typeError("ERR_OPTION_TYPE", "A socket must be a pair of web streams, readable and writable.");
  },
};
