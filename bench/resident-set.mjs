import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** The resident set of a process, in bytes. */
export function residentSet(pid) {
  if (existsSync("/proc/self/status"))
    return 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1]);
  const { stdout, status } = spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "latin1" });
  if (status !== 0) throw new Error("There is neither /proc nor ps here to read a process's memory from.");
  return 1024 * Number(stdout);
}
