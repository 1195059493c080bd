import { WebSocket } from "ws";
import type { Content } from "./agent/data.mjs";
import { startRuntime, type Running, type RuntimeName } from "./runtimes.ts";
import { socketOf, type TlsUse } from "./worker-config.ts";
import { once } from "node:events";
import type { HeartbeatOptions } from "../../src/driver/heartbeat.ts";
import type { TlsOptions } from "../../src/driver/transport.ts";

/** A step of a script, by its name in `agent/track.mjs`. */
export type Step =
  | readonly ["send", ...Content[]]
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
  | readonly ["loop", count: number, size: number, signal: string];

export type Script = readonly Step[];

/** What happened on one side of a connection: each entry begins with its kind. */
export type Log = readonly (readonly [kind: string, ...details: unknown[]])[];

/** The options of hybi, as far as they can be said in JSON. */
export interface PartyOptions {
  readonly maxLength?: number;
  readonly maxFragments?: number;
  readonly acceptProtocols?: readonly string[];
  readonly additionalHeaders?: Readonly<Record<string, string>>;
  readonly handshakeTimeout?: number;
  readonly closeTimeout?: number;
  readonly heartbeat?: HeartbeatOptions | false;
  readonly path?: string;
  readonly tls?: TlsOptions;
  readonly extensions?: readonly "reversing"[];
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

/** What a connection has come to so far. */
export interface Look {
  readonly log: Log;
  readonly counts: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly most: number;
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
  look(key: string): Promise<Look | undefined>;
  signal(key: string, name: string): Promise<void>;
  stop(): Promise<void>;
}

/** hybi on one of the runtimes, in a process of its own. */
export class Agent implements Party {
  readonly name: RuntimeName;
  readonly #running: Running;
  readonly #ws: WebSocket;
  readonly #calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #last = 0;
  readonly #serving = new Map<string, Promise<Serving>>();

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

  static async start(name: RuntimeName, tls: TlsUse = {}): Promise<Agent> {
    const running = await startRuntime(name, tls);
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

  serve(options: PartyOptions = {}): Promise<Serving> {
    const key = JSON.stringify(options);
    let serving = this.#serving.get(key);
    if (!serving) this.#serving.set(key, (serving = this.#serve(options)));
    return serving;
  }

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
    return ((await this.#call("look", key)) as Look | null) ?? undefined;
  }

  async signal(key: string, name: string): Promise<void> {
    await this.#call("signal", key, name);
  }

  /** The statuses of the requests that a server refused so far. */
  async refused({ number }: Serving): Promise<number[]> {
    return (await this.#call("refused", number)) as number[];
  }

  async stop(): Promise<void> {
    this.#ws.terminate();
    await this.#running.stop();
  }
}
