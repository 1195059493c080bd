import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Agent, type Party } from "./party.ts";
import { runtimeNames, type RuntimeName } from "./runtimes.ts";
import { deflateScenarios } from "./deflate-scenarios.ts";
import { earlyScenarios, scenarios, type Scenario } from "./scenarios.ts";
import { WsParty } from "./ws-party.ts";

export type PartyName = RuntimeName | "ws";

/** hybi on each runtime, and the independent library. */
export const partyNames: readonly PartyName[] = [...runtimeNames, "ws"];

export function startParty(name: PartyName): Promise<Party> {
  return name === "ws" ? Promise.resolve(new WsParty()) : Agent.start(name);
}

let lastKey = 0;

async function play(server: Party, client: Party, scenario: Scenario): Promise<void> {
  const { early = [], options = {}, expected, pausing } = scenario;
  const [atServer, atClient] = [`s${++lastKey}`, `c${lastKey}`];
  const { port } = await server.serve(options.server);
  await server.prepare(atServer, scenario.server);
  await client.connect(atClient, `ws://127.0.0.1:${port}/${atServer}`, {
    ...(options.client && { options: options.client }),
    script: scenario.client,
    early,
  });
  if (pausing) {
    const [party, key] = pausing === "server" ? [server, atServer] : [client, atClient];
    while (!(await party.look(key))?.counts["open"]);
    // The time of many a message between the two.
    for (const from = performance.now(); performance.now() - from < 100;)
      expect((await party.look(key))?.counts["message"]).toBeUndefined();
    await party.signal(key, "go");
  }
  const [[clientLog], serverLog] = await Promise.all([
    client.finished(atClient),
    expected.server && server.finished(atServer).then(([log]) => log),
  ]);
  expect({ server: serverLog, client: clientLog }).toEqual(expected);
}

/** Plays every scenario between the client on `name` and a server of each party. */
export function pairUp(name: PartyName): void {
  const servers = new Map<PartyName, Party>();
  const peers = partyNames.filter((peer) => peer !== "ws" || name !== "ws");
  beforeAll(async () => {
    for (const [peer, party] of await Promise.all(peers.map(async (peer) => [peer, await startParty(peer)] as const)))
      servers.set(peer, party);
    if (!servers.has(name)) servers.set(name, await startParty(name));
  });
  afterAll(() => Promise.all([...servers.values()].map((party) => party.stop())));

  describe.each(peers)(`${name} → %s`, (peer) => {
    it.each([...scenarios, ...deflateScenarios, ...(name === "ws" ? [] : earlyScenarios)])("$name", (scenario) =>
      play(servers.get(peer)!, servers.get(name)!, scenario),
    );
  });
}
