import { sharedCodec, type Codec } from "../codec/codec.ts";
import type { TextCodec } from "../codec/text.ts";
import { processBudget } from "../protocol/budget.ts";
import type { Extension } from "../protocol/extension.ts";
import { headerList, type HeaderField } from "../protocol/headers.ts";
import { maskingKeys } from "../protocol/masking-keys.ts";
import { checkOptions, type Check } from "../protocol/options.ts";
import type { ProtocolOptions, Role } from "../protocol/protocol.ts";
import { checkSubprotocols } from "../protocol/subprotocol.ts";
import { newCounters, type Counters } from "./counters.ts";
import type { HeartbeatOptions } from "./heartbeat.ts";
import { connectionChecks, defaults, type ConnectionOptions } from "./options.ts";
import type { SlowConsumer } from "./queue.ts";
import type { Host } from "./transport.ts";

/** What a connection goes by: its options, checked, with the defaults in their places. A server's connections share one. */
export interface Settings extends ProtocolOptions {
  readonly host: Host;
  readonly headers: readonly HeaderField[];
  readonly acceptProtocols: readonly string[];
  readonly extensions: readonly Extension[];
  readonly maxHeadLength: number;
  readonly maxHeaders: number;
  readonly handshakeTimeout: number;
  readonly closeTimeout: number;
  readonly heartbeat: Required<HeartbeatOptions> | false;
  readonly highWaterMark: number;
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
  readonly slowConsumer: SlowConsumer;
  /** Bytes that wait for the peer from which on it is behind. */
  readonly sendMark: number;
  readonly maxPendingPongs: number;
  readonly counters: Counters;
}

/** What a connection asks of strings. */
export interface Utf8 extends Pick<Codec, "validateUtf8"> {
  readonly text: Pick<TextCodec, "encodeBytes" | "decodeBytes">;
}

/** What a connection goes by, whatever carries its messages. */
export interface ConnectionSettings extends Pick<
  Settings,
  "headers" | "highWaterMark" | "maxQueuedBytes" | "maxQueuedMessages" | "slowConsumer" | "counters"
> {
  readonly host: Pick<Host, "channel" | "reportError">;
  readonly codec: Utf8;
}

/**
 * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE, ERR_HEADER, ERR_SUBPROTOCOL
 * @throws {RangeError} ERR_OPTION_RANGE
 */
export function settingsOf(
  role: Role,
  host: Host,
  options: ConnectionOptions,
  checks: Readonly<Record<string, Check>> = connectionChecks,
): Settings {
  checkOptions(options, checks);
  const given = withDefaults(options);
  const codec = options.codec ?? sharedCodec();
  if (host.text) codec.useText(host.text);
  return {
    role,
    host,
    codec,
    maskingKey: role === "client" ? maskingKeysOf(host) : undefined,
    headers: headerList(options.additionalHeaders ?? [], role),
    acceptProtocols: checkSubprotocols(options.acceptProtocols ?? []),
    extensions: options.extensions ?? [],
    budget: options.budget ?? processBudget,
    heartbeat: heartbeatOf(options),
    counters: newCounters(),
    sendMark: Math.min(given.highWaterMark, given.maxQueuedBytes),
    ...given,
  };
}

function heartbeatOf({ heartbeat = {} }: ConnectionOptions): Settings["heartbeat"] {
  if (heartbeat === false) return false;
  return { interval: heartbeat.interval ?? 30_000, timeout: heartbeat.timeout ?? 10_000 };
}

type Defaulted = { -readonly [Name in keyof typeof defaults]: NonNullable<ConnectionOptions[Name]> };

function withDefaults(options: ConnectionOptions): Defaulted {
  const names = Object.keys(defaults) as (keyof typeof defaults)[];
  return Object.fromEntries(names.map((name) => [name, options[name] ?? defaults[name]])) as unknown as Defaulted;
}

const keysOf = new WeakMap<Host, () => number>();

/** One pool of masking keys for all connections of a host; each key is still used once. */
function maskingKeysOf(host: Host): () => number {
  let keys = keysOf.get(host);
  if (!keys) keysOf.set(host, (keys = maskingKeys((bytes) => host.random(bytes))));
  return keys;
}
