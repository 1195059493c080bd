import { defineConfig } from "vitest/config";

const everything = ["test/**/*.test.ts", "e2e/**/*.test.ts"];

/** These wait for timeouts of their own, most of the time; what may be late then should not be so by the others' load. */
const waiting = ["test/faults/dead-peer-*.test.ts", "test/soak/*.test.ts"];

/** These look at the memory of their own process, or at what the whole machine can do. */
const alone = [
  "test/faults/many-peers.test.ts",
  "test/hosts/node/{backpressure,idle,memory}.test.ts",
  "e2e/bench.test.ts",
];

/** The projects run one after the other. */
const project = (name: string, groupOrder: number, maxWorkers: number, include: string[], exclude: string[] = []) => ({
  extends: true as const,
  test: { name, include, exclude, maxWorkers, sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    // The two cores of a small machine are shared by three files of tests and all the programs that they start.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: "test/folder.ts",
    projects: [
      project("together", 0, 3, everything, [...waiting, ...alone]),
      project("waiting", 1, 2, waiting),
      project("alone", 2, 1, alone),
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
