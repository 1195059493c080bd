import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Comparison, streamUses, usesOf, type Use } from "./faces.ts";
import { Site, ways } from "./site.ts";

/** In the page. */
declare const faces: { use(...use: Use): Promise<unknown> };

let site: Site;
let comparison: Comparison;
beforeAll(async () => {
  comparison = await Comparison.start();
  site = await Site.create("faces.mjs");
});
afterAll(async () => {
  await site.remove();
  await comparison.close();
});

describe.each(ways)("the standard's faces in Chromium, as %s", (way) => {
  let page: Page;
  let errors: string[];
  beforeAll(async () => {
    ({ page, errors } = await site.open(way));
  });
  afterAll(async () => {
    await page.close();
    expect(errors).toEqual([]);
  });
  const inPage = (use: Use): Promise<unknown> => page.evaluate((use) => faces.use(...use), use);

  test.each([...usesOf("Chromium"), ...streamUses])("%s: as the browser has them", async (name) => {
    expect(await comparison.differences(inPage, name, "Chromium")).toEqual([]);
  });

  test("a bag of options: what a page cannot have is refused", async () => {
    expect(await comparison.use(inPage, "bag", "hybi")).toEqual({
      protocol: "v1.chat",
      code: "ERR_TOO_LONG",
      refused: ["ERR_UNSUPPORTED", "ERR_UNSUPPORTED", "ERR_UNSUPPORTED", "ERR_OPTION_UNKNOWN"],
    });
  });
});
