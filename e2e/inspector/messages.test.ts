import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { asParts, reference } from "../../test/helpers/decoding.ts";
import { streams } from "../../test/helpers/streams.ts";
import { Inspector } from "./inspector.ts";

let inspector: Inspector;
let page: Page;
beforeAll(async () => {
  inspector = await Inspector.start();
});
afterAll(() => inspector.stop());
beforeEach(async () => {
  page = await inspector.restore();
});
afterEach(() => inspector.leave());

describe("messages", () => {
  test("of fragments are joined, with a control frame between them", async () => {
    await inspector.sample("A message in fragments, with a Ping between them (§5.4)");
    expect(await inspector.list()).toEqual([
      ["text", "Hel", "message 1, 1/3"],
      ["ping", "Hello", "5 B"],
      ["continuation", "lo,", "message 1, 2/3"],
      ["continuation", " world!", "message 1, 3/3"],
    ]);
    expect(await inspector.text(".message h3")).toBe("Message 1: text, 3 fragments (frames 1, 3, 4)");
    expect(await inspector.text(".message .content")).toBe("Hello, world!");
  });

  test("that are compressed are inflated, by one window", async () => {
    await inspector.sample("Compressed, the second by the window of the first (RFC 7692 §7.2.3.2)");
    await page.press("#frames", "End");
    expect(await inspector.text(".message h3")).toBe("Message 2: text, 1 fragment (frame 2)");
    expect(await inspector.text(".message .inflated")).toBe("Inflated from 5 bytes to 5, 1.0 times as many.");
    expect(await inspector.text(".message .content")).toBe("Hello");
    await page.selectOption("#deflate", "no-takeover");
    expect(await inspector.text("#frame .verdict")).toMatch(/before the window \(RFC 1951 §3.2.3\)/);
    await page.selectOption("#deflate", "off");
    await page.press("#frames", "Home");
    expect(await inspector.text("#frame .verdict")).toMatch(/reserved bit is set without an extension for it \(§5.2\)/);
  });

  test("that are compressed and in fragments", async () => {
    await inspector.sample("Compressed and in two fragments (RFC 7692 §7.2.3.1)");
    expect(await inspector.text(".message .content")).toBe("Hello");
  });
});

describe("violations", () => {
  test.each([
    ["Wrong: a client that does not mask (§5.1)", 0, 1002, "5.1", ["MASK"]],
    ["Wrong: a length not in its shortest form (§5.2)", 0, 1002, "5.2", ["Payload len", "Extended payload length"]],
    ["Wrong: RSV1 without an extension (§5.2)", 0, 1002, "5.2", ["RSV1", "RSV2", "RSV3"]],
    ["Wrong: a new message inside an unfinished one (§5.4)", 1, 1002, "5.4", ["opcode"]],
    ["Wrong: text that is not UTF-8, in its second fragment (§8.1)", 1, 1007, "8.1", ["Payload Data"]],
    ["Wrong: a Close frame with 1006 (§7.4.1)", 0, 1002, "7.4.1", ["Payload Data"]],
    ["Wrong: no DEFLATE (RFC 7692 §7.2.2)", 0, 1007, "3.2.3", ["Payload Data"]],
  ])("%s", async (name, index, closeCode, section, marked) => {
    await inspector.sample(name);
    expect((await inspector.list())[index]![2]).toBe(`✗ ${closeCode}`);
    expect(await inspector.text("#frame .verdict p")).toContain(`with a Close frame of ${closeCode}, `);
    expect(await page.locator("#frame .verdict a").getAttribute("href")).toMatch(new RegExp(`#section-${section}$`));
    expect(await inspector.texts("#frame tr.violated th")).toEqual(marked);
    expect(await page.locator(".bits .cell.violated").count()).toBeGreaterThan(0);
  });

  test("what stands behind one, or behind a Close frame, is drawn but not looked at", async () => {
    await inspector.paste("< 83 00\n< 81 01 61");
    expect(await inspector.list()).toEqual([
      ["reserved, data", "", "✗ 1002"],
      ["text", "a", "not looked at"],
    ]);
    await inspector.paste("< 88 00\n< 81 01 61");
    expect((await inspector.list())[1]).toEqual(["text", "a", "not looked at"]);
  });

  test.each(["server", "client"] as const)("of all streams of the codec's own tests, for a %s", async (role) => {
    // The page sets no limits, and knows one extension.
    const rows = streams(role).filter(({ limits: { allowedRsv, maxLength, maxFragments } }) => !(allowedRsv & 0x30) && maxLength > 1e9 && maxFragments > 1e9); // prettier-ignore
    expect(rows.length).toBeGreaterThan(100);
    await page.selectOption("#deflate", "off");
    const expected: Record<string, string> = {};
    const captures: Record<string, string> = {};
    for (const { name, bytes, limits } of rows) {
      const { violation, parts } = asParts(reference(bytes, { ...limits, allowedRsv: 0 }));
      // Behind a Close frame the page, as a connection does, looks at nothing.
      if (bytes.length === 0 || parts.some(({ opcode }) => opcode === 8)) continue;
      captures[name] = `${role === "server" ? ">" : "<"} ${Buffer.from(bytes).toString("hex")}`;
      expected[name] = violation ? `${violation.text} ${violation.closeCode}` : "";
    }
    const found = await page.evaluate((captures) => {
      const { document, Event } = globalThis as any; // eslint-disable-line @typescript-eslint/no-explicit-any
      const input = document.getElementById("capture");
      return Object.fromEntries(
        Object.entries(captures).map(([name, text]) => {
          input.value = text;
          input.dispatchEvent(new Event("input"));
          const [, what, code] = /^Violation. (.*)The .* with a Close frame of (\d+)/.exec(document.querySelector("#frame .verdict.violated")?.textContent ?? "") ?? []; // prettier-ignore
          return [name, what ? `${what[0]!.toLowerCase()}${what.slice(1)} ${code}` : ""];
        }),
      );
    }, captures);
    expect(found).toEqual(expected);
  });
});
