import { rangeError } from "../errors.ts";
import { must, type Check } from "./options.ts";

/** What unfinished messages may take together (default 268,435,456 bytes): four of the longest that `maxLength` lets in. */
const DEFAULT_BUDGET = 2 ** 28;

/**
 * Bytes of memory that many connections share for messages of which a part is still to come. Messages that come whole
 * need none of it.
 */
export class Budget {
  /** Bytes in use. */
  used = 0;
  #limit!: number;

  /**
   * @param limit  bytes, 0 to 2^53
   * @throws {RangeError} ERR_OPTION_RANGE
   */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Most bytes in use. It may be changed at any time; what is in use stays so. */
  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    if (!Number.isInteger(limit) || limit < 0 || limit > 2 ** 53)
      throw rangeError("ERR_OPTION_RANGE", `A budget is an integer from 0 to 2^53, not ${String(limit)}.`);
    this.#limit = limit;
  }

  /** Takes `bytes`, or nothing when there are not so many left; answers whether it did. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.#limit) return false;
    this.used += bytes;
    return true;
  }

  /** Gives `bytes` back. */
  give(bytes: number): void {
    this.used -= bytes;
  }
}

/** Each build of the package has a class of its own, so what it can do says more. */
export const isBudget: Check = must("a Budget", (value) => {
  const { take, give } = Object(value) as Partial<Budget>;
  return typeof take === "function" && typeof give === "function";
});

/** The budget of all connections that have no other: one for the process. */
export const processBudget = new Budget(DEFAULT_BUDGET);
