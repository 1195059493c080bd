import { describe, expect, it } from "vitest";
import { roles } from "../helpers/session.ts";
import { Peer, type Role } from "../helpers/wire.ts";
import { agents, clients, startAgents } from "./agents.ts";
import type { Agent, Log, PartyOptions, Script } from "./party.ts";
import { Raw, openingRequest, openingResponse } from "./raw.ts";

startAgents();

let lastKey = 0;

/** An open connection between a raw peer and an agent, of whose log the key is answered. */
async function connected(agent: Agent, role: Role, script: Script, options: PartyOptions): Promise<[Raw, string]> {
  const key = `${++lastKey}`;
  if (role === "client") {
    await agent.connect(key, clients.url(key), { options, script });
    const raw = await clients.client(key);
    await raw.write(openingResponse(raw));
    return [raw, key];
  }
  await agent.prepare(key, script);
  const raw = Raw.connect((await agent.serve(options)).port);
  await raw.write(openingRequest(key));
  await raw.readHead();
  return [raw, key];
}

/** Opens for good, so that nothing of the handshake is on its way any more. */
async function settled(agent: Agent, key: string): Promise<void> {
  while (!(await agent.look(key))?.counts["open"]);
}

const open = ["open", "", ""] as const;
const gone = ["close", 1006, "", false] as const;
const soon: PartyOptions = { closeTimeout: 200 };
const backlog: Script = [["send", ...Array.from({ length: 32 }, () => ({ bytes: 1 << 20 }))]];

interface Ending {
  readonly name: string;
  readonly script?: Script;
  readonly options?: PartyOptions;
  /** What the peer does. */
  readonly act: (raw: Raw, peer: Peer) => unknown;
  readonly expected: Log | ((role: Role) => Log);
}

const endings: readonly Ending[] = [
  {
    name: "the peer ends its stream behind a message, and still reads",
    script: [["echo"]],
    act: async (raw, peer) => {
      await raw.write(peer.text("last words"));
      raw.end();
      await raw.until(() => raw.bytes.length >= "last words".length + 2);
    },
    expected: [open, ["text", "last words"], gone],
  },
  {
    name: "the peer does not answer a Close frame",
    script: [["close", 1000, "bye"]],
    options: soon,
    act: () => undefined,
    expected: [open, gone],
  },
  {
    name: "the peer does not answer a Close frame, and goes on talking",
    script: [
      ["await", "text"],
      ["close", 1000, "bye"],
    ],
    options: soon,
    act: (raw, peer) => raw.write(peer.text("one"), peer.text("two")),
    expected: [open, ["text", "one"], ["text", "two"], gone],
  },
  {
    name: "the peer closes, and does not end TCP",
    options: soon,
    act: (raw, peer) => raw.write(peer.close(3000, "yours")),
    expected: [open, ["close", 3000, "yours", true]],
  },
  {
    name: "the peer breaks the rules, and does not end TCP",
    options: soon,
    act: (raw, peer) => raw.write(peer.frame(3)),
    expected: [open, ["failed", 1002, "ERR_PROTOCOL"], gone],
  },
  {
    name: "this side terminates with much to send",
    script: [...backlog, ["terminate"]],
    act: (raw) => raw.until(() => raw.hasEnded),
    expected: [open, gone],
  },
];

describe.each(roles)("a connection of a %s ends the same on every runtime", (role) => {
  it.each(endings)("when $name", async ({ script = [], options = {}, act, expected }) => {
    const logs = await Promise.all(
      agents.map(async (agent) => {
        const [raw, key] = await connected(agent, role, script, options);
        await settled(agent, key);
        await act(raw, new Peer(role));
        const [log] = await agent.finished(key);
        raw.socket.destroy();
        return [agent.name, log!.map((entry) => (entry[0] === "failed" ? entry.slice(0, 3) : entry))];
      }),
    );
    expect(Object.fromEntries(logs)).toEqual(Object.fromEntries(agents.map(({ name }) => [name, expected])));
  });
});

describe("a server goes on", () => {
  it("while two hundred clients come at once", async () => {
    for (const agent of agents) {
      const { port } = await agent.serve();
      const keys = Array.from({ length: 200 }, () => `${++lastKey}`);
      await Promise.all(
        keys.map(async (key) => {
          const raw = Raw.connect(port);
          const peer = new Peer("server");
          await raw.write(openingRequest(key), peer.text(key), peer.close(1000));
          await raw.until(() => raw.hasEnded);
          raw.end();
        }),
      );
      const logs = await agent.finished(...keys);
      expect(logs).toEqual(keys.map((key) => [open, ["text", key], ["close", 1000, "", true]]));
    }
  });
});
