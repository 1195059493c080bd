import * as fc from "fast-check";

/** A property: stated once, tried for a moment by `npm test`, and for as long as is wanted by `npm run fuzz`. */
export interface Property {
  readonly name: string;
  /** How many inputs `npm test` tries. */
  readonly runs: number;
  readonly property: fc.IAsyncProperty<[unknown]>;
  /** For the search that coverage guides. */
  readonly byBytes: ByBytes | undefined;
}

interface ByBytes {
  /** Checks the input that these bytes stand for. */
  check(bytes: Uint8Array): void;
  /** What to begin with. */
  readonly examples: readonly Uint8Array[];
}

export function property<Input>(
  name: string,
  runs: number,
  inputs: fc.Arbitrary<Input>,
  check: (input: Input) => void | Promise<void>,
  bytes?: { readonly read: (source: ByteSource) => Input; readonly examples: readonly Uint8Array[] },
): Property {
  return {
    name,
    runs,
    property: fc.asyncProperty(inputs, (input) => inTime(() => check(input))),
    byBytes: bytes && {
      check: (input) => void check(bytes.read(new ByteSource(input))),
      examples: bytes.examples,
    },
  };
}

/** Seconds of computing time that no input comes near to, unless something is quadratic in it. */
const MOST_SECONDS = 5;

async function inTime(check: () => void | Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  await check();
  const seconds = process.cpuUsage(before).user / 1e6;
  if (seconds > MOST_SECONDS) throw new Error(`It took ${seconds} s.`);
}

/** Reads an input out of bytes: choices from the front, then all that is left. */
export class ByteSource {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.number() % choices.length]!;
  }

  /** Up to seven. */
  numbers(): number[] {
    return Array.from({ length: this.number() % 8 }, () => this.number());
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}
