import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** What takes packages apart and puts bundles together. */
const packagers = ["@arethetypeswrong/core", "@rollup/plugin-node-resolve", "esbuild", "publint", "rollup", "vite", "webpack"]; // prettier-ignore

/** What a host stands on: its own runtime, the driver's port, and what several hosts share; never another host. */
const hosts = [
  "node:",
  "src/driver/transport.ts",
  "assembly/layout.ts",
  "src/codec/builds.ts",
  "src/codec/text.ts",
  "src/errors.ts",
  "src/protocol/free.ts",
  "src/hosts/buffer-text.ts",
  "src/hosts/duplex.ts",
  "src/hosts/every-address.ts",
  "src/hosts/freed-memory.ts",
  "src/hosts/pieces.ts",
  "src/hosts/spare-memory.ts",
  "src/hosts/streams.ts",
  "src/hosts/streams-transport.ts",
  "src/hosts/tls.ts",
];
const driver = (name: string): string => `src/driver/${name}.ts`;
/** What the standard's faces are made of: hybi's own client, and each other. */
const faces = ["src/protocol/", "src/driver/", "src/errors.ts", "#client", "src/websocket/"];
/** What a page's client is made of: all of a connection but what loads the codec or needs a transport. */
const page = [
  "src/browser/",
  ...["abort", "capabilities", "client-connection", "common-options", "connection", "connection-link"].map(driver),
  ...["counters", "inbox", "link-owner", "queue", "sender"].map(driver),
  ...["sending", "settings", "transport", "when-open"].map(driver),
  "src/protocol/",
  "src/errors.ts",
  "src/codec/close-codes.ts",
];
/** What hybi is measured beside, and what the bench itself is made of. */
const peers = ["bufferutil", "ws", "websocket", "websocket-driver", "undici", "uWebSockets.js", "hdr-histogram-js", "prettier", "selfsigned"]; // prettier-ignore
/** Where the bytes come from that a browser is held to, as the servers are; and certificates. */
const vectors = ["test/helpers/", "test/conformance/case", "test/hostile/", "bench/corpus.mjs"];
const webFrameworks = ["express", "fastify", "koa", "hono", "@hono/node-server"];

/**
 * Who may import whom, as ARCHITECTURE.md draws it: for each folder what the files in it may name, by the beginning of
 * the path from the root, or of the bare name.
 */
const allowed: Record<string, readonly string[]> = {
  assembly: ["assembly/"],
  "assembly/build.mjs": ["node:", "esbuild"],
  "src/errors.ts": [],
  "src/wasm.ts": [],
  "src/codec": ["assembly/layout.ts", "build/codec/", "src/codec/", "src/errors.ts", "src/wasm.ts"],
  "src/deflate": [
    "assembly/deflate/layout.ts",
    "build/deflate/",
    "src/deflate/",
    "src/errors.ts",
    "src/wasm.ts",
    "src/protocol/budget.ts",
    "src/protocol/data.ts",
    "src/protocol/extension.ts",
    "src/protocol/options.ts",
  ],
  "src/protocol": ["assembly/layout.ts", "src/codec/", "src/protocol/", "src/errors.ts"],
  "src/driver": ["src/codec/", "src/protocol/", "src/driver/", "src/errors.ts"],
  "src/hosts": hosts,
  "src/hosts/bun.ts": [...hosts, "src/hosts/bun-"],
  "src/hosts/bun-transport.ts": [...hosts, "src/hosts/bun-socket.ts"],
  "src/hosts/deno.ts": [...hosts, "src/hosts/deno-"],
  "src/hosts/deno-transport.ts": [...hosts, "src/hosts/deno-"],
  "src/hosts/node.ts": [...hosts, "src/hosts/node-transport.ts"],
  "src/hosts/workerd.ts": [...hosts, "src/codec/codec.ts", "cloudflare:"],
  "src/browser": page,
  "src/browser.ts": page,
  src: [
    "src/codec/",
    "src/protocol/",
    "src/driver/",
    "src/errors.ts",
    "src/server/",
    "src/capabilities.ts",
    "src/client.ts",
    "src/connection.ts",
    "src/index.ts",
    "src/hosts/streams-transport.ts",
    "src/websocket/",
    "src/websocketstream/",
    "#host",
  ],
  "src/websocket": faces,
  "src/websocketstream": [...faces, "src/websocketstream/"],
  e2e: ["node:", "vitest", "ws", ...packagers, "playwright-core", "hybi", "e2e/", ...vectors],
  "e2e/pages": ["hybi", "e2e/pages/", "test/conformance/agent/data.mjs", "test/conformance/agent/reversing.mjs"],
  "examples/inspector": ["hybi/codec", "hybi/deflate", "examples/inspector/"],
  examples: ["node:", "hybi", "examples/", ...webFrameworks],
  bench: ["node:", "hybi", "bench/", ...peers],
};

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?[tj]s$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));

/** The most particular rule for a file. */
function ruleFor(file: string): readonly string[] {
  const key = Object.keys(allowed)
    .filter((name) => file === name || file.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0];
  if (key === undefined) throw new Error(`No rule says what ${file} may import.`);
  return allowed[key]!;
}

function importsOf(file: string): string[] {
  return ts.preProcessFile(readFileSync(file, "utf8")).importedFiles.map(({ fileName }) => {
    if (!fileName.startsWith(".")) return fileName;
    return relative(".", join(dirname(file), fileName));
  });
}

const files = ["assembly", "src", "e2e", "examples", "bench"].flatMap(filesOf);

describe("imports", () => {
  test.each(files)("%s", (file) => {
    const forbidden = importsOf(file).filter((name) => !ruleFor(file).some((start) => name.startsWith(start)));
    expect(forbidden).toEqual([]);
  });

  test("no file of src has outgrown its name", () => {
    const long = files.filter((file) => file.startsWith("src/") && readFileSync(file, "utf8").split("\n").length > 360);
    expect(long).toEqual([]);
  });
});
