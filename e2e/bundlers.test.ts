import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import nodeResolve from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import * as vite from "vite";
import { webpack, type Configuration } from "webpack";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { everything, page, saysEverything, saysInPage } from "./programs.ts";
import { bin, ended, Project } from "./project.ts";
import { echoOfWorkerd, worker } from "./workerd.ts";

let project: Project;
const at = (name: string): string => join(project.folder, name);

beforeAll(async () => {
  project = await Project.create();
  await project.write("echo.mjs", everything.esm);
  await project.write("echo.cjs", everything.cjs);
  await project.write("page.mjs", page);
  await project.write("worker.mjs", worker("hybi"));
  // A page has none of these.
  await project.write(
    "browser.mjs",
    `for (const name of ["Buffer", "global", "process", "setImmediate"]) delete globalThis[name];`,
  );
});
afterAll(() => project.remove());

const bringsAll = (source: string): void => expect(source).not.toMatch(/\b(from|import|require\()\s*["']hybi/);

/** Runs a bundle by Node. */
async function expectEcho(file: string): Promise<void> {
  bringsAll(await readFile(file, "utf8"));
  expect(await project.run(process.execPath, file)).toEqual(ended(saysEverything()));
}

/** Runs a bundle with no more than a browser has, as far as Node can take away the rest. */
async function expectEchoInPage(file: string, says = saysInPage()): Promise<void> {
  const source = await readFile(file, "utf8");
  bringsAll(source);
  expect(source).not.toMatch(
    /\b(from|import|import\()\s*["'](node:)?(net|tls|crypto|stream|dns)["']|\brequire\(|\bBuffer\b|\bprocess\./,
  );
  expect(await project.run(process.execPath, "--import", "./browser.mjs", file)).toEqual(ended(says));
}

describe("esbuild", () => {
  const bundle = (entry: string, options: esbuild.BuildOptions): Promise<esbuild.BuildResult> =>
    esbuild.build({
      absWorkingDir: project.folder,
      entryPoints: [entry],
      bundle: true,
      logLevel: "silent",
      ...options,
    });

  test.each([
    ["echo.mjs", "esm"],
    ["echo.mjs", "cjs"],
    ["echo.cjs", "cjs"],
  ] as const)("for Node, %s to %s, minified", async (entry, format) => {
    const outfile = `esbuild/${entry}.${format}${format === "esm" ? ".mjs" : ".cjs"}`;
    await bundle(entry, { platform: "node", format, outfile, minify: true });
    await expectEcho(at(outfile));
  });

  test.each(["esm", "iife"] as const)("for browsers, to %s, minified", async (format) => {
    const outfile = `esbuild/page.${format}.mjs`;
    await bundle("page.mjs", { platform: "browser", format, outfile, minify: true });
    await expectEchoInPage(at(outfile));
  });

  test("for edge functions", async () => {
    const outfile = "esbuild/edge.mjs";
    await bundle("page.mjs", { platform: "neutral", conditions: ["edge-light"], format: "esm", outfile });
    await expectEchoInPage(at(outfile), saysInPage("0"));
  });

  test("for workerd", async () => {
    const outfile = "esbuild/worker.mjs";
    const conditions = ["workerd", "worker", "browser"];
    await bundle("worker.mjs", { conditions, format: "esm", outfile, external: ["cloudflare:*"] });
    expect(await echoOfWorkerd(project, { worker: outfile })).toBe("Hi");
  });

  test("drops what is not used", async () => {
    await project.write("unused.mjs", `import { connect } from "hybi"; import { Decoder } from "hybi/codec";`);
    const { outputFiles } = await bundle("unused.mjs", { platform: "node", format: "esm", write: false });
    expect(outputFiles![0]!.text).not.toMatch(/[^\s]/);
  });
});

describe("Rollup", () => {
  const bundle = async (entry: string, file: string, options: Parameters<typeof nodeResolve>[0]): Promise<void> => {
    const bundle = await rollup({ input: at(entry), external: /^node:/, plugins: [nodeResolve(options)] });
    await bundle.write({ file: at(file), format: "es" });
    await bundle.close();
  };

  test("for Node, by its condition", async () => {
    await bundle("echo.mjs", "rollup/node.mjs", { exportConditions: ["node"] });
    await expectEcho(at("rollup/node.mjs"));
  });

  test("with no condition, which is how tools for Node are often bundled", async () => {
    await bundle("echo.mjs", "rollup/default.mjs", {});
    await expectEcho(at("rollup/default.mjs"));
  });

  test("for browsers", async () => {
    await bundle("page.mjs", "rollup/page.mjs", { browser: true });
    await expectEchoInPage(at("rollup/page.mjs"));
  });
});

describe("webpack", () => {
  const run = promisify((configuration: Configuration, done: (error: Error | null, problems?: string) => void) =>
    webpack(configuration, (error, stats) => done(error, stats?.hasErrors() ? stats.toString("errors-only") : "")),
  );
  const bundle = async (entry: string, filename: string, target: string): Promise<void> => {
    const output = { path: at("webpack"), filename };
    // Minifying is what takes webpack its time, and the bundlers above have shown that it does no harm.
    const optimization = { minimize: false };
    const problems = await run({
      context: project.folder,
      entry: `./${entry}`,
      mode: "production",
      target,
      output,
      optimization,
    });
    expect(problems).toBe("");
  };

  test.each(["echo.mjs", "echo.cjs"])("for Node, %s", async (entry) => {
    await bundle(entry, `${entry}.cjs`, "node20");
    await expectEcho(at(`webpack/${entry}.cjs`));
  });

  test("for browsers", async () => {
    await bundle("page.mjs", "page.mjs", "web");
    await expectEchoInPage(at("webpack/page.mjs"));
  });
});

describe("Vite", () => {
  const base = (): vite.InlineConfig => ({ root: project.folder, configFile: false, logLevel: "silent", cacheDir: at("vite/cache") }); // prettier-ignore

  test("build, for browsers", async () => {
    const lib = { entry: "page.mjs", formats: ["es" as const], fileName: () => "page.mjs" };
    await vite.build({ ...base(), build: { outDir: "vite/page", lib } });
    await expectEchoInPage(at("vite/page/page.mjs"));
  });

  test("build, for a server", async () => {
    await vite.build({ ...base(), ssr: { noExternal: true }, build: { ssr: "echo.mjs", outDir: "vite/server" } });
    await expectEcho(at("vite/server/echo.js"));
  });

  test("dev: every module that a page fetches is there, and together they echo", async () => {
    await project.write("index.html", `<script type="module" src="/page.mjs"></script>`);
    const server = await vite.createServer({ ...base(), server: { host: "127.0.0.1", port: 0, watch: null } });
    try {
      await server.listen();
      const { port } = server.httpServer!.address() as AddressInfo;
      await download(`http://127.0.0.1:${port}`, "/page.mjs", at("vite/dev"));
    } finally {
      await server.close();
    }
    await expectEchoInPage(at("vite/dev/page.mjs"));
  });
});

/** Fetches a module and what it imports, as a browser does, into a folder that Node can run it from. */
async function download(origin: string, first: string, folder: string): Promise<void> {
  const nameOf = (path: string): string => path.replace(/\?.*/, "").replace(/^\/|[^\w.]/g, "").replace(/\.m?js$/, ".mjs"); // prettier-ignore
  const known = new Set<string>();
  const fetchModule = async (path: string): Promise<void> => {
    if (known.has(path)) return;
    known.add(path);
    const response = await fetch(origin + path, { headers: { accept: "*/*" } });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/javascript"]);
    const text = await response.text();
    const imported: string[] = [];
    const local = text.replace(/((?:\bfrom|\bimport)\s*)"([^"]+)"/g, (_, keyword: string, specifier: string) => {
      const { pathname, search } = new URL(specifier, origin + path);
      imported.push(pathname + search);
      return `${keyword}"./${nameOf(pathname)}"`;
    });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, nameOf(path)), local.replace(/^\/\/# sourceMappingURL.*$/gm, ""));
    for (const name of imported) await fetchModule(name);
  };
  await fetchModule(first);
}

describe("Bun", () => {
  test("compiles a program that runs by itself", async () => {
    const { code, stderr } = await project.run(bin("bun"), "build", "--compile", "echo.mjs", "--outfile", "bun/echo");
    expect(code, stderr).toBe(0);
    expect(await project.run(at("bun/echo"))).toEqual(ended(saysEverything()));
  });

  test.each([
    ["node", "echo.mjs", expectEcho],
    ["browser", "page.mjs", expectEchoInPage],
  ] as const)("bundles for %s", async (target, entry, expected) => {
    const { code, stderr } = await project.run(
      bin("bun"),
      "build",
      `--target=${target}`,
      entry,
      `--outfile=bun/${entry}`,
    );
    expect(code, stderr).toBe(0);
    await expected(at(`bun/${entry}`));
  });
});
