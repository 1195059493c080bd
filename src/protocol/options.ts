/**
 * Checks for options: an unknown name, a wrong type or a number out of range is refused before anything happens.
 *
 * @module
 */
import { rangeError, typeError } from "../errors.ts";

/** Throws when the value is not acceptable for the option of that name. */
export type Check = (value: unknown, name: string) => void;

const LONGEST_TIMER = 2 ** 31 - 1;

const show = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : String(value));

export function integer(least: number, most: number): Check {
  return (value, name) => {
    if (typeof value !== "number") throw typeError("ERR_OPTION_TYPE", `${name} must be a number, not ${show(value)}.`);
    if (!Number.isInteger(value) || value < least || value > most)
      throw rangeError("ERR_OPTION_RANGE", `${name} must be an integer from ${least} to ${most}, not ${value}.`);
  };
}

/** Bytes: 0 to 2^53 - 1. */
export const bytes: Check = integer(0, Number.MAX_SAFE_INTEGER);
/** Milliseconds: 1 to 2^31 - 1, which is as far as a timer reaches. */
export const milliseconds: Check = integer(1, LONGEST_TIMER);

export const text: Check = (value, name) => {
  if (typeof value !== "string") throw typeError("ERR_OPTION_TYPE", `${name} must be a string, not ${show(value)}.`);
};

export const boolean: Check = (value, name) => {
  if (typeof value !== "boolean") throw typeError("ERR_OPTION_TYPE", `${name} must be a boolean, not ${show(value)}.`);
};

export const object: Check = (value, name) => {
  if (typeof value !== "object" || value === null)
    throw typeError("ERR_OPTION_TYPE", `${name} must be an object, not ${show(value)}.`);
};

export const array: Check = (value, name) => {
  if (!Array.isArray(value)) throw typeError("ERR_OPTION_TYPE", `${name} must be an array, not ${show(value)}.`);
};

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
