import type { Content } from "./agent/data.mjs";
import { extensionNames } from "./case.ts";
import type { DeflateUse, PartyOptions, Script } from "./party.ts";
import { echo, entry, type Scenario } from "./scenarios.ts";

type Options = NonNullable<Scenario["options"]>;

const using = (use: DeflateUse | "deflate"): PartyOptions => ({ extensions: [use] });
const both: Options = { server: using("deflate"), client: using("deflate") };

/** An echo over a connection on which permessage-deflate is in use. */
const compressed = (name: string, contents: readonly Content[], options: Options = both): Scenario => ({
  ...echo(name, contents, extensionNames.deflate),
  options,
});

/** So many messages of a size, each another; some of what cannot be compressed. */
const many = (size: number, count: number): Content[] =>
  Array.from({ length: count }, (_, i) => {
    if (i % 10 === 9) return { bytes: size, seed: i + 1 };
    return { prose: size, seed: i + 1 };
  });

const few: Content[] = [...many(20, 2), ...many(1000, 3), "é€😀", { bytes: 3000, seed: 7 }, "", { prose: 40_000 }];

function fragmented(by: "server" | "client"): Scenario {
  const messages: Content[][] = [
    [{ prose: 1000 }, { prose: 20_000, seed: 2 }, "", "end"],
    [{ bytes: 5000 }, { bytes: 300, seed: 2 }],
    ["a", "b", { prose: 65_536, seed: 3 }],
    Array.from({ length: 64 }, (_, i) => ({ prose: 256, seed: i + 1 })),
  ];
  const script: Script = [
    ...messages.map((contents) => ["fragments", contents] as const),
    ["send", "whole"],
    ["await", "message"],
    ["close", 1000, "done"],
  ];
  const { expected } = compressed("", []);
  const [open, done] = expected.client;
  // What the other side hears is whole.
  const heard = [open!, ...messages.map(whole), entry("whole"), done!];
  const told = [open!, entry("here"), done!];
  const listening: Script = [
    ["await", "message", messages.length + 1],
    ["send", "here"],
  ];
  return {
    name: `the ${by} sends compressed messages in fragments`,
    options: both,
    server: by === "server" ? script : listening,
    client: by === "client" ? script : listening,
    expected: by === "server" ? { server: told, client: heard } : { server: heard, client: told },
  };
}

/** What a message in fragments comes to in a log. */
const whole = (contents: readonly Content[]): ReturnType<typeof entry> => entry({ parts: contents });

/** Each parameter in both its states with each other's. */
const uses: DeflateUse[] = [
  {},
  { contextTakeover: false },
  { peerContextTakeover: false },
  { contextTakeover: false, peerContextTakeover: false },
  { windowBits: 9, peerWindowBits: 12 },
  { windowBits: 10, contextTakeover: false },
  { peerWindowBits: 9, peerContextTakeover: false },
  { windowBits: 15, peerWindowBits: 15 },
];

export const deflateScenarios: readonly Scenario[] = [
  compressed(
    "compressed: 100 messages of 16 to 256 bytes each",
    [16, 64, 256].flatMap((size) => many(size, 100)),
  ),
  compressed(
    "compressed: 30 messages of 1 to 16 KiB each",
    [1024, 4096, 8192, 16_384].flatMap((size) => many(size, 30)),
  ),
  compressed(
    "compressed: 10 messages of 32 to 128 KiB each",
    [32_768, 65_536, 131_072].flatMap((size) => many(size, 10)),
  ),
  compressed("compressed: 4 MiB", [{ prose: 1 << 22 }, { bytes: 1 << 22 }]),
  fragmented("server"),
  fragmented("client"),
  ...uses.flatMap((use) => [
    compressed(`compressed, with ${JSON.stringify(use)} at the server`, few, {
      server: using(use),
      client: using("deflate"),
    }),
    compressed(`compressed, with ${JSON.stringify(use)} at the client`, few, {
      server: using("deflate"),
      client: using(use),
    }),
  ]),
  { ...echo("the server alone would compress", few), options: { server: using("deflate") } },
  { ...echo("the client alone would compress", few), options: { client: using("deflate") } },
];
