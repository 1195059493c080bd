import { describe, expect, it } from "vitest";
import { DeflateModule, defaultModule, type DeflateBuild } from "../../src/deflate/module.ts";

describe("an instance of DEFLATE", () => {
  it("is of the build that was asked for, or of WebAssembly", () => {
    expect(defaultModule.build).toBe("wasm");
    for (const build of ["wasm", "javascript"] as const) expect(new DeflateModule(build).build).toBe(build);
  });

  it("is refused with ERR_CODEC where the build does not work", () => {
    expect(() => new DeflateModule("native" as DeflateBuild)).toThrow(expect.objectContaining({ code: "ERR_CODEC" }));
  });
});
