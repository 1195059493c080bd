import type { Connection } from "./connection.ts";

/** Resolves when a connection is open; rejects with what it could not be opened for. */
export function whenOpen<C extends Connection>(connection: C): Promise<C> {
  return new Promise((resolve, reject) => {
    const opened = (): void => {
      connection.off("error", reject);
      resolve(connection);
    };
    connection.once("open", opened).once("error", reject);
  });
}
