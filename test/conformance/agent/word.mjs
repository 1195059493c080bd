/** What waits for a word of the test's: these words. */
const awaited = new Set();

/** Waits until the test says `word`. It comes by another handler, so it is looked for. */
export async function said(word) {
  awaited.add(word);
  while (awaited.has(word)) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Whether somebody waits for it. */
export const isAwaited = (word) => awaited.has(word);

/** The test says it, to all who wait. */
export const say = (word) => void awaited.delete(word);
