import type { Host } from "../driver/transport.ts";

/** A page, as far as it has what a {@link Host} has. */
export const host: Pick<Host, "lacks" | "reportError"> = {
  lacks: ["server", "listen", "dial", "tls", "headers", "ping", "fragments", "extensions", "backpressure"],
  reportError: (error) => console.error(error),
};
