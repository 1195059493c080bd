// Runs main.ts on any Node: bundles it first, since not every one takes types away.
import { build } from "esbuild";

const outfile = new URL("../../build/fuzz.mjs", import.meta.url);
await build({
  entryPoints: [new URL("main.ts", import.meta.url).pathname],
  outfile: outfile.pathname,
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
});
process.setSourceMapsEnabled(true);
await import(outfile.href);
