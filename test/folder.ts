import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** For what test files share in one run. */
    readonly folder: string;
  }
}

/** Vitest calls it before all tests, and what it answers behind them. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "hybi-tests-"));
  provide("folder", folder);
  return () => rm(folder, { recursive: true });
}
