// Builds the codec: two WebAssembly modules by asc, and plain JavaScript by wasm2js over a third, which is the scalar one
// made for size. Each becomes a small ES module under build/codec/ whose default export is what src/codec/builds.ts
// needs to make an instance.
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const bin = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), "bin", file);
const out = "build/codec";

const compile = (target) =>
  run(process.execPath, [bin("assemblyscript", "asc.js"), "--config", "asconfig.json", "--target", target]);

async function inline(target) {
  const wasm = await readFile(`${out}/${target}.wasm`);
  // Hexadecimal, since the two modules have most of their code in common, and gzip sees that only at a byte's boundary.
  await writeFile(`${out}/${target}.js`, `export default "${wasm.toString("hex")}";\n`);
}

async function toJavaScript() {
  const { stdout } = await run(process.execPath, [bin("binaryen", "wasm2js"), `${out}/javascript.wasm`, "-O"], {
    maxBuffer: 1 << 24,
  });
  // wasm2js makes the instance as its module is evaluated; here that must wait until this build is the chosen one.
  const start = stdout.indexOf("function asmFunc(");
  const end = stdout.indexOf("var retasmFunc");
  if (start < 0 || end < 0) throw new Error("wasm2js prints another shape of module than assembly/build.mjs knows");
  const prelude = stdout.slice(0, start).replace(/^\s*import .*$/gm, "");
  const body = `${prelude}${stdout.slice(start, end)}`;
  const source = `export default function instantiate() {\n${body}return asmFunc({});\n}\n`;
  await writeFile(`${out}/javascript.js`, source);
}

await mkdir(out, { recursive: true });
try {
  await Promise.all([
    compile("simd").then(() => inline("simd")),
    compile("scalar").then(() => inline("scalar")),
    compile("javascript").then(toJavaScript),
  ]);
} catch (error) {
  console.error(error.stderr ?? error);
  process.exit(1);
}
await writeFile(`${out}/simd.d.ts`, "declare const hex: string;\nexport default hex;\n");
await writeFile(`${out}/scalar.d.ts`, "declare const hex: string;\nexport default hex;\n");
await writeFile(
  `${out}/javascript.d.ts`,
  "declare function instantiate(): Record<string, unknown>;\nexport default instantiate;\n",
);
