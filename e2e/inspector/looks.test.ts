import { mkdir, readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Inspector } from "./inspector.ts";

let inspector: Inspector;
beforeAll(async () => {
  inspector = await Inspector.start();
});
afterAll(() => inspector.stop());
afterEach(() => inspector.leave());

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  test.each([
    ["wide", 1360],
    ["narrow", 360],
  ])("%s: axe finds nothing, and nothing sticks out", { timeout: 120_000 }, async (name, width) => {
    const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
    const page = await inspector.open(undefined, { colorScheme, viewport: { width, height: 900 } });
    await mkdir("build/screenshots", { recursive: true });
    const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(ground).toBe(colorScheme === "light" ? "rgb(244, 245, 248)" : "rgb(15, 18, 24)");
    await page.evaluate(axe);
    for (const one of ["0", "2", "7"]) {
      await page.selectOption("#sample", one);
      const found = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run(); // prettier-ignore
        return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
      });
      expect(found).toEqual([]);
      const { scrollWidth, clientWidth } = await page.locator("html").evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth })); // prettier-ignore
      expect(scrollWidth).toBe(clientWidth);
      expect(await page.locator(".bits .ruler").count()).toBe(width > 1000 ? 32 : 16);
    }
    await page.screenshot({ path: `build/screenshots/${colorScheme}-${name}.png`, fullPage: true });
  });
});
