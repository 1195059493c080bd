import { WebSocket } from "ws";
import type { Content } from "./agent/data.mjs";
import { startRuntime, type Running, type RuntimeName } from "./runtimes.ts";
import { socketOf, type TlsUse } from "./worker-config.ts";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { PermessageDeflateOptions } from "../../src/deflate/index.ts";
import type { HeartbeatOptions } from "../../src/driver/heartbeat.ts";
import type { TlsOptions } from "../../src/driver/transport.ts";

/** A step of a script, by its name in `agent/track.mjs`. */
export type Step =
  | readonly ["send" | "tell", ...Content[]]
  | readonly ["fragments", contents: readonly Content[], ping?: string]
  | readonly ["ping" | "pong" | "pinging", payload: string]
  | readonly ["sending", content: Content]
  | readonly ["busy", ms: number]
  | readonly ["roundTrip"]
  | readonly ["echo" | "pause" | "resume" | "terminate"]
  | readonly ["await", kind: string, count?: number]
  | readonly ["signal", name: string]
  | readonly ["close", code?: number, reason?: string]
  | readonly ["blocks", size: number]
  | readonly ["flood", count: number, size: number]
  | readonly ["loop", count: number, size: number, signal: string]
  | readonly ["attempt", misuse: string]
  | readonly ["upon", event: string, what: string];

export type Script = readonly Step[];

/** What happened on one side of a connection: each entry begins with its kind. */
export type Log = readonly (readonly [kind: string, ...details: unknown[]])[];

/** The options of permessage-deflate, as far as they can be said in JSON. */
export type DeflateUse = Omit<PermessageDeflateOptions, "budget" | "module">;

/** The options of hybi, as far as they can be said in JSON. */
export interface PartyOptions {
  readonly maxLength?: number;
  readonly maxFragments?: number;
  readonly acceptProtocols?: readonly string[];
  readonly additionalHeaders?: Readonly<Record<string, string>>;
  readonly handshakeTimeout?: number;
  readonly closeTimeout?: number;
  readonly highWaterMark?: number;
  readonly maxHeadLength?: number;
  readonly maxQueuedBytes?: number;
  readonly slowConsumer?: string;
  readonly heartbeat?: HeartbeatOptions | false;
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
  readonly origins?: string | readonly string[];
  /** Bytes: the agent makes a `Budget` of them for each server and client. */
  readonly budget?: number;
  /** A hook by its name in `agent/core.mjs`. */
  readonly upgrade?: "later" | "never" | "throws" | "certified";
  readonly path?: string;
  readonly tls?: TlsOptions;
  /** By their names, or permessage-deflate by its options; "deflate" has room for every window of its peer. */
  readonly extensions?: readonly ("reversing" | "careless" | "deflate" | DeflateUse)[];
  /** Server: nobody listens to its `refused`, nor to an event of its connections but `message`. */
  readonly isDeaf?: boolean;
  /** The server is attached to a web server of the runtime's. */
  readonly attached?: boolean;
  /** The client is given a socket of the runtime's `node:net`. */
  readonly dialed?: boolean;
}

export interface ConnectOptions {
  readonly options?: PartyOptions;
  /** Done once the connection is open. */
  readonly script?: Script;
  /** Done before it is. */
  readonly early?: Script;
  /** Masking keys and nonce are the same each time. */
  readonly isRandomnessFixed?: boolean;
}

export interface Serving {
  readonly number: number;
  readonly port: number;
}

/** What an opening handshake was refused with, as the caller of `connect` gets it. */
export interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly bodyLength?: number;
}

/** What a connection has come to so far. */
export interface Look {
  readonly log: Log;
  readonly counts: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly most: number;
}

/** What the connections of an agent hold. */
export interface Held {
  /** Of all its servers. */
  readonly connections: number;
  /** Slots of the decoder. */
  readonly slots: number;
}

/** Somebody who serves and connects as the test says. Connections go by keys: for a server, the path of the request. */
export interface Party {
  readonly name: string;
  /** One server for all who ask for the same options. */
  serve(options?: PartyOptions): Promise<Serving>;
  /** Gives the connection that will have this key a script of its own. */
  prepare(key: string, script: Script): Promise<void>;
  connect(key: string, url: string, options?: ConnectOptions): Promise<void>;
  /** The logs of the connections, once they are closed and their scripts are at an end. */
  finished(...keys: string[]): Promise<Log[]>;
  /** What a connection has come to a moment from now, so that whoever asks on and on leaves the others a processor. */
  look(key: string): Promise<Look | undefined>;
  signal(key: string, name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Answers one server for all who ask for it with the same options. */
export function onceForEach(
  serve: (options: PartyOptions) => Promise<Serving>,
): (options?: PartyOptions) => Promise<Serving> {
  const all = new Map<string, Promise<Serving>>();
  return (options = {}) => {
    const key = JSON.stringify(options);
    let serving = all.get(key);
    if (!serving) all.set(key, (serving = serve(options)));
    return serving;
  };
}

/** hybi on one of the runtimes, in a process of its own. */
export class Agent implements Party {
  readonly name: RuntimeName;
  readonly #running: Running;
  readonly #ws: WebSocket;
  readonly #calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #last = 0;
  readonly #tls: TlsUse;

  private constructor(name: RuntimeName, running: Running, ws: WebSocket, tls: TlsUse) {
    this.name = name;
    this.#tls = tls;
    this.#running = running;
    this.#ws = ws;
    ws.on("message", (data: Buffer) => {
      const [id, result, error] = JSON.parse(data.toString()) as [number, unknown, string?];
      const call = this.#calls.get(id)!;
      this.#calls.delete(id);
      if (error === undefined) call.resolve(result);
      else call.reject(new Error(`${name}: ${error}`));
    });
    ws.on("error", () => undefined);
    ws.on("close", (code) => {
      const error = new Error(`${name} lost its control connection (${code}): ${running.output}`);
      for (const { reject } of this.#calls.values()) reject(error);
    });
  }

  static async start(name: RuntimeName, tls: TlsUse = {}, descriptors?: number): Promise<Agent> {
    const running = await startRuntime(name, tls, descriptors);
    const ws = new WebSocket(`ws://127.0.0.1:${running.port}/`, { perMessageDeflate: false });
    try {
      await once(ws, "open");
    } catch (cause) {
      await running.stop();
      throw new Error(`${name} took no control connection: ${running.output}`, { cause });
    }
    return new Agent(name, running, ws, tls);
  }

  get pid(): number {
    return this.#running.child.pid!;
  }

  /** What it wrote to its standard error. */
  get output(): string {
    return this.#running.output;
  }

  #call(command: string, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ws.readyState !== WebSocket.OPEN) reject(new Error(`${this.name} is gone: ${this.output}`));
      const id = ++this.#last;
      this.#calls.set(id, { resolve, reject });
      this.#ws.send(JSON.stringify([id, command, ...args]));
    });
  }

  readonly serve = onceForEach((options) => this.#serve(options));

  async #serve(options: PartyOptions): Promise<Serving> {
    const { tls, ...others } = options;
    // A worker's certificates stand in its configuration, and each has a socket of its own.
    const args = this.name === "workerd" && tls ? [others, socketOf(this.#tls, tls)] : [options];
    const answer = (await this.#call("serve", ...args)) as { number: number; port?: number; socket?: number };
    return { number: answer.number, port: answer.port ?? this.#running.sockets[answer.socket!]! };
  }

  async prepare(key: string, script: Script): Promise<void> {
    await this.#call("prepare", key, script);
  }

  async connect(key: string, url: string, { options = {}, ...others }: ConnectOptions = {}): Promise<void> {
    // As for a server: whom a worker trusts stands in its configuration.
    const own = this.name === "workerd" ? { ...options, tls: {} } : options;
    await this.#call("connect", key, url, { ...others, options: own });
  }

  async finished(...keys: string[]): Promise<Log[]> {
    return (await this.#call("finished", ...keys)) as Log[];
  }

  async look(key: string): Promise<Look | undefined> {
    await sleep(4);
    return ((await this.#call("look", key)) as Look | null) ?? undefined;
  }

  async signal(key: string, name: string): Promise<void> {
    await this.#call("signal", key, name);
  }

  /** Whether something there waits for this word. */
  async isAwaited(word: string): Promise<boolean> {
    return (await this.#call("isAwaited", word)) as boolean;
  }

  /** Has what waits for this word go on. */
  async say(word: string): Promise<void> {
    await this.#call("say", word);
  }

  async held(): Promise<Held> {
    return (await this.#call("held")) as Held;
  }

  /** The statuses of the requests that a server refused so far. */
  async refused({ number }: Serving): Promise<number[]> {
    return (await this.#call("refused", number)) as number[];
  }

  /** What a server holds at this moment. */
  async holding({ number }: Serving): Promise<{ connections: number; opening: number }> {
    return (await this.#call("holding", number)) as { connections: number; opening: number };
  }

  /** Has a server close its connections within that many milliseconds. */
  async drain({ number }: Serving, timeout: number): Promise<void> {
    await this.#call("drain", number, timeout);
  }

  /** Has a server send messages to all its connections, no faster than the newest of them takes them. */
  async broadcast({ number }: Serving, content: Content, count: number): Promise<void> {
    await this.#call("broadcast", number, content, count);
  }

  /** Connects, with nobody listening to what comes of it but for the steps `upon` of a script. */
  async dialDeaf(url: string, options: PartyOptions = {}, script: Script = []): Promise<void> {
    await this.#call("dialDeaf", url, options, script);
  }

  /** How many such clients are not closed yet. */
  async deafClients(): Promise<number> {
    return (await this.#call("deafClients")) as number;
  }

  /** Connects by `connect`; answers what that was rejected with, or nothing once the server has closed. */
  async dial(url: string, options: PartyOptions = {}): Promise<Failure | undefined> {
    return ((await this.#call("dial", url, options)) as Failure | null) ?? undefined;
  }

  /** Has it do one of `refusals` in `agent/misuse.mjs`; answers name and code of what was thrown. */
  async refusal(name: string, url: string): Promise<unknown> {
    return this.#call("refusal", name, url);
  }

  async stop(): Promise<void> {
    this.#ws.terminate();
    await this.#running.stop();
  }
}
