/**
 * What hybi tells whoever observes the process, over `node:diagnostics_channel` where the runtime has it.
 *
 * @module
 */
import type { RefusalError } from "../protocol/refusal.ts";
import type { Connection } from "./connection.ts";
import type { CloseInfo } from "./link-owner.ts";
import type { Host } from "./transport.ts";

/** The channels, and what is published on each. Nothing is made for one that nobody subscribed to. */
export interface Diagnostics {
  /** A connection is open, of either role. */
  "hybi:open": { readonly connection: Connection };
  /** A connection is closed, also one that never was open. */
  "hybi:close": { readonly connection: Connection; readonly info: CloseInfo };
  /** Something went wrong on a connection, or before it was open. */
  "hybi:error": { readonly connection: Connection; readonly error: Error };
  /** A server refused a request. */
  "hybi:refused": { readonly connection: Connection; readonly error: RefusalError };
  /** A message was dropped, since the peer does not keep up. */
  "hybi:drop": { readonly connection: Connection };
}

/** The channel of that name, if anybody subscribed to it. */
export function observed<Name extends keyof Diagnostics>(
  host: Pick<Host, "channel">,
  name: Name,
): { publish(message: Diagnostics[Name]): void } | undefined {
  const channel = host.channel?.(name);
  return channel?.hasSubscribers ? channel : undefined;
}
