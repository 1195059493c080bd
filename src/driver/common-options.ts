import { DEFAULT_MAX_LENGTH } from "../protocol/limits.ts";
import { amount, array, must, positive } from "../protocol/options.ts";
import { slowConsumers, type SlowConsumer } from "./queue.ts";

/** Checks of what every connection takes, also one that a page has through its browser. */
export const commonChecks = {
  maxLength: amount,
  acceptProtocols: array,
  handshakeTimeout: positive,
  closeTimeout: amount,
  highWaterMark: positive,
  maxQueuedBytes: amount,
  maxQueuedMessages: amount,
  slowConsumer: must(`one of ${slowConsumers.join(", ")}`, (value) => slowConsumers.includes(value as SlowConsumer)),
};

export const commonDefaults = {
  maxLength: DEFAULT_MAX_LENGTH,
  handshakeTimeout: 10_000,
  closeTimeout: 10_000,
  highWaterMark: 65_536,
  maxQueuedBytes: 2 ** 26,
  maxQueuedMessages: 2 ** 17,
  slowConsumer: "close",
} as const;
