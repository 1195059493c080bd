import resolve from "@rollup/plugin-node-resolve";
import { dts } from "rollup-plugin-dts";
import esbuild from "rollup-plugin-esbuild";

/** One entry for each thing that `exports` in package.json names; what they share goes to a chunk. */
const input = { index: "src/index.ts", driver: "src/driver.ts", codec: "src/codec/index.ts" };
const inputWithStreams = { ...input, streams: "src/streams.ts" };
const external = /^(node|cloudflare):/;

/** The build for one runtime: its condition in `imports` of package.json makes `#host` its host. */
const build = (runtime, format = "es", input_ = input) => ({
  input: input_,
  external,
  output: {
    dir: `dist/${runtime}`,
    format,
    entryFileNames: format === "cjs" ? "[name].cjs" : "[name].js",
    chunkFileNames: format === "cjs" ? "shared/[name].cjs" : "shared/[name].js",
  },
  plugins: [resolve({ extensions: [".ts", ".js"], exportConditions: [runtime] }), esbuild({ target: "es2022" })],
});

/** The types are the same on every runtime; `import` and `require` each want a file of their own kind. */
const types = (extension) => ({
  input: inputWithStreams,
  external,
  output: {
    dir: "dist/types",
    format: "es",
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `shared/[name].${extension}`,
    // `await using` is younger than the libraries that most projects compile against.
    banner: '/// <reference lib="esnext.disposable" />',
  },
  plugins: [resolve({ extensions: [".ts", ".d.ts"] }), dts()],
});

export default [
  build("node"),
  build("node", "cjs"),
  build("deno"),
  build("bun"),
  build("workerd"),
  build("streams", "es", inputWithStreams),
  types("d.ts"),
  types("d.cts"),
];
