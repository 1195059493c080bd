import type { Host } from "../driver/transport.ts";

/** Milliseconds between two groups. */
const PAUSE = 50;

/** As many at least are closed at once. */
const SMALLEST_GROUP = 100;

/**
 * Closes all of `connections` in groups over the first half of `timeout`, but not more slowly than need be: whoever is
 * closed comes back somewhere, and all at once would be a flood there.
 */
export async function drain<Connection>(
  connections: readonly Connection[],
  close: (connection: Connection) => void,
  host: Pick<Host, "setTimer">,
  timeout: number,
): Promise<void> {
  const groups = Math.max(1, Math.floor(timeout / 2 / PAUSE));
  const size = Math.max(SMALLEST_GROUP, Math.ceil(connections.length / groups));
  for (let from = 0; from < connections.length; from += size) {
    if (from > 0) await new Promise<void>((resolve) => host.setTimer(resolve, PAUSE));
    for (const connection of connections.slice(from, from + size)) close(connection);
  }
}
