import { spawn, type ChildProcess } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { resolve } from "node:path";

/** What a finished program left behind. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program under test: its process, its output so far, and its end. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  #stdout = "";
  #stderr = "";
  #waiters: (() => void)[] = [];

  constructor(command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#wake();
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#wake();
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", (error) => reject(new Error(`${command} could not be started.`, { cause: error })));
      this.child.once("close", (code) => resolve({ code, stdout: this.#stdout, stderr: this.#stderr }));
    });
  }

  /** Resolves with the match once an output has one; rejects if the program ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const over = this.ended.then(({ stdout, stderr }) => {
      const isPrinted = pattern.test(stdout) || pattern.test(stderr);
      if (!isPrinted) throw new Error(`It ended without printing ${pattern}: ${stdout}${stderr}`);
    });
    for (;;) {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (match) return match;
      await Promise.race([over, new Promise<void>((resolve) => this.#waiters.push(resolve))]);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** How each runtime is started, in the folder of this package, where `hybi` resolves to what its users get. */
const commands = {
  node: [process.execPath],
  deno: [bin("deno"), "run", "--quiet", "--allow-all"],
  bun: [bin("bun")],
} as const;

export type Runtime = keyof typeof commands;
export const runtimes = Object.keys(commands) as Runtime[];

/** Runs a program of this package. */
export function run(runtime: Runtime, ...args: string[]): Program {
  const [command, ...before] = commands[runtime];
  return new Program(command, [...before, ...args], process.cwd());
}

/** The program that a package of npm's has brought; a test without it fails, and says so. */
export function bin(name: string): string {
  return resolve("node_modules/.bin", name);
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
