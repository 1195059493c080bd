import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The memory of a process that is in use, in bytes, as the system has it. */
export function memoryOf(pid: number): number {
  if (process.platform !== "linux")
    return 1024 * Number(execFileSync("ps", ["-o", "rss=", "-p", `${pid}`], { encoding: "utf8" }));
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
}

/** Watches the memory of a process: how far above where it was it has been at the most. */
export class MemoryWatch {
  readonly #pid: number;
  readonly #base: number;
  readonly #timer: NodeJS.Timeout;
  #most: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#base = this.#most = memoryOf(pid);
    this.#timer = setInterval(() => this.#look(), 5);
  }

  #look(): void {
    this.#most = Math.max(this.#most, memoryOf(this.#pid));
  }

  /** Bytes. */
  get growth(): number {
    this.#look();
    return this.#most - this.#base;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
