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
      exclude: ["src/driver/transport.ts", "src/driver/events.ts"],
      reporter: ["text-summary", "html"],
    },
  },
});
