import { mkdir, readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { serve } from "../static.ts";
import { Inspector, hello } from "./inspector.ts";

const inspector = Inspector.forTests();
let page: Page;
beforeEach(async () => {
  page = await inspector.load();
});

describe("the editor", () => {
  test("takes a frame, and puts what becomes of it in its place", async () => {
    await inspector.sample("Hello, unmasked and masked (RFC 6455 §5.7)");
    await page.press("#frames", "ArrowDown");
    await page.click("#edit");
    expect(await page.inputValue("#payload")).toBe("Hello");
    expect(await page.inputValue("[name=key]")).toBe("37 fa 21 3d");
    await page.fill("#payload", "Grüße");
    await page.uncheck("[name=fin]");
    await page.click("#replace");
    expect(await inspector.list()).toEqual([
      ["text", "Hello", "5 B"],
      ["text", "Grüße", "message 2, 1/1"],
    ]);
    expect(await page.inputValue("#capture")).toMatch(/^< 81 05 48 65 6c 6c 6f\n> 01 87 37 fa 21 3d /);
  });

  test("adds frames that break rules", async () => {
    await inspector.paste("");
    await page.selectOption("[name=by]", "server");
    await page.selectOption("[name=opcode]", "9");
    await page.selectOption("[name=form]", "hex");
    await page.fill("[name=key]", "");
    await page.fill("#payload", "00".repeat(126));
    await page.click("#append");
    expect(await inspector.text("#frame .verdict")).toContain("A control frame is longer than 125 bytes (§5.5)");
  });

  test("says what is wrong with what it is given", async () => {
    await page.fill("[name=key]", "37 fa");
    await page.click("#append");
    expect(await inspector.text("#editor-error")).toBe("A masking key has four bytes, or none, not 2.");
  });
});

test("by keyboard alone: every control is reached, in order, and frames are selected by arrows", async () => {
  await page.locator("#build").focus();
  const reached: string[] = [];
  for (let i = 0; i < 60; i++) {
    const name = await page.evaluate(() => {
      const { activeElement: at } = (globalThis as unknown as { document: { activeElement: { id: string; getAttribute(name: string): string | null } } }).document; // prettier-ignore
      return at.id || at.getAttribute("name") || at.getAttribute("aria-label") || "";
    });
    if (name === "" && i > 10) break;
    reached.push(name);
    await page.keyboard.press("Tab");
  }
  const controls = ["build", "sample", "capture", "by", "deflate", "share", "clear", "frames", "url", "subprotocols", "open", "edit", "by", "opcode", "fin", "rsv1", "rsv2", "rsv3", "key", "form", "payload", "replace", "append"]; // prettier-ignore
  expect(reached.filter((name) => controls.includes(name))).toEqual(controls);

  await page.locator("#frames").focus();
  for (const [key, number] of [
    ["ArrowDown", 2],
    ["End", 6],
    ["ArrowDown", 6],
    ["ArrowUp", 5],
    ["Home", 1],
  ] as const) {
    await page.keyboard.press(key);
    expect(await inspector.text("#frame-title")).toMatch(`Frame ${number} `);
    expect(await page.locator("#frames [aria-selected=true]").count()).toBe(1);
    expect(await page.getAttribute("#frames", "aria-activedescendant")).toBe(`frame-${number - 1}`);
  }
  await page.locator("#capture").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("81 05 48 65 6c 6c 6f");
  expect(await inspector.list()).toEqual([hello]);
});

describe("sharing", () => {
  test("puts the capture, and how it is read, into the fragment of the URL", async () => {
    await inspector.sample("Wrong: RSV1 without an extension (§5.2)");
    await page.click("#share");
    await inspector.says("#shared", "Copied.");
    expect(await inspector.text("#shared")).toBe("Copied.");
    const link = page.url();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(link);
    expect(new URL(link).pathname).toBe("/inspector/");
    page = await inspector.open(link);
    expect(await page.inputValue("#capture")).toBe("< c1 07 f2 48 cd c9 c9 07 00");
    expect(await page.inputValue("#deflate")).toBe("off");
    expect(await inspector.text("#frame .verdict")).toMatch(/^Violation. A reserved bit/);
  });

  test("keeps the frame that was selected", async () => {
    await page.press("#frames", "End");
    await page.click("#share");
    await inspector.says("#shared", "Copied.");
    page = await inspector.open(page.url());
    expect(await inspector.text("#frame-title")).toMatch(/^Frame 6 /);
  });

  test("says of a damaged link that it is one", async () => {
    await page.evaluate('location.hash = "#capture=AAAA"');
    await inspector.says("#capture-error", /./);
    expect(await inspector.text("#capture-error")).toBe("The capture in this link is damaged: was the link cut?");
  });
});

describe("the codec", () => {
  test("says which build it is, and how fast; another can be chosen", async () => {
    for (const [build, choice] of [
      ["simd", ""],
      ["scalar", "scalar"],
      ["javascript", "javascript"],
    ] as const) {
      await page.selectOption("#build", choice);
      await inspector.says("#speed", new RegExp(`^${build} decodes`));
      expect(await inspector.text("#speed")).toMatch(/ decodes [\d.]+ million frames\/s, [\d.]+ GB\/s$/);
      expect((await inspector.list())[0]).toEqual(hello);
    }
  });

  test("is JavaScript where a policy forbids WebAssembly", async () => {
    const strict = await serve("build/inspector", "default-src 'self'; img-src data:; connect-src *");
    page = await inspector.open(strict.url);
    await inspector.says("#speed", /^javascript decodes/);
    expect((await inspector.list())[0]).toEqual(hello);
    await page.selectOption("#build", "scalar");
    expect(await inspector.text("#speed")).toBe("The codec does not run here as scalar.");
    // Chromium reports each build that was tried and refused.
    expect(inspector.said.splice(0).filter((line) => !/wasm-unsafe-eval|WebAssembly/.test(line))).toEqual([]);
    await strict.close();
  });
});

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  test.each([
    ["wide", 1360],
    ["narrow", 360],
  ])("%s: axe finds nothing, and nothing sticks out", { timeout: 120_000 }, async (name, width) => {
    const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
    page = await inspector.open(undefined, { colorScheme, viewport: { width, height: 900 } });
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
