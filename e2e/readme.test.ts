import { mkdir, readFile, writeFile } from "node:fs/promises";
import { Client, Server, errorCodes } from "hybi";
import { permessageDeflate } from "hybi/deflate";
import { describe, expect, test } from "vitest";
import { freePort, run, runtimes } from "./run.ts";

/** The programs in README.md, each with the heading it stands under. */
async function programs(): Promise<{ title: string; source: string }[]> {
  const found: { title: string; source: string }[] = [];
  let title = "";
  for (const [, heading, source] of (await readFile("README.md", "utf8")).matchAll(
    /^##+ ([^\n]*)$|^```js\n(.*?)^```$/gms,
  )) {
    if (heading !== undefined) title = heading;
    else found.push({ title, source: source! });
  }
  return found;
}

/** What each program is to print, as far as it is always the same. */
const expected: Record<string, string> = {
  "Use it": "A client at /echo\nGot: Hi\n",
  "Attach to a web server": "No news.\n",
  "With Express, Fastify, Koa or Hono": "Welcome\n",
  "Send to everyone": "Bob got: Hello, everyone\n",
  "Do not flood a slow peer, nor be flooded": "10000000 bytes\n",
  "Find out that a connection is dead": "It is there.\n",
  Reconnect: "Welcome\n",
  "Authenticate, and learn why a server refuses": "ERR_HANDSHAKE_REFUSED 401 Nope\n",
  "Do not wait for a slow reader": "The latest price is 200\n",
  "Decide who gets in": "401\nHello, Ann\n",
  "End a server gracefully": "1001 A new version is coming\n",
  "See what happens": 'Refused: 404 path\n{"opened":1,"closes":{"1000":1},"refusals":{"path":1}}\n',
  "Agree on a subprotocol": "v1.chat\n",
  "Give up waiting": "ERR_CONNECT\n",
  "Close everything when a scope ends": "Hello\n",
  "Use it in a page": "Hello, Ann\n",
  "Use the WebSocket that browsers have": "chat Hello\n1000 done true\n",
  "Use streams that wait for each other": "Hello\n4000 done\n",
  "Take over a socket from another web server": "Got: Hi\n",
  "Bring a socket of your own: a proxy, a tunnel, another runtime": "You came through\n",
  "Look at frames": "1 Hello\n",
  "Compress messages": "17000 characters, by permessage-deflate\n",
  "Deflate without a WebSocket": "Hello, hello, hello, hello!\nOne\nTwo\nThree\n",
};

const all = await programs();

describe("README", () => {
  test("says of every code of an error what to do", async () => {
    const listed = [...(await readFile("README.md", "utf8")).matchAll(/^\| `(ERR_\w+)`/gm)].map(([, code]) => code);
    expect(listed).toEqual(Object.keys(errorCodes));
  });

  test("lists every option", async () => {
    const text = await readFile("README.md", "utf8");
    const table = text.slice(text.indexOf("## Options"), text.indexOf("## Errors"));
    const deflate = text.slice(text.indexOf("### Compress messages"), text.indexOf("### Deflate without"));
    const options: string[] = [];
    for (const [make, place] of [
      [() => new Server({ x: 1 } as object), table],
      [() => new Client("ws://x", { x: 1 } as object), table],
      [() => permessageDeflate({ x: 1 } as object), deflate],
    ] as const) {
      try {
        make();
      } catch (error) {
        const [, names] = /There are: (.*)\.$/.exec((error as Error).message)!;
        for (const name of names!.split(", ")) expect(place).toContain(`\`${name}\``);
        options.push(names!);
      }
    }
    expect(options).toHaveLength(3);
  });

  test("every program has an expected output, and the other way round", () => {
    expect(all.map(({ title }) => title).sort()).toEqual(Object.keys(expected).sort());
  });

  const each = runtimes.flatMap((runtime) => all.map((program) => ({ runtime, ...program })));
  test.each(each)("$title, on $runtime", async ({ runtime, title, source }) => {
    // Each port becomes a free one; the file lies where `hybi` means this package.
    const port = await freePort();
    const file = `build/readme/${runtime}-${title.replace(/\W+/g, "-")}.mjs`;
    await mkdir("build/readme", { recursive: true });
    await writeFile(file, source.replace(/\b50\d\d\b/g, String(port)));
    const { code, stdout, stderr } = await run(runtime, file).ended;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout.endsWith(expected[title]!), stdout).toBe(true);
  });
});
