import { build } from "esbuild";

/** What an entry of the package loads: its own files, and the names that it leaves to the runtime. */
export interface Loaded {
  readonly files: string[];
  readonly builtins: string[];
  /** "import-statement", "require-call" or "dynamic-import", of everything that is loaded. */
  readonly kinds: Set<string>;
}

/** Follows the imports of `entry`, a path from the root of this package. A top-level await is an error. */
export async function loadedBy(entry: string): Promise<Loaded> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    // A module that waits as it is loaded cannot be had by require, and esbuild says so.
    format: "cjs",
    external: ["node:*", "cloudflare:*"],
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return {
    files: Object.keys(metafile.inputs),
    builtins: [...new Set(imports.filter(({ external }) => external).map(({ path }) => path))].sort(),
    kinds: new Set(imports.map(({ kind }) => kind)),
  };
}
