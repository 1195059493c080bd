import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A browser with one page, driven by a protocol that the browser itself speaks. */
export interface Driven {
  /** Loads a page; its modules may still be under way. */
  open(url: string): Promise<void>;
  /** Runs a function, which can use nothing around it, in the page; what it takes and answers is JSON. */
  evaluate<Args extends readonly unknown[], T>(work: (...args: Args) => T | Promise<T>, ...args: Args): Promise<T>;
  close(): Promise<void>;
}

/** The same as an expression that never throws: a promise of JSON that has a `value`, or an `error`. */
export const expressionOf = (work: (...args: never) => unknown, args: readonly unknown[]): string =>
  `(async () => (${work.toString()})(...${JSON.stringify(args)}))()
    .then((value) => ({ value }), (error) => ({ error: String(error) }))
    .then((answer) => JSON.stringify(answer))`;

/** What it came to. */
export function answerOf(json: unknown): unknown {
  const { value, error } = JSON.parse(String(json)) as { value?: unknown; error?: string };
  if (error !== undefined) throw new Error(`In the page: ${error}`);
  return value;
}

/** The first of these programs that there is. */
export function programOf(...names: string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
