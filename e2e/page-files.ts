import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Project } from "./project.ts";

/** An entry of `exports`: one for all runtimes alike has none for browsers. */
interface Entry {
  readonly browser?: { readonly default: string };
  readonly default: unknown;
}

/** A page of a project: a module of `e2e/pages/`, which sets `data-ready` when it has run, and all that it imports. */
export class PageFiles {
  readonly #project: Project;
  readonly #files: ReadonlySet<string>;

  private constructor(project: Project, files: ReadonlySet<string>) {
    this.#project = project;
    this.#files = files;
  }

  /** Puts the page into the project, where a bundler finds it. */
  static async write(project: Project, module: string, page = "index.html"): Promise<PageFiles> {
    const main = `e2e/pages/${module}`;
    const files = new Set([main]);
    for (const file of files) {
      const source = await readFile(file, "utf8");
      for (const [, name] of source.matchAll(/"(\.\.?\/[^"]+\.mjs)"/g)) files.add(join(dirname(file), name!));
      await project.write(file, source);
    }
    const html = `<!doctype html><link rel="icon" href="data:," /><script type="module" src="/${main}"></script>`;
    await project.write(page, html);
    return new PageFiles(project, files);
  }

  /** Has it run without a bundler: the package is imported by places, since a page resolves no names. */
  async resolve(): Promise<void> {
    const { exports } = JSON.parse(await readFile("package.json", "utf8")) as { exports: Record<string, Entry> };
    const place = (_: string, entry = ""): string => {
      const { browser, default: other } = exports[`.${entry}`]!;
      return `"/node_modules/hybi/${browser?.default ?? (other as string)}"`;
    };
    for (const file of this.#files) {
      const source = await readFile(file, "utf8");
      await this.#project.write(file, source.replace(/"hybi(\/\w+)?"/g, place));
    }
  }
}
