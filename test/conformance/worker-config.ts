import { join } from "node:path";
import type { TlsOptions } from "../../src/driver/transport.ts";
import { writeWorkerFolder } from "../helpers/worker-folder.ts";

/** The certificates that an agent will use. On workerd they are the configuration's to say. */
export interface TlsUse {
  /** The options of the servers it will have. */
  readonly servers?: readonly TlsOptions[];
  /** What its clients trust, and who they are. */
  readonly client?: TlsOptions;
}

/** Servers without TLS that a worker can have, the control connection's among them. */
const PLAIN = 48;

/** The number of the socket that is for a server with these options. */
export function socketOf({ servers = [] }: TlsUse, tls: TlsOptions): number {
  const at = servers.findIndex((options) => JSON.stringify(options) === JSON.stringify(tls));
  if (at < 0) throw new Error("The agent was not started for a server with these certificates.");
  return PLAIN + at;
}

/** workerd's own words for options of hybi's. */
function tlsOptionsOf({ cert, key, ca, verify = false }: TlsOptions): string {
  const text = (pem: TlsOptions["cert"]): string => JSON.stringify(String(pem));
  const parts = [
    ...(cert === undefined ? [] : [`keypair = (privateKey = ${text(key)}, certificateChain = ${text(cert)})`]),
    ...(ca === undefined ? [] : [`trustedCertificates = [${text(ca as string)}]`]),
    ...(verify ? ["requireClientCerts = true"] : []),
  ];
  return parts.join(", ");
}

/** Writes the agent for workerd, and its configuration, which has all the sockets it will listen on. */
export async function writeWorker({ servers = [], client = {} }: TlsUse): Promise<{
  folder: string;
  config: string;
  /** The sockets by their numbers. */
  names: string[];
}> {
  const protocols = [
    ...Array<string>(PLAIN).fill("tcp = ()"),
    ...servers.map((options) => `tcp = (tlsOptions = (${tlsOptionsOf(options)}))`),
  ];
  const sockets = protocols.map((protocol, i) => {
    const service = `(name = "worker", props = (json = "{\\"socket\\":${i}}"))`;
    return { name: `${i}`, protocol, service };
  });
  const entry = join(import.meta.dirname, "agent/worker.mjs");
  const folder = await writeWorkerFolder({ entry, sockets, tls: tlsOptionsOf(client) });
  return { folder, config: join(folder, "config.capnp"), names: sockets.map(({ name }) => name) };
}
