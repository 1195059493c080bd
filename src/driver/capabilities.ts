import type { Host } from "./transport.ts";

/** What can be done on this runtime. What cannot is refused with ERR_UNSUPPORTED, and a text that says what to do. */
export interface Capabilities {
  /** `Server` and `ServerConnection` can be made. */
  readonly server: boolean;
  /** `Server.listen` opens a port; elsewhere `Server.accept` takes sockets. */
  readonly listen: boolean;
  /** A client takes a `dial` option. */
  readonly dial: boolean;
  /** Certificates, and whom to trust, are given by the `tls` option. */
  readonly tls: boolean;
  /** A client sends header fields of its own, also by credentials in the URL, and learns why a server refuses. */
  readonly headers: boolean;
  /** Pings and Pongs are sent and reported, so that there is a heartbeat. */
  readonly ping: boolean;
  /** A message can be sent in fragments, and the limits on what the peer's frames are made of can be set. */
  readonly fragments: boolean;
  /** It is settled here which extensions are used, and what is compressed. */
  readonly extensions: boolean;
  /** `pause`, and not taking messages, holds the peer back; elsewhere what it sends waits here, up to a limit. */
  readonly backpressure: boolean;
}

const names: readonly (keyof Capabilities)[] = [
  "server",
  "listen",
  "dial",
  "tls",
  "headers",
  "ping",
  "fragments",
  "extensions",
  "backpressure",
];

export function capabilitiesOf({ lacks = [] }: Pick<Host, "lacks">): Capabilities {
  const entries = names.map((name) => [name, !lacks.includes(name)]);
  return Object.freeze(Object.fromEntries(entries) as Record<keyof Capabilities, boolean>);
}
