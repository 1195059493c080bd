import type { ChildProcess } from "node:child_process";

/** Sees to it that a process ends with this one, however this one ends. */
export function endsWithUs(child: ChildProcess): void;
