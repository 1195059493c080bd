import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

/** What is particular to one worker. */
export interface WorkerOptions {
  /** The module that it is, with all that this imports. */
  readonly entry: string;
  /** Files for the configuration to embed, such as certificates. */
  readonly files?: Readonly<Record<string, string>>;
  /** The sockets it listens on, on ports that the system chooses: protocol and service, in workerd's words. */
  readonly sockets: readonly { readonly name: string; readonly protocol: string; readonly service: string }[];
  /** What stands in the `tlsOptions` that it dials with. */
  readonly tls?: string | undefined;
}

/** Writes a worker, in one file, and its configuration, `config.capnp`, to a folder of their own; answers the folder. */
export async function writeWorkerFolder({ entry, files = {}, sockets, tls = "" }: WorkerOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hybi-"));
  await build({
    entryPoints: [entry],
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    conditions: ["workerd"],
    external: ["cloudflare:*", "node:*"],
    target: "es2022",
    logLevel: "error",
  });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const listening = sockets.map(
    ({ name, protocol, service }) => `(name = "${name}", address = "127.0.0.1:0", ${protocol}, service = ${service})`,
  );
  await writeFile(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      compatibilityDate = "2026-01-01",
      modules = [(name = "worker.js", esModule = embed "worker.js")],
    )),
    (name = "internet", network = (allow = ["local"], tlsOptions = (${tls}))),
  ],
  sockets = [
    ${listening.join(",\n    ")}
  ],
);
`,
  );
  return folder;
}
