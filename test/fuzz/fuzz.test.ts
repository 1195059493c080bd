import * as fc from "fast-check";
import { describe, it } from "vitest";
import { properties } from "./properties.ts";

/** Always the same inputs here, so that a failure is the change's; `npm run fuzz` tries others. */
const seed = 6455;

describe("properties", () => {
  it.each(properties)("$name", ({ property, runs }) => fc.assert(property, { seed, numRuns: runs }));
});
