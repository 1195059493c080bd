import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { concat, Peer } from "../helpers/wire.ts";
import type { Agent, Log } from "../conformance/party.ts";
import { arena, bare, comesTo, settled, startArena } from "./arena.ts";
import { faults, outcomes, stages, ways, type Fault, type Stage, type Way } from "./stages.ts";

startArena();

/** Has the fault come to a connection, and answers its log once that is closed. */
async function strike(agent: Agent, way: Way, stage: Stage, fault: Fault): Promise<Log> {
  const [raw, key] = await arena.connected(agent, way, stage);
  if (!stage.isImmediate) await settled(agent, key);
  const peer = new Peer(way.role);
  if (stage.read) {
    await raw.write(concat([peer.text("first"), stage.read(peer)]));
    await comesTo(
      () => agent.look(key),
      (look) => look?.counts["message"] === 1,
      `${agent.name} is to read`,
    );
  }
  await stage.reach?.(raw, peer);
  fault.strike(raw);
  await comesTo(
    () => agent.look(key),
    (look) => look?.counts["close"] === 1,
    `${agent.name} is to close`,
  );
  raw.tcp.destroy();
  return (await agent.finished(key))[0]!;
}

/** What is wrong with how the agent takes it, if anything. */
async function complaint(agent: Agent, way: Way, stage: Stage, fault: Fault): Promise<string[]> {
  const before = await arena.useOf(agent, way.role);
  try {
    const log = bare(await strike(agent, way, stage, fault));
    await arena.freed(agent, before);
    const isRight = outcomes(stage, fault, way, agent.name).some((outcome) => isDeepStrictEqual(log, outcome));
    return isRight ? [] : [`${agent.name}: ${JSON.stringify(log)}`];
  } catch (error) {
    return [String(error)];
  }
}

const strikes = stages.flatMap((stage) => faults.map((fault) => ({ stage, fault })));

describe.each(ways)("$name", (way) => {
  describe.each(strikes.filter(({ fault }) => way.isSecure === true || !fault.needsTls))(
    "whose peer $fault.name $stage.name",
    ({ stage, fault }) => {
      it("closes once, and leaves nothing behind", async () => {
        const complaints = await Promise.all(arena.agentsOf(way).map((agent) => complaint(agent, way, stage, fault)));
        expect(complaints.flat()).toEqual([]);
      });
    },
  );
});
