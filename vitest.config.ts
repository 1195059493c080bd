import { defineConfig } from "vitest/config";

const everything = ["test/**/*.test.ts", "e2e/**/*.test.ts"];

/** These look at memory, or fill the system's buffers: beside others they would see what those do. */
const alone = [
  "test/conformance/backpressure-*.test.ts",
  "test/faults/{connections,dead-peer-*,descriptors,killed,many-peers,slow-consumer-*}.test.ts",
  "test/hosts/node/{backpressure,idle,memory}.test.ts",
  "test/hosts/attach.test.ts",
  "test/soak/*.test.ts",
  "e2e/bench.test.ts",
];

export default defineConfig({
  test: {
    // The two cores of a small machine are shared by the tests and the programs that they start.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: "together", include: everything, exclude: alone, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
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
