import { readFile } from "node:fs/promises";
import resolve from "@rollup/plugin-node-resolve";
import { dts } from "rollup-plugin-dts";
import esbuild from "rollup-plugin-esbuild";
import { minify } from "terser";

/** One entry for each thing that `exports` in package.json names; what they share goes to a chunk. */
const input = {
  index: "src/index.ts",
  driver: "src/driver.ts",
  codec: "src/codec/index.ts",
  deflate: "src/deflate/index.ts",
  websocket: "src/websocket.ts",
  websocketstream: "src/websocketstream.ts",
};
const inputWithStreams = { ...input, streams: "src/streams.ts" };
/** A page has a WebSocket already, and takes no part of ours that decodes frames. */
const page = { index: "src/browser.ts", websocket: "src/websocket.ts", websocketstream: "src/websocketstream.ts" };
const external = /^(node|cloudflare):/;

/**
 * Small, yet a stack trace still says where: classes keep their names, a statement keeps its line, and no function moves
 * into another, which would make a closure at each call.
 */
const small = {
  name: "small",
  renderChunk: (code, _chunk, { format }) =>
    minify(code, {
      ecma: 2022,
      module: format === "es",
      toplevel: true,
      keep_classnames: true,
      compress: {
        passes: 2,
        hoist_funs: true,
        inline: false,
        reduce_funcs: false,
        sequences: false,
        // No getter of ours has effects, and no method of the language is replaced.
        pure_getters: true,
        unsafe_methods: true,
      },
      format: { semicolons: false, comments: false },
    }),
};

const web = ["src/websocket/establish.ts", "src/websocket/closing.ts", "src/websocket/web-idl.ts"];

/**
 * What the entries share: as few files as can be, by names that stay, since whoever configures workerd by hand lists
 * them. The entries of the codec and of DEFLATE load nothing but their own.
 */
const manualChunks = {
  common: ["src/errors.ts", "src/wasm.ts", ...["options", "budget", "data"].map((name) => `src/protocol/${name}.ts`)],
  codec: ["src/codec/codec.ts", "src/codec/slot-decoder.ts", "src/codec/close-codes.ts"],
  driver: ["src/server/server.ts", "src/client.ts"],
  web,
};

const pageChunks = { client: ["src/browser/client.ts"], web };

/** The build for one runtime: its conditions in `imports` of package.json choose `#host` and `#client`. */
const build = (runtime, formats = ["es"], input_ = input, chunks = manualChunks) => ({
  input: input_,
  external,
  output: formats.map((format) => ({
    dir: `dist/${runtime}`,
    format,
    entryFileNames: `[name].${format === "cjs" ? "cjs" : "js"}`,
    chunkFileNames: `shared/[name].${format === "cjs" ? "cjs" : "js"}`,
    manualChunks: chunks,
    hoistTransitiveImports: false,
    minifyInternalExports: true,
    // A built-in module of a runtime is used as it is, not copied into a namespace.
    interop: "esModule",
  })),
  plugins: [resolve({ extensions: [".ts", ".js"], exportConditions: [runtime] }), esbuild({ target: "es2022" }), small],
});

/** The types are the same on every runtime; `import` and `require` each want a file of their own kind. */
const types = {
  input: inputWithStreams,
  external,
  output: ["d.ts", "d.cts"].map((extension) => ({
    dir: "dist/types",
    format: "es",
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `shared/[name].${extension}`,
    // `await using` is younger than the libraries that most projects compile against.
    banner: '/// <reference lib="esnext.disposable" />',
  })),
  plugins: [resolve({ extensions: [".ts", ".d.ts"] }), dts()],
};

/** The frame inspector: a folder that any file server can serve. It is not in the package. */
const inspector = {
  input: "examples/inspector/main.mjs",
  output: { file: "build/inspector/inspector.mjs", format: "es" },
  plugins: [
    resolve({ exportConditions: ["browser"] }),
    {
      name: "pages",
      async generateBundle() {
        for (const fileName of ["index.html", "inspector.css"])
          this.emitFile({ type: "asset", fileName, source: await readFile(`examples/inspector/${fileName}`) });
      },
    },
  ],
};

const both = ["es", "cjs"];

export default [
  build("node", both),
  build("deno"),
  build("bun"),
  build("workerd"),
  build("streams", both, inputWithStreams),
  build("browser", both, page, pageChunks),
  types,
  // Last, since it takes hybi from what the others have made.
  inspector,
];
