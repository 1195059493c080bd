import { Codec } from "../codec/codec.ts";
import type { Extension } from "../protocol/extension.ts";
import type { HeadersInput } from "../protocol/headers.ts";
import { DEFAULT_MAX_FRAGMENTS, DEFAULT_MAX_LENGTH, type Limits } from "../protocol/limits.ts";
import {
  array,
  boolean,
  bytes,
  checkOptions,
  integer,
  milliseconds,
  must,
  object,
  text,
  type Check,
} from "../protocol/options.ts";
import type { TlsOptions } from "./transport.ts";

/** What every connection takes, of either role. The defaults are the same on every runtime. */
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
  /** Most milliseconds for the opening handshake (default 10,000). */
  readonly handshakeTimeout?: number;
  /** Most milliseconds for the closing handshake, from our Close frame to the end of the transport (default 10,000). */
  readonly closeTimeout?: number;
  /**
   * Bytes (default 65,536) from which on `send` answers false, and from which on messages that nobody takes stop the
   * peer.
   */
  readonly highWaterMark?: number;
  /** An instance of the codec, to force a build of it. Default: the one that the process shares. */
  readonly codec?: Codec;
}

export const connectionChecks: Record<keyof ConnectionOptions, Check> = {
  maxLength: bytes,
  maxFragments: integer(1, 2 ** 32 - 1),
  acceptProtocols: array,
  additionalHeaders: object,
  extensions: array,
  handshakeTimeout: milliseconds,
  closeTimeout: milliseconds,
  highWaterMark: integer(1, Number.MAX_SAFE_INTEGER),
  codec: must("a Codec of hybi/codec", (value) => value instanceof Codec),
};

export const defaults = {
  maxLength: DEFAULT_MAX_LENGTH,
  maxFragments: DEFAULT_MAX_FRAGMENTS,
  handshakeTimeout: 10_000,
  closeTimeout: 10_000,
  highWaterMark: 65_536,
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
