import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { makeClient, makeServer } from "../../src/driver.ts";
import type {
  ClientConnection,
  ClientOptions,
  Connection,
  ConnectionOptions,
  ServerConnection,
  ServerEnvironment,
} from "../../src/driver.ts";
import type { Identity } from "./certificates.ts";
import { RawPeer, type request } from "./raw-peer.ts";
import { Recording, until } from "./until.ts";

/** A web server of Node's that queues what its `upgrade` event hands out. */
export class Web {
  readonly server: http.Server;
  readonly port: number;
  readonly #secure: boolean;
  readonly #environments: ServerEnvironment[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #connections: Connection[] = [];

  private constructor(server: http.Server, secure: boolean) {
    this.server = server;
    this.#secure = secure;
    this.port = (server.address() as AddressInfo).port;
    server.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
    });
    server.on("upgrade", (request, socket, head) => {
      const { method, url, headers } = request;
      this.#environments.push({ method, url, headers, socket, head });
    });
  }

  static async listen(identity?: Identity): Promise<Web> {
    const server = identity ? https.createServer(identity) : http.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Web(server, identity !== undefined);
  }

  get url(): string {
    return `${this.#secure ? "wss" : "ws"}://127.0.0.1:${this.port}/chat?room=1`;
  }

  /** The next request to upgrade. */
  async environment(): Promise<ServerEnvironment> {
    await until(() => this.#environments.length > 0);
    return this.#environments.shift()!;
  }

  /** The server's side of the next request, still to be started. */
  async makeServer(options?: ConnectionOptions): Promise<ServerConnection> {
    return this.#keep(makeServer(await this.environment(), options));
  }

  /** A client of this server, still to be started. */
  makeClient(options?: ClientOptions): ClientConnection {
    return this.#keep(makeClient(this.url, options));
  }

  /** Both sides of a connection, open, with all that they emitted and will. */
  async pair(serverOptions?: ConnectionOptions, clientOptions?: ClientOptions): Promise<Pair> {
    const client = this.makeClient(clientOptions);
    const atClient = new Recording(client);
    client.startConnection();
    const server = await this.makeServer(serverOptions);
    const atServer = new Recording(server);
    server.startConnection();
    await until(() => client.readyState === "open");
    return { client, server, atClient, atServer };
  }

  #keep<C extends Connection>(connection: C): C {
    this.#connections.push(connection);
    return connection;
  }

  /** Ends every connection there ever was. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.terminate();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface Pair {
  readonly client: ClientConnection;
  readonly server: ServerConnection;
  readonly atClient: Recording;
  readonly atServer: Recording;
}

/** A raw client on a connection of the driver's. */
export async function rawClient(
  web: Web,
  options?: Parameters<typeof makeServer>[1],
  changes?: Parameters<typeof request>[0],
): Promise<{ peer: RawPeer; server: ServerConnection; atServer: Recording }> {
  const opening = RawPeer.open(web.port, changes);
  const server = await web.makeServer(options);
  const atServer = new Recording(server);
  server.startConnection();
  return { peer: await opening, server, atServer };
}
