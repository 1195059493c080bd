import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { TlsOptions } from "../../src/driver/transport.ts";

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
  return `tlsOptions = (${parts.join(", ")})`;
}

/** Writes the agent for workerd, in one file, and its configuration, which has all the sockets it will listen on. */
export async function writeWorker({ servers = [], client = {} }: TlsUse): Promise<{
  folder: string;
  config: string;
  /** The sockets by their numbers. */
  names: string[];
}> {
  const folder = mkdtempSync(join(tmpdir(), "hybi-"));
  await build({
    entryPoints: [join(import.meta.dirname, "agent/worker.mjs")],
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    conditions: ["workerd"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "error",
  });
  const kinds = [...Array<string>(PLAIN).fill(""), ...servers.map(tlsOptionsOf)];
  const sockets = kinds.map((tls, i) => {
    const service = `(name = "agent", props = (json = "{\\"socket\\":${i}}"))`;
    return `(name = "${i}", address = "127.0.0.1:0", tcp = (${tls}), service = ${service})`;
  });
  const config = join(folder, "config.capnp");
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "agent", worker = (
      compatibilityDate = "2026-01-01",
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      globalOutbound = "local",
    )),
    (name = "local", network = (allow = ["local"], ${tlsOptionsOf(client)})),
  ],
  sockets = [${sockets.join(",\n    ")}],
);
`,
  );
  return { folder, config, names: kinds.map((_, i) => `${i}`) };
}
