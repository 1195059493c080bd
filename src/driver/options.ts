import { isCodec, type Codec } from "../codec/codec.ts";
import { isBudget, type Budget } from "../protocol/budget.ts";
import type { Extension } from "../protocol/extension.ts";
import { defaultHeadLimits } from "../protocol/head.ts";
import type { HeadersInput } from "../protocol/headers.ts";
import { DEFAULT_MAX_FRAGMENTS, type Limits } from "../protocol/limits.ts";
import { amount, array, boolean, checkOptions, must, object, positive, text } from "../protocol/options.ts";
import type { Check } from "../protocol/options.ts";
import { commonChecks, commonDefaults } from "./common-options.ts";
import type { HeartbeatOptions } from "./heartbeat.ts";
import type { SlowConsumer } from "./queue.ts";
import type { TlsOptions } from "./transport.ts";

/**
 * What every connection takes, of either role. The defaults are the same on every runtime. Limits are integers from 0,
 * which allows none, to 2^53, which allows any.
 */
export interface ConnectionOptions extends Partial<Limits> {
  /**
   * Subprotocols (RFC 6455 §1.9). A client offers them, the preferred first, and needs one of them back; a server takes
   * the first of the client's that stands here. Default: none.
   */
  readonly acceptProtocols?: readonly string[];
  /** Fields for this side's opening handshake: `Headers`, an array of pairs, or a record. */
  readonly additionalHeaders?: HeadersInput;
  /** Extensions to negotiate (§9), the preferred first. Default: none. */
  readonly extensions?: readonly Extension[];
  /** Most bytes of the peer's half of the opening handshake (default 16,384). A server answers 431. */
  readonly maxHeadLength?: number;
  /** Most header fields in it (default 100). A server answers 431. */
  readonly maxHeaders?: number;
  /** Most milliseconds for the opening handshake, from 1 (default 10,000). */
  readonly handshakeTimeout?: number;
  /** Most milliseconds for the closing handshake, from our Close frame to the end of the transport (default 10,000). */
  readonly closeTimeout?: number;
  /** Pings that find out whether the peer is alive and keep the way to it open; false for none. */
  readonly heartbeat?: HeartbeatOptions | false;
  /**
   * Bytes, from 1 (default 65,536), from which on `send` answers false, and from which on messages that nobody takes
   * stop the peer.
   */
  readonly highWaterMark?: number;
  /** Most bytes that may wait for a peer that does not read (default 67,108,864). Past it `slowConsumer` decides. */
  readonly maxQueuedBytes?: number;
  /** Most messages that may wait for such a peer (default 131,072). Past it `slowConsumer` decides. */
  readonly maxQueuedMessages?: number;
  /**
   * What is done with a message that a peer's queue has no room for: `close`, the connection ends with 1013 (default);
   * `wait`, `send` throws ERR_QUEUE_FULL; `drop-oldest` and `drop-newest`, that message is dropped, and its callback gets
   * ERR_DROPPED.
   */
  readonly slowConsumer?: SlowConsumer;
  /** Most Pings that a peer may send without reading their Pongs (default 1,024). Past it the peer gets 1008. */
  readonly maxPendingPongs?: number;
  /** Memory for unfinished messages, shared with others. Default: the process's, of 268,435,456 bytes. */
  readonly budget?: Budget;
  /** An instance of the codec, to force a build of it. Default: the one that the process shares. */
  readonly codec?: Codec;
}

export const connectionChecks: Record<keyof ConnectionOptions, Check> = {
  ...commonChecks,
  maxFragments: amount,
  maxHeadLength: amount,
  maxHeaders: amount,
  additionalHeaders: object,
  extensions: array,
  heartbeat: (value, name) => {
    if (value === false) return;
    must("false, or an object with interval and timeout", (given) => Object(given) === given)(value, name);
    checkOptions(value as object, { interval: positive, timeout: positive });
  },
  maxPendingPongs: amount,
  budget: isBudget,
  codec: must("a Codec of hybi/codec", isCodec),
};

export const defaults = {
  ...commonDefaults,
  maxFragments: DEFAULT_MAX_FRAGMENTS,
  maxHeadLength: defaultHeadLimits.maxHeadLength,
  maxHeaders: defaultHeadLimits.maxHeaders,
  maxPendingPongs: 1024,
} as const;

const pem = must("PEM, a string or its bytes", (value) => typeof value === "string" || value instanceof Uint8Array);

/** TLS options, the same on every runtime. A runtime would take some other values for something else. */
const tlsChecks: Record<keyof TlsOptions, Check> = {
  ca: (value, name) => {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) pem(one, name);
  },
  cert: pem,
  key: pem,
  passphrase: text,
  serverName: text,
  verify: boolean,
};

export const tlsOption: Check = (value, name) => {
  object(value, name);
  checkOptions(value as object, tlsChecks);
};
