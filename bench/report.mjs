// What the bench keeps: one JSON file, in which a case that is measured again takes the place of what it was.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, type, release } from "node:os";
import { dirname } from "node:path";
import { canPin, versions } from "./processes.mjs";

const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  system: `${type()} ${release()}`,
  pinned: canPin,
  versions,
});

/** @throws when the file is there, and is none of the bench's. */
export function read(file) {
  if (!existsSync(file)) return { records: [] };
  const kept = parsed(readFileSync(file, "utf8"));
  if (Array.isArray(kept?.records)) return kept;
  throw new Error(`${file} is not what the bench keeps: give --json another name, or remove the file.`);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Adds records, each of a `case` on a `runtime`, to what the file has. */
export function keep(file, records) {
  const isNew = (old) => !records.some((one) => one.case === old.case && one.runtime === old.runtime);
  const all = [...read(file).records.filter(isNew), ...records];
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine: machine(), records: all }, undefined, 2)}\n`);
}
