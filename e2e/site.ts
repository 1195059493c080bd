import { cp } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import * as vite from "vite";
import { launch } from "./browser.ts";
import { PageFiles } from "./page-files.ts";
import { Project } from "./project.ts";
import { serve } from "./static.ts";

/** How a page comes by the package: by its files as they were installed, or from a bundle. */
export const ways = ["plain modules", "a build of Vite"] as const;
export type Way = (typeof ways)[number];

/** A page that has loaded. */
export interface Visit {
  readonly page: Page;
  /** What stands on its console. */
  readonly said: string[];
  /** What was thrown and not caught. */
  readonly errors: string[];
}

/** A site that uses the package, in a project of its own, and the browser that visits it. */
export class Site {
  readonly project: Project;
  readonly browser: Browser;
  readonly #servers: Awaited<ReturnType<typeof serve>>[] = [];

  private constructor(project: Project, browser: Browser) {
    this.project = project;
    this.browser = browser;
  }

  /** Makes one of a module of `e2e/pages/`. What `assets` holds by name can be fetched. */
  static async create(module: string, assets: Readonly<Record<string, string>> = {}): Promise<Site> {
    const [project, browser] = await Promise.all([Project.create(), launch()]);
    const { folder } = project;
    const files = await PageFiles.write(project, module);
    for (const [name, text] of Object.entries(assets)) await project.write(`public/${name}`, text);
    await vite.build({
      root: folder,
      configFile: false,
      logLevel: "silent",
      // Workers are modules here, as they are in browsers of today.
      worker: { format: "es" },
      build: { outDir: "vite", modulePreload: false },
    });
    await files.resolve();
    if (Object.keys(assets).length > 0) await cp(`${folder}/public`, folder, { recursive: true });
    return new Site(project, browser);
  }

  folder(way: Way): string {
    return way === "plain modules" ? this.project.folder : `${this.project.folder}/vite`;
  }

  /** Opens its page, under a Content-Security-Policy if one is given. */
  async open(way: Way, policy?: string): Promise<Visit> {
    const server = await serve(this.folder(way), policy);
    this.#servers.push(server);
    const page = await this.browser.newPage();
    const said: string[] = [];
    const errors: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", ({ message }) => errors.push(message));
    await page.goto(server.url);
    await page.waitForSelector("html[data-ready]");
    return { page, said, errors };
  }

  async remove(): Promise<void> {
    for (const server of this.#servers) await server.close();
    await this.browser.close();
    await this.project.remove();
  }
}
