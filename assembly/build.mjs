// Builds the two modules, the frame codec and DEFLATE: WebAssembly by asc, and plain JavaScript by wasm2js over a build
// that is made for size. Each becomes a small ES module under build/ whose default export is what src/codec/builds.ts and
// src/deflate/builds.ts need to make an instance.
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const bin = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), "bin", file);

const compile = (entry, target) =>
  run(process.execPath, [bin("assemblyscript", "asc.js"), entry, "--config", "asconfig.json", "--target", target]);

async function inline(name) {
  const wasm = await readFile(`build/${name}.wasm`);
  // Hexadecimal, since the codec's two modules have most of their code in common, and gzip sees that only at a byte's
  // boundary.
  await writeFile(`build/${name}.js`, `export default "${wasm.toString("hex")}";\n`);
  await writeFile(`build/${name}.d.ts`, "declare const hex: string;\nexport default hex;\n");
}

async function toJavaScript(name) {
  const { stdout } = await run(process.execPath, [bin("binaryen", "wasm2js"), `build/${name}.wasm`, "-O"], {
    maxBuffer: 1 << 24,
  });
  // wasm2js makes the instance as its module is evaluated; here that must wait until this build is the chosen one.
  const start = stdout.indexOf("function asmFunc(");
  const end = stdout.indexOf("var retasmFunc");
  if (start < 0 || end < 0) throw new Error("wasm2js prints another shape of module than assembly/build.mjs knows");
  const prelude = stdout.slice(0, start).replace(/^\s*import .*$/gm, "");
  const body = `${prelude}${stdout.slice(start, end)}`;
  const source = `export default function instantiate() {\n${body}return asmFunc({});\n}\n`;
  await writeFile(`build/${name}.js`, source);
  await writeFile(
    `build/${name}.d.ts`,
    "declare function instantiate(): Record<string, unknown>;\nexport default instantiate;\n",
  );
}

const codec = "assembly/index.ts";
const deflate = "assembly/deflate/index.ts";
await mkdir("build/codec", { recursive: true });
await mkdir("build/deflate", { recursive: true });
try {
  await Promise.all([
    compile(codec, "simd").then(() => inline("codec/simd")),
    compile(codec, "scalar").then(() => inline("codec/scalar")),
    compile(codec, "javascript").then(() => toJavaScript("codec/javascript")),
    compile(deflate, "deflate").then(() => inline("deflate/wasm")),
    compile(deflate, "deflate-javascript").then(() => toJavaScript("deflate/javascript")),
  ]);
} catch (error) {
  console.error(error.stderr ?? error);
  process.exit(1);
}
