import { afterAll, beforeAll } from "vitest";
import { Agent } from "./party.ts";
import { RawServer } from "./raw.ts";
import { runtimeNames } from "./runtimes.ts";

/** The agents of all runtimes, and where their clients find a raw peer, once {@link startAgents} has its way. */
export let agents: Agent[];
export let clients: RawServer;

/** Has them run while the tests of a file do. */
export function startAgents(): void {
  beforeAll(async () => {
    [agents, clients] = await Promise.all([
      Promise.all(runtimeNames.map((name) => Agent.start(name))),
      RawServer.listen(),
    ]);
  });
  afterAll(async () => {
    clients.close();
    await Promise.all(agents.map((agent) => agent.stop()));
  });
}
