import resolve from "@rollup/plugin-node-resolve";
import { dts } from "rollup-plugin-dts";
import esbuild from "rollup-plugin-esbuild";

// One entry for each thing that `exports` in package.json names; what they share goes to a chunk.
const input = { index: "src/index.ts", driver: "src/driver.ts", codec: "src/codec/index.ts" };
const external = /^node:/;

export default [
  {
    input,
    external,
    output: { dir: "dist", format: "es", chunkFileNames: "shared/[name].js", sourcemap: true },
    plugins: [resolve({ extensions: [".ts", ".js"] }), esbuild({ target: "es2022" })],
  },
  {
    input,
    external,
    output: {
      dir: "dist",
      format: "es",
      chunkFileNames: "shared/[name].d.ts",
      // `await using` is younger than the libraries that most projects compile against.
      banner: '/// <reference lib="esnext.disposable" />',
    },
    plugins: [resolve({ extensions: [".ts", ".d.ts"] }), dts()],
  },
];
