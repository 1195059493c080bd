import { abortSignal } from "../driver/abort.ts";
import type { ClientOptions } from "../driver/client-connection.ts";
import { commonChecks, commonDefaults } from "../driver/common-options.ts";
import { newCounters } from "../driver/counters.ts";
import type { ConnectionSettings, Settings } from "../driver/settings.ts";
import { checkOptions, type Check } from "../protocol/options.ts";
import { checkSubprotocols } from "../protocol/subprotocol.ts";
import { host } from "./host.ts";
import { text } from "./text.ts";
import { unsupported } from "./unsupported.ts";

/** What a connection of a page's goes by. */
export interface PageSettings
  extends
    ConnectionSettings,
    Pick<Settings, "acceptProtocols" | "maxLength" | "handshakeTimeout" | "closeTimeout" | "sendMark"> {}

export const HEADERS =
  "A page sends no header fields of its own: put what the server is to know into the URL's query, a cookie, a subprotocol or the first message.";
export const PINGS =
  'A page sends no Pings and sees no Pongs: leave "heartbeat" out, have the server send them, or send messages that the server answers.';
export const FRAMES = "A page sends whole messages only, and its browser sees to the frames: leave this out.";
export const EXTENSIONS = "The browser negotiates extensions itself, and compresses what it likes: leave this out.";
const LIMITS = "The browser has limits of its own for frames and handshakes: leave this out.";

const refused = (why: string): Check => {
  return (_value, name) => {
    throw unsupported(`${name}: ${why}`);
  };
};

const checks: Record<keyof ClientOptions, Check> = {
  ...commonChecks,
  signal: abortSignal,
  heartbeat: (value, name) => {
    if (value !== false) refused(PINGS)(value, name);
  },
  additionalHeaders: refused(HEADERS),
  tls: refused("The browser decides which servers to trust: leave this out."),
  dial: refused('A page opens no sockets: over a pair of streams of your own, use "hybi/streams".'),
  extensions: refused(EXTENSIONS),
  codec: refused(FRAMES),
  maxFragments: refused(LIMITS),
  maxPendingPongs: refused(LIMITS),
  maxHeadLength: refused(LIMITS),
  maxHeaders: refused(LIMITS),
  budget: refused(LIMITS),
};

/**
 * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE, ERR_SUBPROTOCOL
 * @throws {RangeError} ERR_OPTION_RANGE
 * @throws {ConnectionError} ERR_UNSUPPORTED
 */
export function settingsOf(options: ClientOptions): PageSettings {
  checkOptions(options, checks);
  const given: Record<string, unknown> = { ...options };
  const defaulted = Object.entries(commonDefaults).map(([name, value]) => [name, given[name] ?? value] as const);
  const common = Object.fromEntries(defaulted) as unknown as Omit<PageSettings, "sendMark">;
  return {
    ...common,
    host,
    codec: text,
    headers: [],
    acceptProtocols: checkSubprotocols(options.acceptProtocols ?? []),
    counters: newCounters(),
    sendMark: Math.min(common.highWaterMark, common.maxQueuedBytes),
  };
}
