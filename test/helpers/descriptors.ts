import { readdirSync } from "node:fs";

/** How many descriptors a process has open; 0 on systems that have no /proc to tell. */
export function descriptorsOf(pid: number): number {
  return process.platform === "linux" ? readdirSync(`/proc/${pid}/fd`).length : 0;
}
