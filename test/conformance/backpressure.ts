import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roles } from "../helpers/session.ts";
import type { Role } from "../helpers/wire.ts";
import { MemoryWatch } from "./memory.ts";
import { Agent, type Look, type Party, type Script } from "./party.ts";
import type { RuntimeName } from "./runtimes.ts";
import { WsParty } from "./ws-party.ts";

const MIB = 1 << 20;
const COUNT = 512;
/** What may be on the way while nobody reads: the system's own buffers of a connection, with room to spare. */
const ON_THE_WAY = 48;
/** What the process may take, however much goes through it: engines let the garbage of large messages lie for a while. */
const MOST_MEMORY = 192 * MIB;

let lastKey = 0;

/** For so many milliseconds nothing has to move, where that is to show that nothing can. */
const STILL = 300;

/** What the party of `key` has come to, once it has begun and then come to a stop. */
async function settled(party: Party, key: string, read: (look: Look) => number): Promise<Look> {
  for (let before = 0, since = 0; ;) {
    const look = await party.look(key);
    const now = look ? read(look) : 0;
    if (now !== before) since = performance.now();
    else if (look && now > 0 && performance.now() - since > STILL) return look;
    before = now;
  }
}

/** 512 MiB go through hybi on a runtime each way, in both roles, against a peer that stops on the way. */
export function holdBack(name: RuntimeName): void {
  let agent: Agent;
  const peer = new WsParty();
  beforeAll(async () => {
    agent = await Agent.start(name);
  });
  afterAll(() => Promise.all([agent.stop(), peer.stop()]));

  async function connect(role: Role, own: Script, others: Script): Promise<[own: string, others: string]> {
    const [atServer, atClient] = [`s${++lastKey}`, `c${lastKey}`];
    const [server, client] = role === "server" ? [agent, peer] : [peer, agent];
    const { port } = await server.serve();
    await server.prepare(atServer, role === "server" ? own : others);
    await client.connect(atClient, `ws://127.0.0.1:${port}/${atServer}`, { script: role === "server" ? others : own });
    return role === "server" ? [atServer, atClient] : [atClient, atServer];
  }

  const done = ["close", 1000, "done", true] as const;
  const finish: Script = [
    ["await", "message", COUNT],
    ["close", 1000, "done"],
  ];
  const pausing: Script = [["blocks", MIB], ["pause"], ["signal", "go"], ["resume"], ...finish];
  const flooding: Script = [["flood", COUNT, MIB]];

  describe.each(roles)(`${name} as a %s`, (role) => {
    it("sends no faster than its peer reads", async () => {
      using memory = new MemoryWatch(agent.pid);
      const [own, others] = await connect(role, flooding, pausing);
      const { sent, most } = await settled(agent, own, (look) => look.sent);
      expect(sent).toBeLessThan(ON_THE_WAY);
      // `send` answers false from 64 KiB on, and what it answers so to is one block more at the most.
      expect(most).toBeLessThanOrEqual(65_536 + MIB + 14);
      await peer.signal(others, "go");
      const logs = [...(await agent.finished(own)), ...(await peer.finished(others))];
      expect(logs).toEqual([
        [["open", "", ""], done],
        [["open", "", ""], done],
      ]);
      expect(memory.growth).toBeLessThan(MOST_MEMORY);
    });

    it.each<[string, Script]>([
      ["has paused", pausing],
      [
        "is busy in a loop over its messages",
        [
          ["loop", COUNT, MIB, "go"],
          ["close", 1000, "done"],
        ],
      ],
    ])("holds its peer back while it %s", async (_, script) => {
      using memory = new MemoryWatch(agent.pid);
      const [own, others] = await connect(role, script, flooding);
      const { sent } = await settled(peer, others, (look) => look.sent);
      expect(sent).toBeLessThan(ON_THE_WAY);
      expect((await agent.look(own))!.counts["message"] ?? 0).toBeLessThanOrEqual(1);
      await agent.signal(own, "go");
      const logs = [...(await agent.finished(own)), ...(await peer.finished(others))];
      expect(logs).toEqual([
        [["open", "", ""], done],
        [["open", "", ""], done],
      ]);
      expect(memory.growth).toBeLessThan(MOST_MEMORY);
    });
  });
}
