// Clients that a server floods: how many messages a second they take, and what each costs.
import { clients } from "../contenders.mjs";
import { Child, LOAD, MEASURED } from "../processes.mjs";
import { between } from "./serve.mjs";

/** Starts all contenders, and measures them in alternation. */
export async function receive({ order }, runtime, { names, rounds, ms, onRound }) {
  const server = new Child("bun", "load.mjs", { core: LOAD });
  const children = [server];
  try {
    const started = {};
    for (const name of names) {
      started[name] = new Child(runtime, `clients/${clients[runtime][name].file}`, { core: MEASURED });
      children.push(started[name]);
      await started[name].answer();
    }
    const results = Object.fromEntries(names.map((name) => [name, []]));
    // Round 0 does not count, as with servers.
    for (let i = 0; i <= rounds; i++) {
      for (const [name, client] of Object.entries(started)) {
        onRound(name, i);
        const { port } = await server.ask({ ...order, start: "push" });
        await client.ask({ url: `ws://127.0.0.1:${port}/` });
        const result = await between(client, client, server, ms);
        if (i > 0) results[name].push(result);
        // The server breaks off, since not every client can while it is flooded.
        await server.ask("stop");
        await client.ask("stop");
      }
    }
    return results;
  } finally {
    for (const child of children) child.stop();
  }
}
