import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as deflateLayout from "../../assembly/deflate/layout.ts";
import * as layout from "../../assembly/layout.ts";
import { builds } from "../helpers/builds.ts";

// The WebAssembly JavaScript API, as far as it is used here: no library of types in this project declares it.
interface WasmModule {
  readonly name?: never;
}
declare const WebAssembly: {
  Module: {
    new (bytes: Uint8Array): WasmModule;
    imports(module: WasmModule): object[];
    exports(module: WasmModule): { name: string }[];
  };
  Instance: new (module: WasmModule) => { exports: { memory: { buffer: ArrayBuffer; grow(pages: number): number } } };
};

const PAGE = 65536;

describe.each([
  ["codec/simd", "assembly/index.ts", layout.MEMORY_PAGES],
  ["codec/scalar", "assembly/index.ts", layout.MEMORY_PAGES],
  ["deflate/wasm", "assembly/deflate/index.ts", deflateLayout.MEMORY_PAGES],
])("the module %s", (name, index, pages) => {
  const module = new WebAssembly.Module(readFileSync(`build/${name}.wasm`));

  test("imports nothing", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  test("exports the functions that its index.ts names, and its memory", () => {
    const source = readFileSync(index, "utf8");
    const named = [...source.matchAll(/export \{([^}]*)\}/g)].flatMap(([, names]) => names!.split(",")).map((n) => n.trim());
    const exported = WebAssembly.Module.exports(module).map((entry) => entry.name);
    expect(exported.sort()).toEqual([...named, "memory"].sort());
  });

  test("has a memory that cannot grow, so that views of it stay", () => {
    const { memory } = new WebAssembly.Instance(module).exports;
    expect(memory.buffer.byteLength).toBe(pages * PAGE);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });
});

describe("the map of the memory", () => {
  test("its regions follow one another without overlap, and fit", () => {
    const regions: [number, number][] = [
      [16, layout.STATIC_END],
      [layout.SCRATCH, layout.SCRATCH + layout.SCRATCH_SIZE],
      [layout.CURSOR, layout.CURSOR + 4],
      [layout.STAGE, layout.STAGE + layout.STAGE_SIZE],
      [layout.EVENTS, layout.EVENTS + layout.EVENT_CAPACITY * layout.EVENT_WORDS * 4],
      [layout.WINDOW, layout.WINDOW + layout.WINDOW_SIZE],
      [layout.OUTBOX, layout.OUTBOX + layout.OUTBOX_SIZE],
      [layout.UNITS, layout.UNITS + layout.UNITS_SIZE + layout.UNITS_SLACK],
      [layout.SLOTS, layout.SLOTS + layout.SLOT_COUNT * layout.SLOT_SIZE],
      [layout.MEMORY_PAGES * PAGE, Infinity],
    ];
    for (let i = 1; i < regions.length; i++) expect(regions[i]![0]).toBeGreaterThanOrEqual(regions[i - 1]![1]);
  });

  test("of DEFLATE has regions in order, too", () => {
    const of = deflateLayout;
    const regions: [at: number, size: number][] = [
      [of.STATIC_END, 0],
      [of.INFLATE_STATE, of.INFLATE_STATE_SIZE],
      [of.INFLATE_SHARED, of.INFLATE_SHARED_SIZE],
      [of.INFLATE_IN, of.INFLATE_IN_SIZE + 8],
      [of.INFLATE_OUT, of.INFLATE_OUT_SIZE + of.INFLATE_OUT_SLACK],
      [of.DEFLATE_STATE, of.DEFLATE_STATE_SIZE],
      [of.DEFLATE_IN, of.DEFLATE_IN_SIZE + of.DEFLATE_IN_SLACK],
      [of.DEFLATE_OUT, of.DEFLATE_OUT_SIZE],
      [of.MATCHES, 0],
      [of.MEMORY_PAGES * PAGE, 0],
    ];
    for (let i = 1; i < regions.length; i++)
      expect(regions[i]![0]).toBeGreaterThanOrEqual(regions[i - 1]![0] + regions[i - 1]![1]);
  });

  test("is what the compiler is told", () => {
    const { options, targets } = JSON.parse(readFileSync("asconfig.json", "utf8")) as {
      options: object;
      targets: Record<string, object>;
    };
    expect(options).toMatchObject({ initialMemory: layout.MEMORY_PAGES, maximumMemory: layout.MEMORY_PAGES });
    const { MEMORY_PAGES } = deflateLayout;
    for (const name of ["deflate", "deflate-javascript"])
      expect(targets[name]).toMatchObject({ initialMemory: MEMORY_PAGES, maximumMemory: MEMORY_PAGES });
  });

  test("the fields of a slot do not overlap, and fit", () => {
    const sizes: [number, number][] = [
      [layout.SLOT_NEXT_FREE, 4],
      [layout.SLOT_STATE, 1],
      [layout.SLOT_EXPECT_MASKED, 1],
      [layout.SLOT_ALLOWED_RSV, 1],
      [layout.SLOT_HEADER_LENGTH, 1],
      [layout.SLOT_MAX_LENGTH, 8],
      [layout.SLOT_MESSAGE_LENGTH, 8],
      [layout.SLOT_REMAINING, 8],
      [layout.SLOT_MAX_FRAGMENTS, 4],
      [layout.SLOT_FRAGMENTS, 4],
      [layout.SLOT_MASKING_KEY, 4],
      [layout.SLOT_UTF8, 2],
      [layout.SLOT_EMPTY_RUN, 1],
      [layout.SLOT_FRAME_STARTED, 1],
      [layout.SLOT_FIRST_BYTE, 1],
      [layout.SLOT_MESSAGE, 1],
      [layout.SLOT_HEADER, 14],
    ];
    let end = 0;
    for (const [offset, size] of sizes) {
      expect(offset).toBeGreaterThanOrEqual(end);
      end = offset + size;
    }
    expect(end).toBeLessThanOrEqual(layout.SLOT_SIZE);
  });

  test.each(builds)("$name: nothing lies above the static data to begin with", ({ memory }) => {
    // The instances of the other tests are their own; this file has used these for nothing.
    expect(memory.subarray(layout.STATIC_END).every((byte) => byte === 0)).toBe(true);
  });
});
