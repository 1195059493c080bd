import { afterAll, beforeAll, describe, it } from "vitest";
import { roles } from "../helpers/session.ts";
import { sections } from "./cases/index.ts";
import { Agent } from "./party.ts";
import { play } from "./play.ts";
import { RawServer } from "./raw.ts";
import type { RuntimeName } from "./runtimes.ts";

/** Plays every case to hybi on a runtime, over TCP, in both roles. */
export function conformOn(name: RuntimeName): void {
  let agent: Agent;
  let clients: RawServer;
  beforeAll(async () => {
    [agent, clients] = await Promise.all([Agent.start(name), RawServer.listen()]);
  });
  afterAll(async () => {
    await agent.stop();
    clients.close();
  });

  describe.each(sections)("$title", ({ cases }) => {
    describe.each(roles)("as a %s", (role) => {
      it.each(cases)("$name", (one) => play(agent, role, clients, one));
    });
  });
}
