/**
 * The runtimes that hybi promises to be the same on, each as a process that the tests talk to.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { endsWithUs } from "../helpers/ends-with-us.mjs";
import { writeWorker, type TlsUse } from "./worker-config.ts";

const root = join(import.meta.dirname, "../..");
const agents = join(import.meta.dirname, "agent");

export type RuntimeName = "node" | "deno" | "bun" | "workerd";
export const runtimeNames: readonly RuntimeName[] = ["node", "deno", "bun", "workerd"];

export interface Started {
  readonly child: ChildProcess;
  /** What it tells about itself. */
  readonly lines: AsyncIterator<unknown>;
  /** What it wrote to its standard error, for the message of a test that fails. */
  readonly output: string;
  stop(): Promise<void>;
}

/** A process that an agent runs in. */
export interface Running extends Started {
  /** Where its control connection is taken. */
  readonly port: number;
  /** Where it listens for the servers after that, if it is told so beforehand. */
  readonly sockets: readonly number[];
}

function binaryOf(name: RuntimeName): string {
  const path = name === "node" ? process.execPath : join(root, "node_modules/.bin", name);
  if (!existsSync(path)) throw new Error(`The tests need ${name}, and ${path} is missing: run "npm ci".`);
  return path;
}

/**
 * Starts a program whose lines on `channel` are JSON, and ends with the tests at the latest. `descriptors` is how many
 * it may have open.
 */
function start(name: RuntimeName, args: readonly string[], channel: 1 | 3, descriptors?: number): Started {
  const command = [binaryOf(name), ...args];
  if (descriptors !== undefined) command.unshift("/bin/sh", "-c", `ulimit -n ${descriptors} && exec "$0" "$@"`);
  const child = spawn(command[0]!, command.slice(1), { cwd: root, stdio: ["pipe", "pipe", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  endsWithUs(child);
  const input = createInterface({ input: child.stdio[channel] as NodeJS.ReadableStream });
  const lines = (async function* () {
    for await (const line of input) yield JSON.parse(line) as unknown;
    await exited;
    throw new Error(`${name} ended before it said where it listens: ${output}`);
  })();
  return {
    child,
    get output() {
      return output;
    },
    lines,
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Starts a program for the runtimes that have a command line of their own; its lines are JSON. */
export function startProgram(
  name: Exclude<RuntimeName, "workerd">,
  args: readonly string[],
  descriptors?: number,
): Started {
  const flags = { node: [], deno: ["run", "-A"], bun: [] }[name];
  return start(name, [...flags, ...args], 1, descriptors);
}

async function startAgent(name: Exclude<RuntimeName, "workerd">, descriptors?: number): Promise<Running> {
  const running = startProgram(name, [join(agents, "agent.mjs")], descriptors);
  const { port } = (await running.lines.next()).value as { port: number };
  return Object.assign(running, { port, sockets: [] });
}

async function startWorker(tls: TlsUse, descriptors?: number): Promise<Running> {
  const { folder, config, names } = await writeWorker(tls);
  const running = start("workerd", ["serve", config, "--control-fd=3"], 3, descriptors);
  const ports = new Map<string, number>();
  while (ports.size < names.length) {
    const event = (await running.lines.next()).value as { event: string; socket: string; port: number };
    if (event.event === "listen") ports.set(event.socket, event.port);
  }
  rmSync(folder, { recursive: true });
  const sockets = names.map((name) => ports.get(name)!);
  return Object.assign(running, { port: sockets[0]!, sockets });
}

/**
 * Starts the agent on a runtime; fails where that is missing. Only workerd has to know of certificates beforehand.
 * `descriptors` is how many it may have open, if not as many as the tests.
 */
export function startRuntime(name: RuntimeName, tls: TlsUse = {}, descriptors?: number): Promise<Running> {
  return name === "workerd" ? startWorker(tls, descriptors) : startAgent(name, descriptors);
}
