import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launch } from "../browser.ts";
import { serve } from "../static.ts";

/** A browser that visits the inspector, and what the page that it is at draws. */
export class Inspector {
  page!: Page;
  /** What pages say on their consoles: nothing, if all is well; what the policy forbids would stand there too. */
  said: string[] = [];
  #browser!: Browser;
  #site!: Awaited<ReturnType<typeof serve>>;
  /** One page for all that need none of their own. */
  #home: Page | undefined;
  #visits = 0;

  /** One for all tests of a file, which is there while they run. */
  static forTests(): Inspector {
    const inspector = new Inspector();
    beforeAll(() => inspector.#start());
    afterEach(() => inspector.#leave());
    afterAll(() => inspector.#stop());
    return inspector;
  }

  async #start(): Promise<void> {
    // In a folder of a file server that knows nothing of it.
    [this.#browser, this.#site] = await Promise.all([launch(), serve("build")]);
  }

  async #stop(): Promise<void> {
    await this.#browser.close();
    await this.#site.close();
  }

  /** Loads it anew. */
  async load(): Promise<Page> {
    return this.#visit((this.#home ??= await this.#newPage()), this.#url());
  }

  /** Puts back what a capture, and the choices about it, have changed: much less work than to load it anew. */
  async restore(): Promise<Page> {
    if (!this.#home) return this.load();
    this.page = this.#home;
    await this.page.selectOption("#sample", "0");
    return this.page;
  }

  /** Opens it in a context of its own, as it is at `url`. */
  async open(url = this.#url(), options?: BrowserContextOptions): Promise<Page> {
    return this.#visit(await this.#newPage(options), url);
  }

  /** Between two tests: closes the pages that were opened, and looks at what was said. */
  async #leave(): Promise<void> {
    for (const context of this.#browser.contexts()) if (context !== this.#home?.context()) await context.close();
    expect(this.said.splice(0)).toEqual([]);
  }

  /** Another each time, so that a browser does not take it for a place in the page that it is at. */
  #url(): string {
    return `${this.#site.url}inspector/?${this.#visits++}`;
  }

  async #newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const permissions = ["clipboard-read", "clipboard-write"];
    const page = await (await this.#browser.newContext({ permissions, ...options })).newPage();
    page.on("console", (message) => this.said.push(message.text()));
    page.on("pageerror", (error) => this.said.push(error.message));
    return page;
  }

  async #visit(page: Page, url: string): Promise<Page> {
    await page.goto(url);
    await page.waitForSelector("#frames li");
    return (this.page = page);
  }

  // --- what it is given, and what it draws

  paste(text: string): Promise<void> {
    return this.page.fill("#capture", text);
  }

  sample(label: string): Promise<unknown> {
    return this.page.selectOption("#sample", { label });
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  texts(selector: string): Promise<string[]> {
    return this.page.locator(selector).allInnerTexts();
  }

  /** Waits until it says so. */
  says(selector: string, hasText: string | RegExp): Promise<void> {
    return this.page.locator(selector, { hasText }).waitFor();
  }

  /** The list of frames: opcode, payload and note of each. */
  list(): Promise<string[][]> {
    const rows = this.page.locator("#frames li");
    return rows.evaluateAll((all) => all.map((row) => [...row.querySelectorAll(".chip, .what, .note")].map((part) => part.textContent))); // prettier-ignore
  }

  /** The table of fields of the frame that is selected. */
  fields(): Promise<string[][]> {
    const rows = this.page.locator("#frame tbody tr");
    return rows.evaluateAll((all) => all.map((row) => [...(row as unknown as { cells: Iterable<{ textContent: string }> }).cells].map((cell) => cell.textContent))); // prettier-ignore
  }
}

/** How a text frame of "Hello" is listed. */
export const hello = ["text", "Hello", "5 B"];
