import { readFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { loadedBy } from "./loaded.ts";
import { Program } from "./run.ts";

interface Packed {
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}
const { stdout } = await new Program("npm", ["pack", "--dry-run", "--json", "--silent"], process.cwd()).ended;
const [packed] = JSON.parse(stdout) as [Packed];
const paths = packed.files.map(({ path }) => path);
const scripts = paths.filter((path) => /\.c?js$/.test(path));

/** The files of one folder of `dist`. */
const folder = (name: string, entries: string[], shared: string[], extensions: string[]): string[] =>
  extensions.flatMap((extension) => [
    ...entries.map((entry) => `dist/${name}/${entry}.${extension}`),
    ...shared.map((file) => `dist/${name}/shared/${file}.${extension}`),
  ]);

describe("what is published", () => {
  test("is these files, with no source, test or map among them", () => {
    const entries = ["codec", "deflate", "driver", "index", "websocket", "websocketstream"];
    const withStreams = [...entries, "streams"];
    const shared = ["codec", "common", "driver", "web"];
    const expected = [
      ...["LICENSE", "README.md", "package.json"],
      ...["bun", "deno", "workerd"].flatMap((runtime) => folder(runtime, entries, shared, ["js"])),
      ...folder("node", entries, shared, ["js", "cjs"]),
      ...folder("streams", withStreams, shared, ["js", "cjs"]),
      ...folder("browser", ["index", "websocket", "websocketstream"], ["client", "web"], ["js", "cjs"]),
      ...folder(
        "types",
        withStreams,
        ["client-connection", "close-codes", "driver", "errors", "establish", "extension", "slot-decoder"],
        ["d.ts", "d.cts"],
      ),
    ];
    expect(paths.toSorted()).toEqual(expected.toSorted());
    console.log(`${(packed.size / 1024).toFixed(0)} KB packed, ${(packed.unpackedSize / 1024).toFixed(0)} KB unpacked`);
  });

  test.each(paths)("%s names no folder of the machine that built it", async (path) => {
    const text = await readFile(path, "utf8");
    for (const place of [process.cwd(), homedir(), tmpdir()]) expect(text).not.toContain(`${place}/`);
    expect(text).not.toMatch(/node_modules\/|sourceMappingURL/);
  });

  test("brings no dependencies, and runs nothing as it is installed", async () => {
    const manifest = JSON.parse(await readFile("package.json", "utf8")) as Record<string, object>;
    const kinds = ["dependencies", "peerDependencies", "optionalDependencies", "bundledDependencies"];
    expect(Object.keys(manifest).filter((key) => kinds.includes(key))).toEqual([]);
    const lifecycle = ["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"];
    expect(Object.keys(manifest["scripts"]!).filter((key) => lifecycle.includes(key))).toEqual([]);
  });

  test.each(["workerd", "edge-light", "deno", "bun", "browser", "node"])(
    "asks for %s in its turn",
    async (condition) => {
      const { exports } = JSON.parse(await readFile("package.json", "utf8")) as { exports: Record<string, object> };
      const order = ["types", "workerd", "edge-light", "deno", "bun", "browser", "node", "default"];
      for (const entry of [".", "./driver", "./codec", "./deflate", "./websocket", "./websocketstream"])
        expect(Object.keys(exports[entry]!)).toEqual(order);
      const folder = condition === "edge-light" ? "streams" : condition;
      expect(JSON.stringify((exports["."] as Record<string, unknown>)[condition])).toContain(
        `/dist/${folder}/index.js`,
      );
    },
  );
});

describe("every script", () => {
  /** What each build may take from its runtime; the codec and DEFLATE take nothing from any. */
  const builtins: Record<string, RegExp> = {
    node: /^node:/,
    deno: /^node:/,
    bun: /^node:/,
    workerd: /^cloudflare:/,
    streams: /^$/,
    browser: /^$/,
  };

  test.each(scripts)("%s loads its files and its runtime's modules, at once, without waiting", async (path) => {
    const { builtins: taken, kinds } = await loadedBy(path);
    const allowed = /codec|deflate|common|values/.test(path) ? /^$/ : builtins[path.split("/")[1]!]!;
    expect(taken.filter((name) => !allowed.test(name))).toEqual([]);
    const kind = path.endsWith(".cjs") ? "require-call" : "import-statement";
    expect([...kinds].filter((name) => name !== kind)).toEqual([]);
  });
});
