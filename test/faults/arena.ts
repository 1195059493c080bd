import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { certificates } from "../helpers/certificates.ts";
import { descriptorsOf } from "../helpers/descriptors.ts";
import type { Role } from "../helpers/wire.ts";
import { Agent, type Held, type Log, type PartyOptions, type Script } from "../conformance/party.ts";
import { openingRequest, openingResponse, Raw, RawServer } from "../conformance/raw.ts";
import { runtimeNames } from "../conformance/runtimes.ts";
import { ways, type Stage, type Way } from "./stages.ts";

/** What an agent has in use. */
export interface Use extends Held {
  readonly role: Role;
  readonly descriptors: number;
}

interface Servers {
  readonly plain: RawServer;
  readonly secure: RawServer;
}

interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** The agents of all runtimes, and raw peers for each of the ways to them. */
export class Arena {
  readonly agents: readonly Agent[];
  readonly #servers: Servers;
  readonly #identity: Identity;
  readonly #ca: string;
  #lastKey = 0;

  private constructor(agents: readonly Agent[], servers: Servers, identity: Identity, ca: string) {
    this.agents = agents;
    this.#servers = servers;
    this.#identity = identity;
    this.#ca = ca;
  }

  static async start(): Promise<Arena> {
    const { ca, server } = await certificates();
    const identity = { cert: server.cert, key: server.key };
    const [agents, plain, secure] = await Promise.all([
      Promise.all(runtimeNames.map((name) => Agent.start(name, { servers: [identity], client: { ca } }))),
      RawServer.listen(),
      RawServer.listen(identity),
    ]);
    return new Arena(agents, { plain, secure }, identity, ca);
  }

  async stop(): Promise<void> {
    this.#servers.plain.close();
    this.#servers.secure.close();
    await Promise.all(this.agents.map((agent) => agent.stop()));
  }

  /** The agents that come by their sockets in this way. */
  agentsOf({ runtimes }: Way): readonly Agent[] {
    return this.agents.filter(({ name }) => runtimes.includes(name));
  }

  /** Connects once in each way, so that what a runtime opens once and keeps is open. */
  async warmUp(ways: readonly Way[]): Promise<void> {
    const one = async (agent: Agent, way: Way): Promise<void> => {
      const [raw, key] = await this.connected(agent, way);
      await settled(agent, key);
      raw.reset();
      await agent.finished(key);
    };
    await Promise.all(ways.flatMap((way) => this.agentsOf(way).map((agent) => one(agent, way))));
  }

  /** What the agents wrote to their standard errors, which is nothing if all is well. */
  get outputs(): string[] {
    return this.agents.flatMap(({ name, output }) => {
      // Of a server that breaks the handshake of TLS off, workerd tells by itself.
      const own =
        name === "workerd" ? output.replace(/^.*Socket proxy disconnected abruptly.*\n(stack: .*\n)?/gm, "") : output;
      return own === "" ? [] : [`${name}: ${own}`];
    });
  }

  nextKey(): string {
    return `${++this.#lastKey}`;
  }

  #options({ role, isSecure, options }: Way): PartyOptions {
    const tls = !isSecure ? undefined : role === "server" ? this.#identity : { ca: this.#ca };
    return { closeTimeout: 200, ...options, ...(tls && { tls }) };
  }

  /** Where the server of an agent is that has come by its sockets in this way. */
  async portOf(agent: Agent, way: Way): Promise<number> {
    return (await agent.serve(this.#options(way))).port;
  }

  /** Has a client dial; its peer has read the request if it could. */
  async dial(agent: Agent, way: Way, key: string, script: Script, url?: string): Promise<void> {
    const server = way.isSecure ? this.#servers.secure : this.#servers.plain;
    await agent.connect(key, url ?? server.url(key), { options: this.#options(way), script });
  }

  peerOf(way: Way, key: string): Promise<Raw> {
    return (way.isSecure ? this.#servers.secure : this.#servers.plain).client(key);
  }

  /** A connection that is open as its peer sees it, and the key of its log. */
  async connected(
    agent: Agent,
    way: Way,
    { script = [], readsNothing = false }: Pick<Stage, "script" | "readsNothing"> = {},
  ): Promise<[raw: Raw, key: string]> {
    const key = this.nextKey();
    if (way.role === "client") {
      await this.dial(agent, way, key, script);
      const raw = await this.peerOf(way, key);
      if (readsNothing) raw.socket.pause();
      await raw.write(openingResponse(raw));
      return [raw, key];
    }
    await agent.prepare(key, script);
    const raw = Raw.connect(await this.portOf(agent, way), way.isSecure);
    await raw.write(openingRequest(key));
    await raw.readHead();
    if (readsNothing) raw.socket.pause();
    return [raw, key];
  }

  /** What is in use for connections of one role. */
  async useOf(agent: Agent, role: Role): Promise<Use> {
    // With certificates in its configuration, workerd keeps a socket that it dialed and that broke for its garbage.
    const isKept = agent.name === "workerd" && role === "client";
    return { role, ...(await agent.held()), descriptors: isKept ? 0 : descriptorsOf(agent.pid) };
  }

  /** Waits until the agent has given back what it took since `before`. */
  async freed(agent: Agent, before: Use): Promise<void> {
    await comesTo(
      () => this.useOf(agent, before.role),
      (use) =>
        use.connections === before.connections && use.slots === before.slots && use.descriptors <= before.descriptors,
      `${agent.name} is to have no more than ${JSON.stringify(before)} in use`,
    );
  }
}

/** The arena of the tests of a file, once {@link startArena} has its way. */
export let arena: Arena;

/** Has it run while they do, warmed up in all ways; no test may have an agent complain. */
export function startArena(): void {
  beforeAll(async () => {
    arena = await Arena.start();
    await arena.warmUp(ways);
  });
  afterAll(() => arena.stop());
  afterEach(() => expect(arena.outputs).toEqual([]));
}

/** How long what is to happen at once may take on a machine that is busy, in milliseconds. */
const SOON = 25_000;

/** Waits until what `read` answers is right; throws with the latest when that takes too long. */
export async function comesTo<T>(read: () => Promise<T>, isRight: (value: T) => boolean, what: string): Promise<T> {
  for (const from = performance.now(); ;) {
    const value = await read();
    if (isRight(value)) return value;
    if (performance.now() - from > SOON) throw new Error(`${what}, not ${JSON.stringify(value)}.`);
    await sleep(2);
  }
}

/** Resolves once the connection of `key` is open. */
export async function settled(agent: Agent, key: string): Promise<void> {
  await comesTo(
    () => agent.look(key),
    (look) => look?.counts["open"] === 1,
    `${agent.name} is to open`,
  );
}

/** A log without the texts of errors. */
export function bare(log: Log): Log {
  return log.map((entry) => (entry[0] === "failed" ? entry.slice(0, 3) : entry)) as unknown as Log;
}
