import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { endsWithUs } from "./ends-with-us.mjs";
import { writeWorkerFolder } from "./worker-folder.ts";

/** The program itself, so that to kill it is enough. */
const { default: binary } = createRequire(import.meta.url)("workerd") as { readonly default: string };

export interface WorkerdOptions {
  /** Files for the configuration to embed, such as certificates. */
  readonly files?: Readonly<Record<string, string>>;
  /** By the name of a TCP socket: the export that serves it, and the text of its `tcp` group. */
  readonly sockets?: Readonly<Record<string, { readonly entrypoint?: string; readonly tcp?: string }>>;
  /** The text of the `tlsOptions` that the worker dials with. */
  readonly tls?: string;
}

/** test/hosts/workerd/worker.ts in workerd, on ports that the system chose. */
export class Workerd {
  /** By the name of a socket. */
  readonly ports = new Map<string, number>();
  #stop!: () => Promise<void>;

  static async start({ files = {}, sockets = {}, tls }: WorkerdOptions = {}): Promise<Workerd> {
    const tcp = Object.entries(sockets).map(([name, { entrypoint, tcp = "()" }]) => {
      const service = entrypoint === undefined ? `"worker"` : `(name = "worker", entrypoint = "${entrypoint}")`;
      return { name, protocol: `tcp = ${tcp}`, service };
    });
    const http = { name: "http", protocol: "http = ()", service: `"worker"` };
    const folder = await writeWorkerFolder({
      entry: "test/hosts/workerd/worker.ts",
      files,
      sockets: [http, ...tcp],
      tls,
    });
    const workerd = new Workerd();
    await workerd.#run(join(folder, "config.capnp"), 1 + tcp.length);
    const { ended } = workerd;
    void ended.then(() => rm(folder, { recursive: true }));
    return workerd;
  }

  /** Resolves with what it wrote, once it has ended. */
  ended!: Promise<string>;

  async #run(config: string, count: number): Promise<void> {
    // It tells on the descriptor 3 which ports it got.
    const child = spawn(binary, ["serve", config, "--control-fd=3"], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    endsWithUs(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream!.setEncoding("utf8").on("data", (text: string) => (output += text));
    this.ended = new Promise((resolve) => child.once("close", () => resolve(output)));
    this.#stop = async () => {
      // Politely asked, it waits for the handlers that are under way.
      child.kill("SIGKILL");
      await this.ended;
    };
    for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
      const { socket, port } = JSON.parse(line) as { socket: string; port: number };
      this.ports.set(socket, port);
      if (this.ports.size === count) return;
    }
    throw new Error(`workerd did not start: ${await this.ended}`);
  }

  url(socket: string, path = "/"): string {
    return `ws://127.0.0.1:${this.ports.get(socket)!}${path}`;
  }

  /** Asks the worker's HTTP handler. */
  async ask<T>(path: string, body: unknown = {}): Promise<T> {
    const url = `http://127.0.0.1:${this.ports.get("http")!}${path}`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as T;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop();
  }
}
