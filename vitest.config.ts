import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // The two cores of a small machine are shared by the tests and the programs that they start.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    include: ["test/**/*.test.ts", "e2e/**/*.test.ts"],
    reporters: ["default", ["json", { outputFile: "build/tests.json" }]],
    coverage: {
      provider: "v8",
      include: ["src/**"],
      // Types alone leave nothing to run.
      exclude: [
        "src/driver/transport.ts",
        "src/driver/events.ts",
        // These run in processes of their own runtimes, which are not measured.
        "src/hosts/bun.ts",
        "src/hosts/bun-transport.ts",
        "src/hosts/deno.ts",
        "src/hosts/workerd.ts",
      ],
      reporter: ["text-summary", "html"],
    },
  },
});
