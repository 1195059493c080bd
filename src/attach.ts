import type { ServerEnvironment } from "./driver/driver.ts";

/** What hybi needs of Node's `http.Server` and `https.Server`, and of what other runtimes have in their place. */
export interface HttpServer {
  on(event: "upgrade", listener: UpgradeListener): unknown;
  off(event: "upgrade", listener: UpgradeListener): unknown;
  listenerCount(event: "upgrade"): number;
}

type UpgradeListener = (request: UpgradeRequest, socket: unknown, head: Uint8Array) => void;
type UpgradeRequest = Omit<ServerEnvironment, "socket" | "head">;

/** A server that can be attached. */
export interface Attachable {
  takes(path: string): boolean;
  upgrade(env: ServerEnvironment): void;
}

/** The servers of one web server, behind one listener. */
const attached = new WeakMap<HttpServer, { readonly servers: Set<Attachable>; readonly listener: UpgradeListener }>();

/** Hands the upgrade requests of `web` to the attached server that takes their path; the answer undoes it. */
export function attach(web: HttpServer, server: Attachable): () => void {
  let entry = attached.get(web);
  if (!entry) {
    const servers = new Set<Attachable>();
    const listener: UpgradeListener = (request, socket, head) => {
      const path = (request.url ?? "/").replace(/\?.*/s, "");
      const all = [...servers];
      const taker = all.find((candidate) => candidate.takes(path));
      // With other listeners about, the request may be for them.
      const answering = taker ?? (web.listenerCount("upgrade") === 1 ? all[0] : undefined);
      const { method, url, headers, httpVersion } = request;
      answering?.upgrade({ method, url, headers, httpVersion, socket, head });
    };
    entry = { servers, listener };
    attached.set(web, entry);
    web.on("upgrade", listener);
  }
  const { servers, listener } = entry;
  servers.add(server);
  return () => {
    servers.delete(server);
    if (servers.size > 0) return;
    attached.delete(web);
    web.off("upgrade", listener);
  };
}
