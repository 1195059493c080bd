/**
 * Calls back in a task of its own: what is under way, and all that its promises set going, is over by then. Where the
 * runtime has no way to ask for just that, a timer does it.
 */
export function queueTask(callback: () => void): void {
  if (typeof setImmediate === "function") setImmediate(callback);
  else setTimeout(callback, 0);
}

/** Resolves in a task of its own. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => queueTask(resolve));
}
