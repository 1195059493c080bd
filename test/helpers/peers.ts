import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import {
  WebSocket,
  WebSocketServer,
  type ClientOptions as WsOptions,
  type RawData,
  type ServerOptions as WsServerOptions,
} from "ws";
import { connect, Server } from "../../src/index.ts";
import type { Client, ClientOptions, ServerConnection, ServerOptions } from "../../src/index.ts";
import { RawPeer } from "./raw-peer.ts";
import { until } from "./until.ts";

/** A hybi server that listens on a port of its own, and what connects to it. */
export class Listening {
  readonly server: Server;
  readonly port: number;
  readonly secure: boolean;
  readonly #queue: ServerConnection[] = [];
  readonly #others: (() => void)[] = [];

  private constructor(server: Server, secure: boolean) {
    this.server = server;
    this.secure = secure;
    this.port = (server.address as { port: number }).port;
    server.on("connection", (connection) => void this.#queue.push(connection));
  }

  static async start(options: ServerOptions = {}): Promise<Listening> {
    const server = new Server({ port: 0, host: "127.0.0.1", ...options });
    await server.listen();
    return new Listening(server, options.tls !== undefined);
  }

  /** By name, so that a certificate for it fits. */
  get url(): string {
    return `${this.secure ? "wss" : "ws"}://localhost:${this.port}/`;
  }

  /** The server's side of the next connection. */
  async connection(): Promise<ServerConnection> {
    await until(() => this.#queue.length > 0);
    return this.#queue.shift()!;
  }

  /** Both sides of a connection. */
  async pair(options: ClientOptions = {}, path = ""): Promise<{ client: Client; server: ServerConnection }> {
    const [client, server] = await Promise.all([connect(this.url + path, options), this.connection()]);
    return { client, server };
  }

  /** A raw client's connection. */
  async raw(): Promise<{ peer: RawPeer; server: ServerConnection }> {
    const [peer, server] = await Promise.all([RawPeer.open(this.port), this.connection()]);
    this.#others.push(() => peer.destroy());
    return { peer, server };
  }

  /** A connection of the independent library's. */
  async ws(
    options: WsOptions = {},
    path = "",
    protocols: string[] = [],
  ): Promise<{ ws: Ws; server: ServerConnection }> {
    const ws = new Ws(new WebSocket(this.url + path, protocols, { perMessageDeflate: false, ...options }));
    this.#others.push(() => ws.socket.terminate());
    const [server] = await Promise.all([this.connection(), ws.opened]);
    return { ws, server };
  }

  /** Ends all at once, without asking anyone. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#others) end();
    for (const connection of this.server.connections) connection.terminate();
    await this.server.close();
  }
}

/** A connection of `ws`, with what it received. */
export class Ws {
  readonly socket: WebSocket;
  readonly opened: Promise<unknown>;
  readonly messages: (string | Buffer)[] = [];
  readonly pings: string[] = [];
  readonly pongs: string[] = [];
  readonly closes: [code: number, reason: string][] = [];
  readonly errors: Error[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.opened = socket.readyState === WebSocket.OPEN ? Promise.resolve() : once(socket, "open");
    socket.on("message", (data: RawData, isBinary) =>
      this.messages.push(isBinary ? (data as Buffer) : (data as Buffer).toString()),
    );
    socket.on("ping", (data) => this.pings.push(data.toString("latin1")));
    socket.on("pong", (data) => this.pongs.push(data.toString("latin1")));
    socket.on("close", (code, reason) => this.closes.push([code, reason.toString()]));
    socket.on("error", (error) => this.errors.push(error));
  }

  async closed(): Promise<[code: number, reason: string][]> {
    await until(() => this.closes.length > 0);
    return this.closes;
  }
}

/** A server of the independent library's. */
export class WsListening {
  readonly server: WebSocketServer;
  readonly http: http.Server;
  readonly port: number;
  readonly #queue: Ws[] = [];
  readonly #requests: http.IncomingMessage[] = [];

  private constructor(server: WebSocketServer, web: http.Server) {
    this.server = server;
    this.http = web;
    this.port = (web.address() as AddressInfo).port;
    server.on("connection", (socket, request) => {
      this.#queue.push(new Ws(socket));
      this.#requests.push(request);
    });
  }

  static async start(options: WsServerOptions = {}): Promise<WsListening> {
    const web = http.createServer();
    const server = new WebSocketServer({ server: web, perMessageDeflate: false, maxPayload: 1 << 30, ...options });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    return new WsListening(server, web);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  async connection(): Promise<{ ws: Ws; request: http.IncomingMessage }> {
    await until(() => this.#queue.length > 0);
    return { ws: this.#queue.shift()!, request: this.#requests.shift()! };
  }

  async pair(options: ClientOptions = {}): Promise<{ client: Client; ws: Ws; request: http.IncomingMessage }> {
    const [client, { ws, request }] = await Promise.all([connect(this.url, options), this.connection()]);
    return { client, ws, request };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}
