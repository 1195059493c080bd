import { ConnectionError } from "../errors.ts";
import { must, type Check } from "../protocol/options.ts";

export const abortSignal: Check = must("an AbortSignal", (value) => value instanceof AbortSignal);

/** Calls `aborted` when the signal is raised, soon if it is already. The answer stops listening to it. */
export function whenAborted(signal: AbortSignal, aborted: (error: ConnectionError) => void): () => void {
  const tell = (): void =>
    aborted(new ConnectionError("ERR_ABORTED", "The caller aborted the opening handshake.", { cause: signal.reason }));
  if (signal.aborted) void Promise.resolve().then(tell);
  else signal.addEventListener("abort", tell, { once: true });
  return () => signal.removeEventListener("abort", tell);
}

export function handshakeTimedOut(ms: number): ConnectionError {
  return new ConnectionError("ERR_HANDSHAKE_TIMEOUT", `The opening handshake took longer than ${ms} ms.`);
}
