import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import simd from "../../build/codec/simd.js";
import { Codec, ConnectionError, HybiError, defaultCodec, type CodecBuild } from "../../src/codec/index.ts";
import { buildNames } from "../helpers/codecs.ts";
import { frame } from "../helpers/wire.ts";

const run = promisify(execFile);

interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: object };
}
const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
const bytesOfSimd = Buffer.from(simd, "hex");

/** An engine that refuses modules with SIMD. */
class NoSimdModule extends api.Module {
  constructor(bytes: Uint8Array) {
    if (bytesOfSimd.equals(bytes)) throw new Error("CompileError: SIMD unsupported");
    super(bytes);
  }
}

/** The exports of an instance with one of them changed. */
const broken = (change: (exports: Record<string, (...args: number[]) => number>) => object, onlySimd = true) => {
  let isSimd = false;
  return {
    Module: class extends api.Module {
      constructor(bytes: Uint8Array) {
        super(bytes);
        isSimd = bytesOfSimd.equals(bytes);
      }
    },
    Instance: class {
      readonly exports: object;
      constructor(module: object) {
        const { exports } = new api.Instance(module);
        this.exports = isSimd || !onlySimd ? { ...exports, ...change(exports as never) } : exports;
      }
    },
  };
};

/** What throws when it is called with `new`. */
const throws = (error: Error) =>
  function () {
    throw error;
  };

/** Masks all but the last sixteen bytes: what an engine with one wrong instruction might do. */
const halfMasks = broken(({ mask }) => ({
  mask: (at: number, length: number, key: number, phase: number) => mask!(at, length - 16, key, phase),
}));
const acceptsAll = broken(() => ({ validate: () => 0 }));
const refusesAll = broken(() => ({ validate: () => 0xff }));

describe("the build that is used", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("is the one with SIMD, here, by default", () => {
    expect(defaultCodec.build).toBe("simd");
    expect(new Codec().build).toBe("simd");
  });

  it.each(buildNames)("is %s when that is asked for", (name) => {
    expect(new Codec(name).build).toBe(name);
  });

  it("each instance has memory of its own", () => {
    const [first, second] = [new Codec("javascript"), new Codec("javascript")];
    first.window.fill(9);
    expect(second.window.some((byte) => byte !== 0)).toBe(false);
  });

  const engines: readonly [string, unknown, CodecBuild][] = [
    ["has no WebAssembly", undefined, "javascript"],
    ["has no SIMD", { Module: NoSimdModule, Instance: api.Instance }, "scalar"],
    ["masks wrongly with SIMD", halfMasks, "scalar"],
    ["validates wrongly with SIMD: all is well", acceptsAll, "scalar"],
    ["validates wrongly with SIMD: nothing is", refusesAll, "scalar"],
    ["masks wrongly in all of WebAssembly", broken(() => ({ mask: () => 0 }), false), "javascript"],
    [
      "may not compile (a Content-Security-Policy)",
      {
        Module: throws(new Error("CompileError: unsafe-eval")),
        Instance: api.Instance,
      },
      "javascript",
    ],
    [
      "has no address space left",
      {
        Module: api.Module,
        Instance: throws(new RangeError("could not allocate memory")),
      },
      "javascript",
    ],
  ];

  it.each(engines)("on an engine that %s", (_, webAssembly, expected) => {
    vi.stubGlobal("WebAssembly", webAssembly);
    const codec = new Codec();
    expect(codec.build).toBe(expected);
    expect(codec.validateUtf8(new Uint8Array(100))).toBe(true);
    expect(codec.window.some((byte) => byte !== 0), "the check leaves nothing behind").toBe(false); // prettier-ignore
  });

  it.each(engines)("that was asked for is not replaced by another on an engine that %s", (_, webAssembly, works) => {
    vi.stubGlobal("WebAssembly", webAssembly);
    for (const name of buildNames.slice(0, buildNames.indexOf(works))) {
      const attempt = (): Codec => new Codec(name);
      expect(attempt).toThrow(ConnectionError);
      expect(attempt).toThrow(
        expect.objectContaining({ code: "ERR_CODEC", message: expect.stringContaining(name) }) as Error,
      );
    }
    expect(new Codec(works).build).toBe(works);
  });

  it("an engine on which nothing works is told so, with the reason", () => {
    const reason = new Error("not today");
    vi.stubGlobal("WebAssembly", { Module: throws(reason) });
    try {
      new Codec("scalar");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(HybiError);
      expect(error).toMatchObject({ code: "ERR_CODEC", cause: reason });
    }
  });
});

describe("a process without WebAssembly", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hybi-"));
    const outfile = join(folder, "codec.mjs");
    await build({ entryPoints: ["src/codec/index.ts"], bundle: true, format: "esm", outfile, logLevel: "error" });
    const script = `
      import * as hybi from "./codec.mjs";
      const events = [];
      const decoder = new hybi.Decoder({ role: "server" });
      decoder.decode(Buffer.from(process.argv[2], "hex"), {
        piece: (piece) => events.push({ ...piece, data: Buffer.from(piece.data).toString() }),
        violation: (violation) => events.push(violation),
      });
      decoder.free();
      const key = "dGhlIHNhbXBsZSBub25jZQ==";
      const result = { build: hybi.defaultCodec.build, hasWebAssembly: typeof WebAssembly !== "undefined",
        accept: hybi.acceptKey(key), isUtf8: hybi.validateUtf8(Buffer.from(key)), events };
      try { new hybi.Codec("simd"); } catch (error) { result.code = error.code; }
      console.log(JSON.stringify(result));
    `;
    await writeFile(join(folder, "child.mjs"), script);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("runs on the JavaScript build, and comes to the same as one with it", async () => {
    const key = [0x37, 0xfa, 0x21, 0x3d];
    const stream = Buffer.concat([
      frame(1, "Grüße 😀", { key }),
      frame(2, "x".repeat(200), { key }),
      frame(9, "no key"),
    ]);
    const child = async (...flags: string[]): Promise<Record<string, unknown>> => {
      const { stdout } = await run(process.execPath, [...flags, join(folder, "child.mjs"), stream.toString("hex")]);
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    const { build: with_, hasWebAssembly, ...usual } = await child();
    expect([with_, hasWebAssembly]).toEqual(["simd", true]);
    expect(await child("--jitless")).toEqual({
      ...usual,
      build: "javascript",
      hasWebAssembly: false,
      code: "ERR_CODEC",
    });
    // So that "the same" is not "nothing".
    expect(usual["events"]).toMatchObject([{ data: "Grüße 😀" }, { data: "x".repeat(200) }, { closeCode: 1002 }]);
  });
});
