import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { asParts, reference } from "../../test/helpers/decoding.ts";
import { streams } from "../../test/helpers/streams.ts";
import { Inspector, hello } from "./inspector.ts";

const inspector = Inspector.forTests();
let page: Page;
beforeEach(async () => {
  page = await inspector.restore();
});

describe("a frame", () => {
  const masked = [
    ["FIN", "0", "1", "the last fragment of its message"],
    ["RSV1", "1", "0", "not set"],
    ["RSV2", "2", "0", "not set"],
    ["RSV3", "3", "0", "not set"],
    ["opcode", "4–7", "0001", "0x1: text, begins a message"],
    ["MASK", "8", "1", "masked, as a client sends"],
    ["Payload len", "9–15", "0000101", "5 bytes"],
    ["Masking-key", "16–47", "37 fa 21 3d", "byte i of the payload is XORed with byte i mod 4 of it (§5.3)"],
    ["Payload Data", "48–87", "7f 9f 4d 51 58", "5 bytes; masked"],
  ];

  test("is drawn field by field, as §5.2 draws it", async () => {
    await inspector.paste("81 85 37 fa 21 3d 7f 9f 4d 51 58");
    expect(await inspector.fields()).toEqual(masked);
    // Each cell begins under its bit of the ruler, and in the next row after 32 of them.
    const cells = await page.locator(".bits .cell").evaluateAll((all) =>
      all.map((cell) => [(cell as unknown as { style: { gridColumn: string } }).style.gridColumn, cell.querySelector("b")!.textContent])); // prettier-ignore
    expect(cells.slice(0, 9)).toEqual([
      ["1 / span 1", "FIN"],
      ["2 / span 1", "RSV1"],
      ["3 / span 1", "RSV2"],
      ["4 / span 1", "RSV3"],
      ["5 / span 4", "opcode"],
      ["9 / span 1", "MASK"],
      ["10 / span 7", "Payload len"],
      ["17 / span 16", "Masking-key"],
      ["1 / span 16", "continued"],
    ]);
    expect(await inspector.texts(".bits .ruler")).toHaveLength(32);
  });

  test("shows its payload masked and unmasked, side by side", async () => {
    await inspector.paste("81 85 37 fa 21 3d 7f 9f 4d 51 58");
    expect(await inspector.texts(".dump figcaption")).toEqual(["On the wire, masked with 37 fa 21 3d", "Unmasked"]);
    const [wire, plain] = await inspector.texts(".dump pre");
    expect([wire, plain]).toEqual([
      expect.stringContaining("7f 9f 4d 51 58"),
      expect.stringMatching(/48 65 6c 6c 6f .*Hello/),
    ]);
    const [left, right] = await page.locator(".dump").evaluateAll((all) => all.map((one) => (one as unknown as { getBoundingClientRect(): { top: number } }).getBoundingClientRect().top)); // prettier-ignore
    expect(left).toBe(right);
  });

  test.each([
    ["7e 01 00", 256, "16–31", "01 00"],
    ["7f 00 00 00 00 00 01 00 00", 65_536, "16–79", "00 00 00 00 00 01 00 00"],
  ])("with a length of more bits: %s", async (length, size, bits, raw) => {
    await inspector.paste(`82 ${length} ${"5a".repeat(size)}`);
    expect((await inspector.fields())[7]).toEqual([
      "Extended payload length",
      bits,
      raw,
      `${size.toLocaleString("en")} bytes`,
    ]);
    expect(await inspector.text("#summary")).toBe("1 frame, 1 message");
  });

  test("that is cut says what is missing", async () => {
    await inspector.paste("81 85 37 fa");
    expect(await inspector.text("#frame .verdict")).toBe(
      "The bytes end inside this frame, which is longer than what is here.",
    );
    await inspector.paste("81 05 48 65");
    expect(await inspector.text("#frame .verdict")).toBe("The bytes end inside this frame, which is 7 bytes long.");
    expect((await inspector.fields()).at(-1)).toEqual([
      "Payload Data",
      "16–55",
      "48 65",
      "2 bytes of 5, the rest is cut off",
    ]);
  });

  test("of each opcode has a colour of its own", async () => {
    await inspector.paste("< 01 00\n< 80 00\n< 82 00\n< 89 00\n< 8a 00\n< 88 00");
    const colours = await page.locator("#frames .chip").evaluateAll((chips) => chips.map((chip) => (globalThis as unknown as { getComputedStyle(of: unknown): { color: string } }).getComputedStyle(chip).color)); // prettier-ignore
    // A continuation has that of its message.
    expect([colours.length, new Set(colours).size, colours[0]]).toEqual([6, 5, colours[1]]);
  });
});

describe("what is pasted", () => {
  test.each([
    ["hexadecimal", "81 05 48 65 6c 6c 6f"],
    ["without spaces", "81054865 6C6C6F"],
    ["as C has it", "0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f"],
    ["escaped", String.raw`\x81\x05\x48\x65\x6c\x6c\x6f`],
    ["with colons", "81:05:48:65:6c:6c:6f"],
    ["base64", "gQVIZWxsbw=="],
    ["base64url", "gQVIZWxsbw"],
    ["of xxd", "00000000: 8105 4865 6c6c 6f                        ..Hello"],
    ["of hexdump -C", "00000000  81 05 48 65 6c 6c 6f                              |..Hello|"],
    ["of tcpdump", "\t0x0000:  8105 4865 6c6c 6f                        ..Hello"],
    ["of Wireshark", "0000   81 05 48 65 6c 6c 6f                              ..Hello"],
    ["of a side", "< 81 05 48\n< 65 6c 6c 6f"],
  ])("is read: %s", async (_, bytes) => {
    await inspector.paste(bytes);
    expect(await inspector.list()).toEqual([hello]);
    expect(await inspector.text("#frame-title")).toMatch(/from the server, at byte 0$/);
  });

  test.each([
    ["81 05 4", "half of it is missing"],
    ["81 05 xy!", "“x” is neither hexadecimal nor base64"],
    ["gQVIZ", "its length is not one that bytes come to"],
  ])("and is not bytes, %s, is told apart", async (bytes, why) => {
    await inspector.paste(bytes);
    expect(await page.locator("#capture-error").innerText()).toContain(why);
    expect(await page.getAttribute("#capture", "aria-invalid")).toBe("true");
    expect(await inspector.list()).toEqual([]);
    await inspector.paste("81 05 48 65 6c 6c 6f");
    expect(await page.locator("#capture-error").textContent()).toBe("");
  });

  test("is of whom the choice says", async () => {
    await page.selectOption("#by", "client");
    await inspector.paste("81 05 48 65 6c 6c 6f");
    expect(await inspector.text("#frame .verdict")).toMatch(/^Violation. A frame from a client is not masked \(§5.1\)/);
  });

  test("is never taken for markup", async () => {
    const markup = Buffer.from("<img src=x onerror=alert(1)>");
    await inspector.paste(`82 ${(2 + markup.length).toString(16)} 0000 ${markup.toString("hex")}`);
    await inspector.paste(`81 ${markup.length.toString(16)} ${markup.toString("hex")}`);
    expect(await inspector.text("#frame .content")).toBe(markup.toString());
    expect(await page.locator("#frame img").count()).toBe(0);
  });
});

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
