import { defineConfig } from "vitest/config";

const everything = ["test/**/*.test.ts", "e2e/**/*.test.ts"];

/** These have no state but their own, so that one process serves many files. */
const pure = ["test/{codec,deflate,protocol}/**/*.test.ts", "test/assembly/!(module).test.ts"];

/** These wait for timeouts of their own, most of the time; what may be late then should not be so by the others' load. */
const waiting = ["test/faults/dead-peer-*.test.ts", "test/soak/*.test.ts"];

/** These look at the memory of their own process, or at what the whole machine can do. */
const alone = [
  "test/faults/many-peers.test.ts",
  "test/hosts/node/{backpressure,idle,memory}.test.ts",
  "e2e/bench.test.ts",
];

/** The projects run one after the other. */
const project = (name: string, groupOrder: number, maxWorkers: number, include: string[], rest: object = {}) => ({
  extends: true as const,
  test: { name, include, maxWorkers, sequence: { groupOrder }, ...rest },
});

export default defineConfig({
  test: {
    // The two cores of a small machine are shared by three files of tests and all the programs that they start.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: "test/folder.ts",
    projects: [
      project("pure", 0, 2, pure, { isolate: false }),
      project("together", 1, 3, everything, { exclude: [...pure, ...waiting, ...alone] }),
      project("waiting", 2, 2, waiting),
      project("alone", 3, 1, alone),
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
