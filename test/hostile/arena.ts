import * as net from "node:net";
import * as tls from "node:tls";
import { expect } from "vitest";
import type { TlsOptions } from "../../src/driver/transport.ts";
import { Peer, concat, latin1, readFrames, type Role, type WireFrame } from "../helpers/wire.ts";
import { Agent, type PartyOptions, type Script, type Serving } from "../conformance/party.ts";
import { extensionNames } from "../conformance/case.ts";
import { Raw, RawServer, frameCount, openingRequest, openingResponse } from "../conformance/raw.ts";
import type { RuntimeName } from "../conformance/runtimes.ts";

/** One thing that somebody hostile does. What it throws is what is wrong. */
export interface Attack {
  readonly name: string;
  readonly play: (arena: Arena) => Promise<void>;
  /** What the agent writes to its standard error because of it: on any runtime, or on one alone. */
  readonly complaint?: RegExp | Partial<Record<RuntimeName, RegExp>>;
  /** Where it is one request and the status of its answer, these: for browsers, who have no agent. */
  readonly request?: { readonly bytes: string; readonly options: PartyOptions | undefined; readonly status: number };
}

/** The attacks of one table, by its rows. */
export type Table<Name extends string> = Readonly<Record<Name, readonly Attack[]>>;

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again until `condition` holds; the test's timeout bounds it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(2);
}

/** Writes on until the system says that nobody is there any more to read: the other side is not half closed, but gone. */
export async function untilGone(raw: Raw): Promise<void> {
  await raw.until(() => raw.hasEnded);
  while (!raw.error && !raw.isClosed) {
    raw.socket.write("more");
    await delay(2);
  }
}

/** An open connection between the agent, whose errors nobody listens to, and a raw peer. */
export interface Opened {
  readonly raw: Raw;
  readonly peer: Peer;
  /** All frames that the agent has sent so far. */
  readonly frames: () => WireFrame[];
  /** The code of the Close frame that came, once the agent has ended its stream. */
  readonly closed: () => Promise<number | undefined>;
}

/** hybi on one runtime in a process of its own, and what it takes to attack it and to see that it stands. */
export class Arena {
  readonly agent: Agent;
  /** Takes the agent's clients. */
  readonly clients: RawServer;
  readonly tls: TlsOptions;
  /** The servers that the attack of this moment has to do with. */
  readonly #used = new Map<number, { serving: Serving; options: PartyOptions }>();
  readonly #raws: Raw[] = [];
  /** How much the agent has written to its standard error. */
  #outputLength = 0;
  static #keys = 0;

  private constructor(agent: Agent, clients: RawServer, identity: TlsOptions) {
    this.agent = agent;
    this.clients = clients;
    this.tls = identity;
  }

  static async start(name: RuntimeName, identity: TlsOptions): Promise<Arena> {
    const [agent, clients] = await Promise.all([Agent.start(name, { servers: [identity] }), RawServer.listen()]);
    return new Arena(agent, clients, identity);
  }

  async stop(): Promise<void> {
    await this.agent.stop();
    this.clients.close();
  }

  /** Forgets the attack before, which may have failed. */
  begin(): void {
    this.#used.clear();
    for (const { socket } of this.#raws.splice(0)) socket.destroy();
    this.#outputLength = this.agent.output.length;
  }

  newKey(): string {
    return `${++Arena.#keys}`;
  }

  /** A server whose errors, and those of its connections, nobody listens to. */
  async serve(options: PartyOptions = {}): Promise<Serving> {
    const serving = await this.agent.serve({ ...options, isDeaf: true });
    this.#used.set(serving.number, { serving, options });
    return serving;
  }

  /** A raw socket to a server of the agent's. */
  async connect(serving?: Serving): Promise<Raw> {
    return this.keep(Raw.connect((serving ?? (await this.serve())).port));
  }

  /** Sees that it is destroyed in the end. */
  keep(raw: Raw): Raw {
    this.#raws.push(raw);
    return raw;
  }

  /** Opens a connection at which the agent has `role`. A script is one of `upon` alone. */
  async open(role: Role, options: PartyOptions = {}, script?: Script): Promise<Opened> {
    const key = this.newKey();
    const [extension] = options.extensions ?? [];
    const name = typeof extension === "string" ? extensionNames[extension] : undefined;
    let raw: Raw;
    if (role === "server") {
      const serving = await this.serve(options);
      if (script) await this.agent.prepare(key, script);
      raw = await this.connect(serving);
      await raw.write(openingRequest(key, name === undefined ? {} : { "Sec-WebSocket-Extensions": name }));
      // What its script does may end it at once.
      if (!(await raw.readHead()).startsWith("HTTP/1.1 101 ") && !script) expect.fail(raw.head);
    } else {
      await this.agent.dialDeaf(this.clients.url(key), options, script);
      raw = this.keep(await this.clients.client(key));
      await raw.write(openingResponse(raw, name === undefined ? "" : `Sec-WebSocket-Extensions: ${name}\r\n`));
    }
    return {
      raw,
      peer: new Peer(role),
      frames: () => readFrames(raw.bytes),
      closed: async () => {
        // A client waits for the server to end TCP first (RFC 6455 §7.1.1), unless it has failed the connection.
        await raw.until(() => raw.hasEnded);
        raw.end();
        return closeCodeOf(readFrames(raw.bytes));
      },
    };
  }

  /** Opens a connection to a server that listens to all there is, and logs it under `key`. */
  async openHeard(key: string, script: Script = []): Promise<Raw> {
    await this.agent.prepare(key, script);
    const raw = Raw.connect((await this.agent.serve()).port);
    await raw.write(openingRequest(key));
    if (!(await raw.readHead()).startsWith("HTTP/1.1 101 ")) expect.fail(raw.head);
    return raw;
  }

  /** The same with a client. */
  async dialHeard(key: string, script: Script = []): Promise<Raw> {
    await this.agent.connect(key, this.clients.url(key), { script });
    const raw = await this.clients.client(key);
    await raw.write(openingResponse(raw));
    return raw;
  }

  /** Connects and waits until the server has answered with a head and ended. */
  async refusal(serving: Serving, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
    const raw = await this.connect(serving);
    // The server may have had enough before all is written.
    void raw.write(...pieces);
    await raw.readHead();
    await raw.until(() => raw.hasEnded);
    raw.end();
    return raw.head;
  }

  /**
   * What holds behind every attack: all that it held is free, the process lives and has nothing to say but for the
   * complaint, and a client and a server that behave are served.
   */
  async check(complaints: Attack["complaint"] = {}): Promise<void> {
    const complaint = complaints instanceof RegExp ? complaints : complaints[this.agent.name];
    const used = [...this.#used.values()];
    this.#used.clear();
    for (const { serving } of used)
      await until(async () => {
        const { connections, opening } = await this.agent.holding(serving);
        return connections + opening === 0;
      });
    await until(async () => (await this.agent.deafClients()) === 0);
    for (const { socket } of this.#raws.splice(0)) socket.destroy();
    if (used.length === 0) used.push({ serving: await this.agent.serve({ isDeaf: true }), options: {} });
    for (const { serving, options } of used) await this.#behave(serving, options);
    await this.#serveWell();
    if (complaint) await until(async () => complaint.test(await this.#newOutput()));
    else expect(await this.#newOutput()).toBe("");
  }

  /** A turn over the control connection lets come what was written before. */
  async #newOutput(): Promise<string> {
    await this.agent.deafClients();
    return this.agent.output.slice(this.#outputLength);
  }

  /** A client that behaves. */
  async #behave({ port }: Serving, { tls: secure, path = "/well" }: PartyOptions): Promise<void> {
    const where = { port, host: "127.0.0.1", allowHalfOpen: true };
    const raw = new Raw(secure ? tls.connect({ ...where, rejectUnauthorized: false }) : net.connect(where));
    const peer = new Peer("server");
    await raw.write(openingRequest(path.slice(1)));
    expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
    await raw.write(peer.ping("well"), peer.close(1000, "done"));
    await raw.until(() => raw.hasEnded);
    raw.end();
    expect(readFrames(raw.bytes).map(({ opcode }) => opcode)).toEqual([10, 8]);
    raw.socket.destroy();
  }

  /** A server that behaves. */
  async #serveWell(): Promise<void> {
    const key = this.newKey();
    const dialed = this.agent.dial(this.clients.url(key));
    const raw = await this.clients.client(key);
    const peer = new Peer("client");
    await raw.write(openingResponse(raw));
    await raw.write(peer.ping("well"), peer.close(1000, "done"));
    await raw.until(() => frameCount(raw.bytes) === 2);
    raw.end();
    expect(await dialed).toBeUndefined();
    expect(readFrames(raw.bytes).map(({ opcode }) => opcode)).toEqual([10, 8]);
    raw.socket.destroy();
  }
}

/** Ends a connection that the attack left open, and sees first that it still answers. */
export async function closeWell({ raw, peer, frames }: Opened): Promise<void> {
  await raw.write(concat([peer.ping("still"), peer.close(1000, "enough")]));
  await raw.until(() => raw.hasEnded || frameCount(raw.bytes) > 1);
  raw.end();
  await raw.until(() => raw.hasEnded);
  const [pong, close] = frames().slice(-2);
  expect([pong?.opcode, pong && latin1(pong.payload), close && closeCodeOf([close])]).toEqual([10, "still", 1000]);
}

/** The code of the last frame, if that is a Close. */
export function closeCodeOf(frames: readonly WireFrame[]): number | undefined {
  const last = frames.at(-1);
  if (last?.opcode !== 8) return undefined;
  return last.payload.length < 2 ? 1005 : last.payload[0]! * 256 + last.payload[1]!;
}
