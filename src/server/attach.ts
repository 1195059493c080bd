import type { ServerEnvironment } from "../driver/driver.ts";
import { typeError } from "../errors.ts";
import type { Check } from "../protocol/options.ts";

/** What hybi needs of an `http.Server` or `https.Server`, on Node, Deno and Bun. */
export interface HttpServer {
  on(event: "upgrade", listener: UpgradeListener): unknown;
  off(event: "upgrade", listener: UpgradeListener): unknown;
  listenerCount(event: "upgrade"): number;
  /** Where it listens. The application of a framework may emit events too, but it is not what listens. */
  address(): unknown;
}

const methods = ["on", "off", "listenerCount", "address"] as const;

/** Refuses what would never emit `upgrade`. */
export const httpServer: Check = (value, name) => {
  const isObject = typeof value === "object" && value !== null;
  if (isObject && methods.every((method) => typeof (value as Partial<HttpServer>)[method] === "function")) return;
  throw typeError(
    "ERR_OPTION_TYPE",
    `${name} must be a web server with an "upgrade" event, as node:http and node:https make them, on Deno and Bun too. ` +
      "A framework's application is none, nor is what Deno.serve or Bun.serve answers.",
  );
};

type UpgradeListener = (request: UpgradeRequest, socket: unknown, head: Uint8Array) => void;
type UpgradeRequest = Omit<ServerEnvironment, "socket" | "head">;

/** A server that can be attached. */
interface Attachable {
  takes(path: string): boolean;
  upgrade(env: ServerEnvironment): void;
}

/** The servers of one web server, behind one listener. */
const attached = new WeakMap<HttpServer, { readonly servers: Set<Attachable>; readonly listener: UpgradeListener }>();

/** Hands the upgrade requests of `web` to the attached server that takes their path; the answer undoes it. */
export function attach(web: HttpServer, server: Attachable): () => void {
  httpServer(web, "server");
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
