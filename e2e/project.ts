import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { inject } from "vitest";
import { Program, type Outcome } from "./run.ts";

/** A user's project: a folder outside this repository, with the tarball that npm would publish installed into it. */
export class Project {
  readonly folder: string;
  /** What was installed. */
  readonly tarball: string;
  readonly #programs = new Set<Program>();

  private constructor(folder: string, tarball: string) {
    this.folder = folder;
    this.tarball = tarball;
  }

  static async create(): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), "hybi-package-"));
    await cp(await installation(), folder, { recursive: true });
    const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"))!;
    return new Project(folder, join(folder, tarball));
  }

  /** Writes a file of the project, and answers its path. */
  async write(name: string, text: string): Promise<string> {
    const file = join(this.folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  }

  /** Starts a program in the project; it is stopped with the project at the latest. */
  start(command: string, ...args: string[]): Program {
    const program = new Program(command, args, this.folder);
    this.#programs.add(program);
    program.ended.finally(() => this.#programs.delete(program)).catch(() => undefined);
    return program;
  }

  /** Runs a program in the project to its end. */
  run(command: string, ...args: string[]): Promise<Outcome> {
    return this.start(command, ...args).ended;
  }

  async remove(): Promise<void> {
    const running = [...this.#programs];
    for (const { child } of running) child.kill();
    await Promise.allSettled(running.map(({ ended }) => ended));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A project with nothing in it but the package, which is made once in a run of the tests; the others are its copies. */
async function installation(): Promise<string> {
  const made = join(inject("folder"), "installation");
  if (existsSync(made)) return made;
  const folder = await mkdtemp(`${made}-`);
  const tarball = await npm(process.cwd(), "pack", "--pack-destination", folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  await npm(folder, "install", "--offline", `./${tarball.trim()}`);
  // Another test file may have been faster.
  await rename(folder, made).catch((error: unknown) => {
    if (!existsSync(made)) throw error;
  });
  return made;
}

async function npm(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Program("npm", [...args, "--loglevel=error"], folder).ended;
  if (code !== 0) throw new Error(`npm ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** What a program that went well leaves behind. */
export const ended = (stdout: string): Outcome => ({ code: 0, stdout, stderr: "" });

/** A program of node_modules/.bin of this repository: Deno, Bun, workerd. */
export const bin = (name: string): string => resolve("node_modules/.bin", name);

/** The majors of Node that the package is tested on: from the oldest that it supports to the newest there is. */
export const majors = [20, 22, 24, 26];

/**
 * A Node of this major: the one that runs the tests, or else the newest, from the package that carries its binary. It is
 * fetched once, and kept under `build/`.
 *
 * @throws when it is neither there nor to be had, so that no test passes without the runtime that it is about.
 */
export async function nodeOf(major: number): Promise<string> {
  if (major === Number.parseInt(process.versions.node)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const kept = resolve("build/nodes", String(major));
  const binary = join(kept, "node_modules", name, "bin/node");
  if (existsSync(binary)) return binary;
  await mkdir("build/nodes", { recursive: true });
  const fetched = await mkdtemp(`${kept}-`);
  const args = ["install", "--loglevel=error", "--no-save", "--prefix", fetched, `${name}@${major}`];
  const { code, stderr } = await new Program("npm", args, fetched).ended;
  if (code !== 0 || !existsSync(join(fetched, "node_modules", name, "bin/node"))) {
    await rm(fetched, { recursive: true, force: true });
    throw new Error(`Not tested: Node ${major}. Its package, ${name}@${major}, could not be installed: ${stderr}`);
  }
  // Another test may have been faster.
  if (existsSync(binary)) await rm(fetched, { recursive: true });
  else await rename(fetched, kept);
  return binary;
}
