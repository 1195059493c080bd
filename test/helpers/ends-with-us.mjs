import { spawn } from "node:child_process";

/** Its input ends with the last process that could write to it; signals to a group of processes come to it as well. */
const guard = 'trap "" HUP INT TERM; read -r line; kill -9 "$0"';

/**
 * Sees to it that a process ends with this one, however this one ends: the runner of the tests ends those that run them by
 * a signal, of which no event tells, and a test that ran out of time has stopped nothing by then.
 */
export function endsWithUs(child) {
  if (child.pid === undefined) return;
  const { pid } = child;
  const guarding = spawn("/bin/sh", ["-c", guard, `${pid}`], { stdio: ["pipe", "ignore", "ignore"] });
  child.once("exit", () => guarding.kill("SIGKILL"));
}
