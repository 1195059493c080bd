/**
 * Checks for options: an unknown name, a wrong type or a number out of range is refused before anything happens.
 *
 * @module
 */
import { rangeError, typeError } from "../errors.ts";

/** Throws when the value is not acceptable for the option of that name. */
export type Check = (value: unknown, name: string) => void;

/** Not every object has a text of its own. */
const show = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : Object(value) === value ? typeof value : String(value);

const number = must("a number", (value) => typeof value === "number");

export function integer(least: number, most: number): Check {
  return (value, name) => {
    number(value, name);
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      throw rangeError("ERR_OPTION_RANGE", `${name} must be an integer from ${least} to ${most}, not ${show(value)}.`);
  };
}

/** How many at most: bytes, objects or milliseconds. 0 allows none; 2^53, as far as integers are exact, any. */
export const amount: Check = integer(0, 2 ** 53);
/** As {@link amount}, of what would make no sense at 0. */
export const positive: Check = integer(1, 2 ** 53);

/** Refuses what `holds` does not hold for; `what` says what the option must be. */
export function must(what: string, holds: (value: unknown) => boolean): Check {
  return (value, name) => {
    if (!holds(value)) throw typeError("ERR_OPTION_TYPE", `${name} must be ${what}, not ${show(value)}.`);
  };
}

export const text: Check = must("a string", (value) => typeof value === "string");
export const boolean: Check = must("a boolean", (value) => typeof value === "boolean");
export const object: Check = must("an object", (value) => typeof value === "object" && value !== null);
export const array: Check = must("an array", Array.isArray);
export const callable: Check = must("a function", (value) => typeof value === "function");

/** For what has a check of its own further on. */
export const unchecked: Check = () => undefined;

/** Checks each option that is given; `undefined` counts as not given. */
export function checkOptions(given: object, checks: Readonly<Record<string, Check>>): void {
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) {
      const known = Object.keys(checks).sort().join(", ");
      throw typeError("ERR_OPTION_UNKNOWN", `There is no option ${show(name)}. There are: ${known}.`);
    }
    if (value !== undefined) check(value, name);
  }
}
