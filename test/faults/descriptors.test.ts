import { afterEach, describe, expect, it } from "vitest";
import { Agent, type PartyOptions } from "../conformance/party.ts";
import { openingRequest, Raw, RawServer } from "../conformance/raw.ts";
import type { RuntimeName } from "../conformance/runtimes.ts";
import { certificates } from "../helpers/certificates.ts";
import { descriptorsOf } from "../helpers/descriptors.ts";
import { Peer } from "../helpers/wire.ts";
import { comesTo } from "./arena.ts";

const LIMIT = 64;

let agent: Agent | undefined;
const raws: Raw[] = [];
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.tcp.destroy();
  await agent?.stop();
  agent = undefined;
});

/** Connects until the process has no descriptor left, and more wait for one. */
async function fill(port: number, pid: number): Promise<void> {
  const room = LIMIT - descriptorsOf(pid);
  for (let i = 0; i < room + 20; i++) {
    const raw = Raw.connect(port);
    raws.push(raw);
    raw.socket.write(openingRequest(`${i}`));
    await new Promise((resolve) => raw.socket.once("connect", resolve).once("close", resolve));
  }
  await comesTo(
    () => Promise.resolve(descriptorsOf(pid)),
    (count) => count >= LIMIT,
    "the process is to be full",
  );
}

/** A connection that gets an echo. */
async function echoes(port: number, key: string, isSecure = false): Promise<void> {
  await agent!.prepare(key, [["echo"]]);
  const raw = Raw.connect(port, isSecure);
  raws.push(raw);
  await raw.write(openingRequest(key));
  await raw.readHead();
  await raw.write(new Peer("server").text("still here"));
  await raw.until(() => raw.hasEnded || raw.bytes.includes("still here"));
  expect(raw.bytes.toString("latin1")).toContain("still here");
}

describe.each<RuntimeName>(["node", "deno", "bun"])("%s without a free descriptor", (name) => {
  it.each(["plain", "secure"])("lives, and accepts again (%s) once it has some", async (kind) => {
    const isSecure = kind === "secure";
    const { cert, key } = (await certificates()).server;
    const options: PartyOptions = isSecure ? { tls: { cert, key } } : {};
    agent = await Agent.start(name, {}, LIMIT);
    const { port } = await agent.serve(options);
    await echoes(port, "before", isSecure);
    const plain = await agent.serve();
    await fill(plain.port, agent.pid);
    for (const raw of raws.splice(1)) raw.tcp.destroy();
    await echoes(port, "after", isSecure);
    expect(agent.output).toBe("");
  });

  it("tells its clients with ERR_CONNECT", async () => {
    agent = await Agent.start(name, {}, LIMIT);
    const server = await RawServer.listen();
    const { port } = await agent.serve();
    await fill(port, agent.pid);
    await agent.connect("none", server.url("none"));
    const [log] = await agent.finished("none");
    expect(log!.map((entry) => entry.slice(0, 3))).toEqual([
      ["failed", 0, "ERR_CONNECT"],
      ["close", 1006, ""],
    ]);
    for (const raw of raws.splice(0)) raw.tcp.destroy();
    const { pid } = agent;
    await comesTo(
      () => Promise.resolve(descriptorsOf(pid)),
      (count) => count < LIMIT / 2 + 8,
      "the process is to have free descriptors",
    );
    await agent.connect("some", server.url("some"), { options: { closeTimeout: 200 } });
    await server.client("some");
    server.close();
    expect(agent.output).toBe("");
  });
});
