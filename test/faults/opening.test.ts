import * as net from "node:net";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import { describe, expect, it } from "vitest";
import type { Agent } from "../conformance/party.ts";
import { openingRequest, openingResponse, Raw } from "../conformance/raw.ts";
import { arena, bare, comesTo, startArena } from "./arena.ts";
import { faults, neverOpen, outcomes, stages, ways, type Fault, type Way } from "./stages.ts";

startArena();

/** Where in the opening handshake the fault comes. */
interface Stage {
  readonly name: string;
  /** The peer speaks TCP alone, and so goes no further than into the handshake of TLS. */
  readonly isBelowTls?: boolean;
  /** What the peer does first; `key` is for the request. */
  readonly reach: (raw: Raw, key: string) => unknown;
}

/** What a client of TLS begins with. */
const clientHello = new Promise<Buffer>((resolve) => {
  const socket = new Duplex({ read: () => undefined, write: resolve });
  tls.connect({ socket, rejectUnauthorized: false }).on("error", () => undefined);
});

/** The beginning of a ServerHello of 122 bytes (RFC 8446 §4.1.3, §5.1). */
const serverHello = Buffer.from([22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3]);

const atServers: readonly Stage[] = [
  { name: "before it has said anything", isBelowTls: true, reach: () => undefined },
  {
    name: "inside its ClientHello",
    isBelowTls: true,
    reach: async (raw) => raw.write((await clientHello).subarray(0, 50)),
  },
  {
    name: "behind our ServerHello",
    isBelowTls: true,
    reach: async (raw) => {
      await raw.write(await clientHello);
      await raw.until(() => raw.bytes.length > 0);
    },
  },
  { name: "before its request", reach: (raw) => raw.write("") },
  { name: "inside its request", reach: (raw, key) => raw.write(openingRequest(key).slice(0, 60)) },
  { name: "right behind its request", reach: (raw, key) => raw.write(openingRequest(key)) },
];

const atClients: readonly Stage[] = [
  { name: "as soon as it has accepted", isBelowTls: true, reach: () => undefined },
  {
    name: "inside its ServerHello",
    isBelowTls: true,
    reach: async (raw) => {
      await raw.until(() => raw.bytes.length > 0);
      await raw.write(serverHello);
    },
  },
  { name: "before its answer", reach: () => undefined },
  { name: "inside its answer", reach: (raw) => raw.write(openingResponse(raw).slice(0, 60)) },
];

/** Has the fault come to a server, or to a client; answers the key of the log. */
async function strike(agent: Agent, way: Way, stage: Stage, fault: Fault): Promise<string> {
  const key = arena.nextKey();
  let raw: Raw;
  if (way.role === "server") {
    raw = Raw.connect(await arena.portOf(agent, way), way.isSecure && !stage.isBelowTls);
    await new Promise((resolve) => raw.socket.once(raw.socket === raw.tcp ? "connect" : "secureConnect", resolve));
  } else if (stage.isBelowTls) {
    const door = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await new Promise((resolve) => door.once("listening", resolve));
    const { port } = door.address() as net.AddressInfo;
    const come = new Promise<Raw>((resolve) => door.once("connection", (socket) => resolve(new Raw(socket))));
    await arena.dial(agent, way, key, [], `${way.isSecure ? "wss" : "ws"}://127.0.0.1:${port}/`);
    raw = await come;
    door.close();
  } else {
    await arena.dial(agent, way, key, []);
    raw = await arena.peerOf(way, key);
  }
  await stage.reach(raw, key);
  fault.strike(raw);
  // Nobody keeps the connection of a peer that has ended its side.
  await raw.until(() => raw.hasEnded);
  raw.tcp.destroy();
  return key;
}

/** What is wrong with how the agent takes it, if anything. */
async function complaint(agent: Agent, way: Way, stage: Stage, fault: Fault): Promise<string[]> {
  const before = await arena.useOf(agent, way.role);
  try {
    const key = await strike(agent, way, stage, fault);
    if (way.role === "client") {
      const [log] = await agent.finished(key);
      expect(bare(log!), agent.name).toEqual(neverOpen);
      await arena.freed(agent, before);
      return [];
    }
    await arena.freed(agent, before);
    const look = await agent.look(key);
    if (!look) return [];
    await comesTo(
      () => agent.look(key),
      (now) => now?.counts["close"] === 1,
      `${agent.name} is to close`,
    );
    const [log] = await agent.finished(key);
    expect(outcomes(stages[0]!, fault, way, agent.name)).toContainEqual(bare(log!));
    return [];
  } catch (error) {
    return [`${agent.name}: ${String(error)}`];
  }
}

const cases = ways.flatMap((way) =>
  (way.role === "server" ? atServers : atClients).flatMap((stage) =>
    faults
      // What is below TLS is the same without it, but for the handshake of TLS itself.
      .filter(({ needsTls }) => !needsTls || (way.isSecure === true && !stage.isBelowTls))
      .filter(() => way.isSecure === true || !/Hello/.test(stage.name))
      .map((fault) => ({ way, stage, fault })),
  ),
);

describe.each(cases)("$way.name whose peer $fault.name $stage.name", ({ way, stage, fault }) => {
  it("gives it up, and leaves nothing behind", async () => {
    const agents = arena.agentsOf(way);
    const complaints = await Promise.all(agents.map((agent) => complaint(agent, way, stage, fault)));
    expect(complaints.flat()).toEqual([]);
  });
});
