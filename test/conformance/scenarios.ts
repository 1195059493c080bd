import { messageOf, shown, type Content } from "./agent/data.mjs";
import type { Log, PartyOptions, Script } from "./party.ts";

/** What two parties do with each other, and what each has to see of it. */
export interface Scenario {
  readonly name: string;
  readonly server: Script;
  readonly client: Script;
  readonly options?: { readonly server?: PartyOptions; readonly client?: PartyOptions };
  /** The server's is undefined when it never gets to see the client. */
  readonly expected: { readonly server: Log | undefined; readonly client: Log };
  /** What the client does before it is open. */
  readonly early?: Script;
  /** Who has paused, and waits for the test to say "go". */
  readonly pausing?: "server" | "client";
}

export const entry = (content: Content): Log[number] => {
  const message = messageOf(content);
  return [typeof message === "string" ? "text" : "binary", shown(message)];
};
const open = ["open", "", ""] as const;
const done = ["close", 1000, "done", true] as const;

/** The client sends, the server sends it back. */
export function echo(name: string, contents: readonly Content[], extensions = ""): Scenario {
  const log = [["open", "", extensions] as const, ...contents.map(entry), done];
  return {
    name,
    server: [["echo"]],
    client: [
      ["send", ...contents],
      ["await", "message", contents.length],
      ["close", 1000, "done"],
    ],
    expected: { server: log, client: log },
  };
}

/** Closed by one side, with what the other then sees. */
function closed(by: "server" | "client", code: number, reason: string): Scenario {
  const log = [open, ["close", code, reason, true]] as const;
  const close: Script = [["close", code, reason]];
  return {
    name: `the ${by} closes with ${code} ${JSON.stringify(reason.slice(0, 10))}`,
    server: by === "server" ? close : [],
    client: by === "client" ? close : [],
    expected: { server: log, client: log },
  };
}

function terminated(by: "server" | "client"): Scenario {
  // Once the other is known to be open, since what is on its way is dropped.
  const terminating: Script = [["await", "message"], ["terminate"]];
  const greeting: Script = [["send", "here"]];
  const gone = ["close", 1006, "", false] as const;
  const told: Log = [open, entry("here"), gone];
  const heard: Log = [open, gone];
  return {
    name: `the ${by} terminates`,
    server: by === "server" ? terminating : greeting,
    client: by === "client" ? terminating : greeting,
    expected: by === "server" ? { server: told, client: heard } : { server: heard, client: told },
  };
}

function fragmented(by: "server" | "client"): Scenario {
  const contents: Content[] = ["one ", { ascii: 126 }, "", { text: 70_000 }, "end"];
  const script: Script = [
    ["fragments", contents, "inside"],
    ["fragments", [{ bytes: 65_536 }, { bytes: 3 }]],
    ["await", "pong"],
    ["close", 1000, "done"],
  ];
  const whole = contents.map(messageOf).join("");
  const bytes = [messageOf({ bytes: 65_536 }), messageOf({ bytes: 3 })].flatMap((part) => [...(part as Uint8Array)]);
  const heard: Log = [
    open,
    ["ping", "inside"],
    ["text", shown(whole)],
    ["binary", shown(Uint8Array.from(bytes))],
    done,
  ];
  const told: Log = [open, ["pong", "inside"], done];
  return {
    name: `the ${by} sends in fragments, with a ping between`,
    server: by === "server" ? script : [],
    client: by === "client" ? script : [],
    expected: by === "server" ? { server: told, client: heard } : { server: heard, client: told },
  };
}

function pinged(by: "server" | "client"): Scenario {
  const most = "p".repeat(125);
  const script: Script = [
    ["ping", ""],
    ["ping", most],
    ["pong", "unasked"],
    ["await", "pong", 2],
    ["close", 1000, "done"],
  ];
  const told: Log = [open, ["pong", ""], ["pong", most], done];
  const heard: Log = [open, ["ping", ""], ["ping", most], ["pong", "unasked"], done];
  return {
    name: `the ${by} pings, and sends a pong that nobody asked for`,
    server: by === "server" ? script : [],
    client: by === "client" ? script : [],
    expected: by === "server" ? { server: told, client: heard } : { server: heard, client: told },
  };
}

function paused(by: "server" | "client"): Scenario {
  const waiting: Script = [
    ["pause"],
    ["send", "paused"],
    ["signal", "go"],
    ["resume"],
    ["await", "message", 2],
    ["close", 1000, "done"],
  ];
  const sending: Script = [
    ["await", "message"],
    ["send", "one", { bytes: 1000 }],
  ];
  const told: Log = [open, entry("paused"), done];
  const heard: Log = [open, entry("one"), entry({ bytes: 1000 }), done];
  return {
    name: `what comes while the ${by} has paused waits`,
    server: by === "server" ? waiting : sending,
    client: by === "client" ? waiting : sending,
    pausing: by,
    expected: by === "server" ? { server: heard, client: told } : { server: told, client: heard },
  };
}

const sizes = [0, 1, 125, 126, 127, 16_383, 16_384, 65_535, 65_536, 1 << 20];
const count = 3000;

export const scenarios: readonly Scenario[] = [
  echo("text of every form of length", [
    ...sizes.map((ascii) => ({ ascii })),
    ...sizes.map((text) => ({ text })),
    "\u0000",
    "\ufeff",
  ]),
  echo(
    "binary of every form of length",
    sizes.map((bytes) => ({ bytes, seed: bytes })),
  ),
  echo("16 MiB, as binary and as text", [{ bytes: 1 << 24 }, { text: 1 << 23 }]),
  fragmented("server"),
  fragmented("client"),
  pinged("server"),
  pinged("client"),
  {
    name: "a subprotocol: the client's first that the server takes",
    server: [],
    client: [["close", 1000, "done"]],
    options: { server: { acceptProtocols: ["a", "b"] }, client: { acceptProtocols: ["c", "b", "a"] } },
    expected: { server: [["open", "b", ""], done], client: [["open", "b", ""], done] },
  },
  ...(["server", "client"] as const).flatMap((by) => [
    closed(by, 1000, ""),
    closed(by, 1001, "going"),
    closed(by, 1011, "tschüß"),
    closed(by, 1014, ""),
    closed(by, 3000, "é".repeat(61)),
    closed(by, 4999, "x".repeat(123)),
  ]),
  {
    name: "the server greets and closes at once",
    server: [
      ["send", "hello", { bytes: 100_000 }],
      ["close", 1000, "done"],
    ],
    client: [],
    expected: { server: [open, done], client: [open, entry("hello"), entry({ bytes: 100_000 }), done] },
  },
  {
    name: "the client sends 8 MiB and closes at once",
    server: [],
    client: [
      ["send", ...Array.from({ length: 8 }, (_, i) => ({ bytes: 1 << 20, seed: i }))],
      ["close", 1000, "done"],
    ],
    expected: {
      server: [open, ...Array.from({ length: 8 }, (_, i) => entry({ bytes: 1 << 20, seed: i })), done],
      client: [open, done],
    },
  },
  terminated("server"),
  terminated("client"),
  {
    name: `${count} small messages each way at once come in order`,
    server: [
      ["blocks", 16],
      ["flood", count, 16],
      ["await", "message", count],
    ],
    client: [
      ["blocks", 16],
      ["flood", count, 16],
      ["await", "message", count],
      ["close", 1000, "done"],
    ],
    expected: { server: [open, done], client: [open, done] },
  },
  paused("server"),
  paused("client"),
];

/** Those whose client does something before it is open, which `ws` cannot. */
export const earlyScenarios: readonly Scenario[] = [
  {
    name: "what the client sends before it is open leaves in its order, before what it sends then",
    early: [
      ["send", "first", { bytes: 70_000 }],
      ["ping", "second"],
      ["fragments", ["thi", "rd"]],
    ],
    server: [],
    client: [
      ["send", "last"],
      ["await", "pong"],
      ["close", 1000, "done"],
    ],
    expected: {
      server: [open, entry("first"), entry({ bytes: 70_000 }), ["ping", "second"], entry("third"), entry("last"), done],
      client: [open, ["pong", "second"], done],
    },
  },
  {
    name: "a client that is closed before it is open",
    early: [
      ["send", "never"],
      ["close", 1000, "no"],
    ],
    server: [],
    client: [],
    expected: { server: undefined, client: [["close", 1006, "", false]] },
  },
];
