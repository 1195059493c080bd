// The processes of the bench: each a child that answers one message with one message, pinned to a core where it can be.
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

/** With one core, or without `taskset`, everything runs where the system puts it. */
export const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** What is measured runs on one core, and what loads it on another. */
export const MEASURED = 0;
export const LOAD = 1;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const binary = (name) => path(`../node_modules/.bin/${name}`);

const gc = "--expose-gc";
/** How each runtime is started. Node has a WebSocket of its own from 22 on, and behind a flag from 20.10 on. */
export const commands = {
  node: [process.execPath, gc, ...(globalThis.WebSocket ? [] : ["--experimental-websocket", "--no-warnings"])],
  deno: [binary("deno"), "run", "--quiet", "--allow-all", `--v8-flags=${gc}`],
  bun: [binary("bun")],
};

export const versions = Object.fromEntries(
  Object.entries(commands).map(([runtime, [command]]) => [
    runtime,
    spawnSync(command, ["--version"], { encoding: "latin1" }).stdout.match(/\d+\.\d+\.\d+/)?.[0],
  ]),
);

/** Milliseconds within which a child has to answer. */
const LONG = 60_000;

/** A program of this folder, in a process of its own. */
export class Child {
  #child;

  constructor(runtime, file, { args = [], core, env = {} } = {}) {
    const pin = canPin && core !== undefined ? ["taskset", "--cpu-list", String(core)] : [];
    const [command, ...rest] = [...pin, ...commands[runtime], path(file), ...args];
    this.name = `${runtime} ${file}`;
    this.#child = spawn(command, rest, {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, ...env },
    });
  }

  /** What the child says next; fails when it ends instead. */
  answer() {
    return new Promise((resolve, reject) => {
      const late = () => (done(), reject(new Error(`${this.name} does not answer.`)));
      const timer = setTimeout(late, LONG);
      const done = () => {
        clearTimeout(timer);
        for (const [event, listener] of Object.entries(listeners)) this.#child.off(event, listener);
      };
      const listeners = {
        message: (message) => (done(), message.error ? reject(new Error(message.error)) : resolve(message)),
        exit: (code, signal) => (done(), reject(new Error(`${this.name} ended with ${code ?? signal}.`))),
        error: (error) => (done(), reject(error)),
      };
      for (const [event, listener] of Object.entries(listeners)) this.#child.on(event, listener);
    });
  }

  ask(message) {
    const answer = this.answer();
    this.#child.send(message);
    return answer;
  }

  /** It ends by itself when nobody is left to ask. */
  stop() {
    if (this.#child.connected) this.#child.disconnect();
  }
}
