import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Server } from "hybi";
import { asParts, reference } from "../test/helpers/decoding.ts";
import { streams } from "../test/helpers/streams.ts";

import { launch } from "./browser.ts";
import { freePort, run, runtimes, type Program } from "./run.ts";
import { serve } from "./static.ts";

let browser: Browser;
let site: Awaited<ReturnType<typeof serve>>;
let page: Page;
/** What the page says on its console: nothing, if all is well; what the policy forbids would stand there too. */
let said: string[];

/** One page for all that need none of their own. */
let home: Page;
let visits = 0;

beforeAll(async () => {
  // In a folder of a file server that knows nothing of it.
  [browser, site] = await Promise.all([launch(), serve("build")]);
  home = await newPage();
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  const opened = await context.newPage();
  opened.on("console", (message) => said.push(message.text()));
  opened.on("pageerror", (error) => said.push(error.message));
  return opened;
}

async function visit(opened: Page, url = `${site.url}inspector/?${visits++}`): Promise<Page> {
  await opened.goto(url);
  await opened.waitForSelector("#frames li");
  return opened;
}
const open = async (url?: string, options?: BrowserContextOptions): Promise<Page> => visit(await newPage(options), url);

beforeEach(async () => {
  said = [];
  page = await visit(home);
});
afterEach(async () => {
  for (const context of browser.contexts()) if (context !== home.context()) await context.close();
  expect(said).toEqual([]);
});

const paste = (text: string): Promise<void> => page.fill("#capture", text);
const texts = (selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();
const text = (selector: string): Promise<string> => page.locator(selector).innerText();
const says = (selector: string, hasText: string | RegExp): Promise<void> =>
  page.locator(selector, { hasText }).waitFor();
/** The table of fields. */
const fields = (): Promise<string[][]> =>
  page.locator("#frame tbody tr").evaluateAll((rows) => rows.map((row) => [...(row as unknown as { cells: Iterable<{ textContent: string }> }).cells].map((cell) => cell.textContent))); // prettier-ignore
const sample = (name: string): Promise<unknown> => page.selectOption("#sample", { label: name });
const list = async (): Promise<string[][]> => {
  const rows = page.locator("#frames li");
  return rows.evaluateAll((all) => all.map((row) => [...row.querySelectorAll(".chip, .what, .note")].map((part) => part.textContent))); // prettier-ignore
};
const hello = [["text", "Hello", "5 B"]];

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
    await paste("81 85 37 fa 21 3d 7f 9f 4d 51 58");
    expect(await fields()).toEqual(masked);
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
    expect(await texts(".bits .ruler")).toHaveLength(32);
  });

  test("shows its payload masked and unmasked, side by side", async () => {
    await paste("81 85 37 fa 21 3d 7f 9f 4d 51 58");
    expect(await texts(".dump figcaption")).toEqual(["On the wire, masked with 37 fa 21 3d", "Unmasked"]);
    const [wire, plain] = await texts(".dump pre");
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
    await paste(`82 ${length} ${"5a".repeat(size)}`);
    expect((await fields())[7]).toEqual(["Extended payload length", bits, raw, `${size.toLocaleString("en")} bytes`]);
    expect(await text("#summary")).toBe("1 frame, 1 message");
  });

  test("that is cut says what is missing", async () => {
    await paste("81 85 37 fa");
    expect(await text("#frame .verdict")).toBe("The bytes end inside this frame, which is longer than what is here.");
    await paste("81 05 48 65");
    expect(await text("#frame .verdict")).toBe("The bytes end inside this frame, which is 7 bytes long.");
    expect((await fields()).at(-1)).toEqual(["Payload Data", "16–55", "48 65", "2 bytes of 5, the rest is cut off"]);
  });

  test("of each opcode has a colour of its own", async () => {
    await paste("< 01 00\n< 80 00\n< 82 00\n< 89 00\n< 8a 00\n< 88 00");
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
    await paste(bytes);
    expect(await list()).toEqual(hello);
    expect(await text("#frame-title")).toMatch(/from the server, at byte 0$/);
  });

  test.each([
    ["81 05 4", "half of it is missing"],
    ["81 05 xy!", "“x” is neither hexadecimal nor base64"],
    ["gQVIZ", "its length is not one that bytes come to"],
  ])("and is not bytes, %s, is told apart", async (bytes, why) => {
    await paste(bytes);
    expect(await page.locator("#capture-error").innerText()).toContain(why);
    expect(await page.getAttribute("#capture", "aria-invalid")).toBe("true");
    expect(await list()).toEqual([]);
    await paste("81 05 48 65 6c 6c 6f");
    expect(await page.locator("#capture-error").textContent()).toBe("");
  });

  test("is of whom the choice says", async () => {
    await page.selectOption("#by", "client");
    await paste("81 05 48 65 6c 6c 6f");
    expect(await text("#frame .verdict")).toMatch(/^Violation. A frame from a client is not masked \(§5.1\)/);
  });

  test("is never taken for markup", async () => {
    const markup = Buffer.from("<img src=x onerror=alert(1)>");
    await paste(`82 ${(2 + markup.length).toString(16)} 0000 ${markup.toString("hex")}`);
    await paste(`81 ${markup.length.toString(16)} ${markup.toString("hex")}`);
    expect(await text("#frame .content")).toBe(markup.toString());
    expect(await page.locator("#frame img").count()).toBe(0);
  });
});

describe("messages", () => {
  test("of fragments are joined, with a control frame between them", async () => {
    await sample("A message in fragments, with a Ping between them (§5.4)");
    expect(await list()).toEqual([
      ["text", "Hel", "message 1, 1/3"],
      ["ping", "Hello", "5 B"],
      ["continuation", "lo,", "message 1, 2/3"],
      ["continuation", " world!", "message 1, 3/3"],
    ]);
    expect(await text(".message h3")).toBe("Message 1: text, 3 fragments (frames 1, 3, 4)");
    expect(await text(".message .content")).toBe("Hello, world!");
  });

  test("that are compressed are inflated, by one window", async () => {
    await sample("Compressed, the second by the window of the first (RFC 7692 §7.2.3.2)");
    await page.press("#frames", "End");
    expect(await text(".message h3")).toBe("Message 2: text, 1 fragment (frame 2)");
    expect(await text(".message .inflated")).toBe("Inflated from 5 bytes to 5, 1.0 times as many.");
    expect(await text(".message .content")).toBe("Hello");
    await page.selectOption("#deflate", "no-takeover");
    expect(await text("#frame .verdict")).toMatch(/before the window \(RFC 1951 §3.2.3\)/);
    await page.selectOption("#deflate", "off");
    await page.press("#frames", "Home");
    expect(await text("#frame .verdict")).toMatch(/reserved bit is set without an extension for it \(§5.2\)/);
  });

  test("that are compressed and in fragments", async () => {
    await sample("Compressed and in two fragments (RFC 7692 §7.2.3.1)");
    expect(await text(".message .content")).toBe("Hello");
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
    await sample(name);
    expect((await list())[index]![2]).toBe(`✗ ${closeCode}`);
    expect(await text("#frame .verdict p")).toContain(`with a Close frame of ${closeCode}, `);
    expect(await page.locator("#frame .verdict a").getAttribute("href")).toMatch(new RegExp(`#section-${section}$`));
    expect(await texts("#frame tr.violated th")).toEqual(marked);
    expect(await page.locator(".bits .cell.violated").count()).toBeGreaterThan(0);
  });

  test("what stands behind one, or behind a Close frame, is drawn but not looked at", async () => {
    await paste("< 83 00\n< 81 01 61");
    expect(await list()).toEqual([
      ["reserved, data", "", "✗ 1002"],
      ["text", "a", "not looked at"],
    ]);
    await paste("< 88 00\n< 81 01 61");
    expect((await list())[1]).toEqual(["text", "a", "not looked at"]);
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

describe("the editor", () => {
  test("takes a frame, and puts what becomes of it in its place", async () => {
    await sample("Hello, unmasked and masked (RFC 6455 §5.7)");
    await page.press("#frames", "ArrowDown");
    await page.click("#edit");
    expect(await page.inputValue("#payload")).toBe("Hello");
    expect(await page.inputValue("[name=key]")).toBe("37 fa 21 3d");
    await page.fill("#payload", "Grüße");
    await page.uncheck("[name=fin]");
    await page.click("#replace");
    expect(await list()).toEqual([
      ["text", "Hello", "5 B"],
      ["text", "Grüße", "message 2, 1/1"],
    ]);
    expect(await page.inputValue("#capture")).toMatch(/^< 81 05 48 65 6c 6c 6f\n> 01 87 37 fa 21 3d /);
  });

  test("adds frames that break rules", async () => {
    await paste("");
    await page.selectOption("[name=by]", "server");
    await page.selectOption("[name=opcode]", "9");
    await page.selectOption("[name=form]", "hex");
    await page.fill("[name=key]", "");
    await page.fill("#payload", "00".repeat(126));
    await page.click("#append");
    expect(await text("#frame .verdict")).toContain("A control frame is longer than 125 bytes (§5.5)");
  });

  test("says what is wrong with what it is given", async () => {
    await page.fill("[name=key]", "37 fa");
    await page.click("#append");
    expect(await text("#editor-error")).toBe("A masking key has four bytes, or none, not 2.");
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
    expect(await text("#frame-title")).toMatch(`Frame ${number} `);
    expect(await page.locator("#frames [aria-selected=true]").count()).toBe(1);
    expect(await page.getAttribute("#frames", "aria-activedescendant")).toBe(`frame-${number - 1}`);
  }
  await page.locator("#capture").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("81 05 48 65 6c 6c 6f");
  expect(await list()).toEqual(hello);
});

describe("sharing", () => {
  test("puts the capture, and how it is read, into the fragment of the URL", async () => {
    await sample("Wrong: RSV1 without an extension (§5.2)");
    await page.click("#share");
    await says("#shared", "Copied.");
    expect(await text("#shared")).toBe("Copied.");
    const link = page.url();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(link);
    expect(new URL(link).pathname).toBe("/inspector/");
    page = await open(link);
    expect(await page.inputValue("#capture")).toBe("< c1 07 f2 48 cd c9 c9 07 00");
    expect(await page.inputValue("#deflate")).toBe("off");
    expect(await text("#frame .verdict")).toMatch(/^Violation. A reserved bit/);
  });

  test("keeps the frame that was selected", async () => {
    await page.press("#frames", "End");
    await page.click("#share");
    await says("#shared", "Copied.");
    page = await open(page.url());
    expect(await text("#frame-title")).toMatch(/^Frame 6 /);
  });

  test("says of a damaged link that it is one", async () => {
    await page.evaluate('location.hash = "#capture=AAAA"');
    await says("#capture-error", /./);
    expect(await text("#capture-error")).toBe("The capture in this link is damaged: was the link cut?");
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
      await says("#speed", new RegExp(`^${build} decodes`)); // prettier-ignore
      expect(await text("#speed")).toMatch(/ decodes [\d.]+ million frames\/s, [\d.]+ GB\/s$/);
      expect((await list())[0]).toEqual(hello[0]);
    }
  });

  test("is JavaScript where a policy forbids WebAssembly", async () => {
    const strict = await serve("build/inspector", "default-src 'self'; img-src data:; connect-src *");
    page = await open(strict.url);
    await says("#speed", /^javascript decodes/);
    expect((await list())[0]).toEqual(hello[0]);
    await page.selectOption("#build", "scalar");
    expect(await text("#speed")).toBe("The codec does not run here as scalar.");
    // Chromium reports each build that was tried and refused.
    expect(said.splice(0).every((line) => line.includes("wasm-unsafe-eval") || line.includes("WebAssembly"))).toBe(
      true,
    );
    await strict.close();
  });
});

describe("a connection", () => {
  async function connectTo(server: Server, subprotocols = ""): Promise<void> {
    await server.listen();
    await page.fill("[name=url]", `ws://127.0.0.1:${(server.address as { port: number }).port}/echo`);
    await page.fill("[name=subprotocols]", subprotocols);
    await page.click("#open");
    await page.waitForSelector("#state.open");
    await page.click("#clear");
  }

  test("shows messages as frames; an edited one is sent", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1", origins: "any", acceptProtocols: ["v1"] });
    const messages: unknown[] = [];
    server.on("connection", (ws) =>
      ws.on("message", (message) => {
        messages.push(message);
        ws.send(message);
      }),
    );
    await connectTo(server, "v1");
    expect(await text("#state")).toMatch(/^Connected to ws:\S+, subprotocol v1, no extensions\.$/);
    await page.fill("#payload", "Grüße");
    await page.click("#send");
    await page.waitForSelector("#frame-1");
    expect(await list()).toEqual([
      ["text", "Grüße", "7 B"],
      ["text", "Grüße", "7 B"],
    ]);
    expect(await page.locator("#frames .by .unseen").allTextContents()).toEqual(["from the client", "from the server"]);
    await page.click("#edit");
    await page.selectOption("[name=opcode]", "2");
    await page.selectOption("[name=form]", "hex");
    await page.fill("#payload", "00 ff 80");
    await page.click("#send");
    await page.waitForSelector("#frame-3");
    expect((await list())[3]).toEqual(["binary", "00 ff 80", "3 B"]);
    expect(messages).toEqual(["Grüße", Uint8Array.of(0, 255, 128)]);
    await page.selectOption("[name=opcode]", "9");
    await page.click("#send");
    expect(await text("#editor-error")).toMatch(/^A page can send text and binary messages only/);
    await page.click("#close");
    await says("#state", /^Closed cleanly, with 1000/);
    expect(await page.isDisabled("#send")).toBe(true);
  });

  test("says with which code the server closes", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1", origins: "any" });
    server.on("connection", (ws) => ws.on("message", () => void ws.close(4001, "enough")));
    await connectTo(server);
    await page.click("#send");
    await says("#state", /^Closed cleanly/);
    expect(await text("#state")).toBe("Closed cleanly, with 4001 “enough”.");
  });

  test("says that nobody is there, and what is no URL", async () => {
    await page.fill("[name=url]", `ws://127.0.0.1:${await freePort()}/`);
    await page.click("#open");
    await says("#state", /^Closed without/);
    expect(await text("#state")).toContain("with 1006");
    expect(said.splice(0).join()).toContain("ERR_CONNECTION_REFUSED");
    await page.fill("[name=url]", "ftp://x/");
    await page.click("#open");
    expect(await text("#state")).toContain("URL");
  });

  test("with a long message goes on, and draws it not", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1", origins: "any" });
    server.on("connection", (ws) => ws.send("x".repeat(100_000)));
    await connectTo(server);
    await says("#state", /too long to draw.$/);
  });
});

describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
  test.each([
    ["wide", 1360],
    ["narrow", 360],
  ])("%s: axe finds nothing, and nothing sticks out", { timeout: 120_000 }, async (name, width) => {
    const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
    page = await open(undefined, { colorScheme, viewport: { width, height: 900 } });
    await mkdir("build/screenshots", { recursive: true });
    const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(ground).toBe(colorScheme === "light" ? "rgb(244, 245, 248)" : "rgb(15, 18, 24)");
    for (const one of ["0", "2", "7"]) {
      await page.selectOption("#sample", one);
      await page.evaluate(axe);
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

describe.each(runtimes)("npm start, on %s", (runtime) => {
  let program: Program;
  let port: number;
  beforeEach(async () => {
    port = await freePort();
    program = run(runtime, "examples/start.mjs", String(port));
    await program.printed(/Got: Hi\n/);
  });
  afterEach(async () => {
    program.child.kill("SIGKILL");
    await program.ended;
  });

  test("serves the page and the echo on one port, and ends with 1001", async () => {
    page = await open(`http://127.0.0.1:${port}/`);
    expect(await page.inputValue("[name=url]")).toBe(`ws://127.0.0.1:${port}/echo`);
    await page.click("#open");
    await page.waitForSelector("#state.open");
    await page.click("#clear");
    await page.click("#send");
    await page.waitForSelector("#frame-1");
    expect((await list())[1]).toEqual(hello[0]);
    program.child.kill("SIGINT");
    await says("#state", "Closed cleanly, with 1001.");
    const { code, stdout } = await program.ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining("Closed with 1001.")]);
  });

  test("serves nothing but the page", async () => {
    for (const path of [
      "/../start.mjs",
      "/../../package.json",
      "/%2e%2e/package.json",
      "/nothing",
      "/..",
      "//etc/passwd",
    ]) {
      const [response] = (await once(get({ port, path, agent: false }), "response")) as [IncomingMessage];
      expect([path, response.resume().statusCode]).toEqual([path, 404]);
    }
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: "POST" })).status).toBe(405);
  });
});
