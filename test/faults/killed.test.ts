import { describe, expect, it, onTestFinished } from "vitest";
import { Agent, type Script } from "../conformance/party.ts";
import { runtimeNames } from "../conformance/runtimes.ts";
import { arena, bare, comesTo, startArena } from "./arena.ts";
import { ways } from "./stages.ts";

startArena();

const MIB = 1 << 20;
/** The survivor looks at each message, and has one to send as well that is never whole. */
const script: Script = [
  ["blocks", MIB / 16],
  ["tell", { bytes: 8 * MIB }],
];
/** The victim always has a message on the way, but only once all are connected: a flood is bad for those who come in. */
const endless: Script = [["pause"], ["signal", "go"], ["flood", 100_000, MIB / 16]];

describe.each(runtimeNames)(
  "when a process on %s is killed in the middle of its messages",
  { timeout: 60_000 },
  (name) => {
    it("its clients and its servers see the connection closed, once, and go on", async () => {
      const victim = await Agent.start(name);
      onTestFinished(() => victim.stop());
      const { port } = await victim.serve();
      const before = await Promise.all(arena.agents.map((agent) => arena.useOf(agent, "client")));
      const open = arena.agents.map(async (agent) => {
        const [asClient, asServer] = [arena.nextKey(), arena.nextKey()];
        await victim.prepare(asClient, endless);
        await agent.connect(asClient, `ws://127.0.0.1:${port}/${asClient}`, { script });
        await agent.prepare(asServer, script);
        await victim.connect(asServer, `ws://127.0.0.1:${await arena.portOf(agent, ways[0]!)}/${asServer}`, {
          script: endless,
        });
        return [asClient, asServer];
      });
      const keys = await Promise.all(open);
      for (const key of keys.flat()) {
        await comesTo(
          () => victim.look(key),
          (look) => look?.counts["open"] === 1,
          "the victim is to be open",
        );
        await victim.signal(key, "go");
      }
      // Messages come, and so there is always one that is not whole.
      for (const [i, agent] of arena.agents.entries())
        for (const key of keys[i]!)
          await comesTo(
            () => agent.look(key),
            (look) => (look?.counts["message"] ?? 0) > 1,
            `${agent.name} is to read, ${key === keys[i]![0] ? "client" : "server"}`,
          );
      process.kill(victim.pid, "SIGKILL");
      await victim.stop();
      for (const [i, agent] of arena.agents.entries()) {
        const logs = await agent.finished(...keys[i]!);
        for (const log of logs) {
          // A reset, where the victim had something left to read; else the end of the stream.
          const rest = bare(log).filter(([kind]) => !["binary", "failed"].includes(kind));
          expect(rest, agent.name).toEqual([
            ["open", "", ""],
            ["close", 1006, "", false],
          ]);
          expect(log.at(-1)![0], agent.name).toBe("close");
        }
        await arena.freed(agent, before[i]!);
      }
    });
  },
);
