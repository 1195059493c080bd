import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The memory of a process that is in use, in bytes, as the system has it; undefined once the process is over. */
export function memoryOf(pid: number): number | undefined {
  const isLinux = process.platform === "linux";
  let text: string;
  try {
    text = isLinux
      ? readFileSync(`/proc/${pid}/status`, "utf8")
      : execFileSync("ps", ["-o", "rss=", "-p", `${pid}`], { encoding: "utf8" });
  } catch {
    return undefined;
  }
  // One that is over and that nobody has asked about yet has a status, but no memory.
  const [, kibibytes] = (isLinux ? /^VmRSS:\s+(\d+)/m : /(\d+)/).exec(text) ?? [];
  return kibibytes === undefined ? undefined : 1024 * Number(kibibytes);
}

/**
 * Watches the memory of a process: how far above where it was it has been at the most. It ends with the process: a test
 * that runs out of time never comes to where it would dispose of this.
 */
export class MemoryWatch {
  readonly #pid: number;
  readonly #base: number;
  readonly #timer: NodeJS.Timeout;
  #most: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#base = this.#most = memoryOf(pid) ?? gone(pid);
    this.#timer = setInterval(() => this.#look(), 5);
  }

  /** Answers whether there was something to look at. */
  #look(): boolean {
    const now = memoryOf(this.#pid);
    if (now === undefined) clearInterval(this.#timer);
    else this.#most = Math.max(this.#most, now);
    return now !== undefined;
  }

  /** Bytes; throws once the process is over. */
  get growth(): number {
    return this.#look() ? this.#most - this.#base : gone(this.#pid);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function gone(pid: number): never {
  throw new Error(`There is no process ${pid} whose memory could be watched.`);
}
