import { host } from "#host";
import { requestOf, type ServerEnvironment } from "./driver/driver.ts";
import { Emitter, handlerError } from "./driver/emitter.ts";
import { connectionChecks, defaults, tlsOption, type ConnectionOptions } from "./driver/options.ts";
import { RequestReader } from "./driver/request-reader.ts";
import { checkClose } from "./driver/sending.ts";
import { ServerConnection, type ConnectionOwner } from "./driver/server-connection.ts";
import { settingsOf, type Settings } from "./driver/settings.ts";
import { isTransport, type Listener, type TlsOptions, type Transport } from "./driver/transport.ts";
import { attach, httpServer, type HttpServer } from "./attach.ts";
import { GOING_AWAY, INTERNAL_ERROR } from "./protocol/close.ts";
import { typeError } from "./errors.ts";
import { RefusalError } from "./protocol/errors.ts";
import { checkOptions, integer, must, text, type Check } from "./protocol/options.ts";
import type { OpeningRequest } from "./protocol/server-handshake.ts";

export interface ServerOptions extends ConnectionOptions {
  /** Where {@link Server.listen} listens; 0 lets the system choose. */
  readonly port?: number;
  /** An address of this machine. Default: all of them. */
  readonly host?: string;
  /** A Unix domain socket to listen on instead of a port. */
  readonly unix?: string;
  /** Speaks TLS, so that clients connect with `wss:`. */
  readonly tls?: TlsOptions;
  /**
   * A hint: connections the system is to keep until they are accepted, which it may cap. Default: 511. Bun always asks
   * for 512.
   */
  readonly backlog?: number;
  /** Attaches to this `http` or `https` server instead of listening. */
  readonly server?: HttpServer;
  /** Takes only requests for this path; others get 404, or go to another `Server` on the same port. Default: any. */
  readonly path?: string;
}

const serverChecks: Record<keyof ServerOptions, Check> = {
  ...connectionChecks,
  port: integer(0, 65535),
  host: text,
  unix: text,
  tls: tlsOption,
  backlog: integer(1, 2 ** 31 - 1),
  server: httpServer,
  path: must('a string that begins with "/"', (value) => typeof value === "string" && value.startsWith("/")),
};

export interface ServerEvents {
  /** The server listens, there. */
  listening: [address: Listener["address"]];
  /** A connection is open. Listeners that are added here miss nothing. */
  connection: [connection: ServerConnection, request: OpeningRequest];
  /** A request was refused; the server goes on. */
  refused: [error: RefusalError];
  /** A listener of this server threw. */
  error: [error: Error];
  /** The server is closed, and with it its last connection. */
  close: [];
}

/** Takes WebSocket connections: on a port of its own, or on that of a web server. */
export class Server extends Emitter<ServerEvents> {
  /** The connections that are open. */
  readonly connections = new Set<ServerConnection>();
  readonly #options: ServerOptions;
  readonly #settings: Settings;
  readonly #readers = new Set<RequestReader>();
  /** Who awaits the end of a connection that {@link accept} took. */
  readonly #accepted = new Map<ServerConnection, () => void>();
  readonly #detach: (() => void)[] = [];
  #listening: Promise<Listener> | undefined;
  #listener: Listener | undefined;
  readonly #owner: ConnectionOwner = {
    opened: (connection) => {
      this.connections.add(connection);
      this.emit("connection", connection, connection.request!);
    },
    refused: (refusal) => void this.emit("refused", refusal),
    closed: (connection) => {
      this.connections.delete(connection);
      this.#accepted.get(connection)?.();
      this.#accepted.delete(connection);
      if (this.connections.size === 0) this.#resolveEmpty?.();
    },
  };
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #resolveEmpty: (() => void) | undefined;

  /**
   * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE, ERR_HEADER, ERR_SUBPROTOCOL
   * @throws {RangeError} ERR_OPTION_RANGE
   */
  constructor(options: ServerOptions = {}) {
    super();
    checkOptions(options, serverChecks);
    this.#options = options;
    this.#settings = settingsOf("server", host, connectionPart(options));
    if (options.server) this.attach(options.server);
  }

  /** Where it listens; undefined when it does not. */
  get address(): Listener["address"] | undefined {
    return this.#listener?.address;
  }

  /**
   * Listens on the port, or the Unix domain socket, that the options name. Rejects with the runtime's error when that
   * is not to be had.
   *
   * @throws {TypeError} ERR_STATE when it listens already or was closed, or when the options name neither.
   */
  async listen(): Promise<Listener["address"]> {
    const { port, unix, tls, backlog, handshakeTimeout = defaults.handshakeTimeout } = this.#options;
    if (this.#listening || this.#isClosing) throw typeError("ERR_STATE", "The server listens already, or was closed.");
    if (port === undefined && unix === undefined)
      throw typeError("ERR_STATE", 'Name a "port" or a "unix" path in the options, or attach to an http server.');
    const { window } = this.#settings.codec;
    this.#listening = host.listen(
      { port: port ?? 0, host: this.#options.host, path: unix, tls, backlog, handshakeTimeout, window },
      (transport) => this.#accept(transport),
    );
    return this.#listens(this.#listening);
  }

  async #listens(listening: Promise<Listener>): Promise<Listener["address"]> {
    let listener: Listener;
    try {
      listener = await listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
    if (this.#isClosing) throw typeError("ERR_STATE", "The server was closed while it began to listen.");
    this.#listener = listener;
    this.emit("listening", listener.address);
    return listener.address;
  }

  /**
   * Takes the WebSocket requests of an `http` or `https` server. Several servers may attach to one, and are told apart
   * by their `path`; a request that none of them takes gets 404, unless others listen to the server's `upgrade` too.
   *
   * @throws {TypeError} ERR_OPTION_TYPE when it is no such server: the application of a framework, say, or what
   * `Deno.serve` and `Bun.serve` answer.
   */
  attach(server: HttpServer): this {
    this.#detach.push(attach(server, this));
    return this;
  }

  /** Whether this server takes requests for `path`. */
  takes(path: string): boolean {
    return this.#options.path === undefined || this.#options.path === path;
  }

  /** Takes one request that a web server has read; it is answered in any case. */
  upgrade(env: ServerEnvironment): void {
    this.#open(requestOf(env), host.wrap(env.socket, env.head), undefined);
  }

  /**
   * Takes a socket that someone else accepted, and reads the opening handshake from it: a socket of the runtime's, a
   * pair of web streams, or a `Transport` of `hybi/driver`. Resolves when the socket is closed, which a handler that
   * owns the socket (workerd's `connect`) awaits. A closed server answers 503.
   *
   * @throws {TypeError} ERR_OPTION_TYPE when it is none of these.
   */
  async accept(socket: unknown): Promise<void> {
    const transport = isTransport(socket) ? socket : host.wrap(socket);
    await new Promise<void>((resolve) => this.#accept(transport, resolve));
  }

  /**
   * Takes no new connections and closes the others, with 1001 if nothing else is said. Resolves when all are closed,
   * which `closeTimeout` bounds. A web server that this one is attached to goes on.
   *
   * @throws {RangeError} ERR_CLOSE_CODE, ERR_CONTROL_TOO_LONG, before anything is closed.
   */
  close({ code = GOING_AWAY, reason = "" }: { code?: number; reason?: string } = {}): Promise<void> {
    checkClose(this.#settings.codec, code, reason);
    this.#isClosing = true;
    return (this.#closed ??= this.#close(code, reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(code: number, reason: string): Promise<void> {
    for (const detach of this.#detach.splice(0)) detach();
    this.#listener = undefined;
    // One that is still to begin is closed as well, and one that cannot begin needs no closing.
    const listener = await this.#listening?.catch(() => undefined);
    await listener?.close();
    for (const reader of this.#readers) reader.refuse(closing());
    for (const connection of this.connections) void connection.close(code, reason);
    if (this.connections.size > 0) await new Promise<void>((resolve) => (this.#resolveEmpty = resolve));
    this.emit("close");
  }

  #accept(transport: Transport, closed?: () => void): void {
    const { handshakeTimeout = defaults.handshakeTimeout } = this.#options;
    const reader = new RequestReader(host, transport, handshakeTimeout, {
      request: (request, from, head) => this.#open(request, from, head, closed),
      gone: (which, isClosed) => {
        this.#readers.delete(which);
        if (isClosed) closed?.();
      },
    });
    this.#readers.add(reader);
  }

  #open(
    request: OpeningRequest | RefusalError,
    transport: Transport,
    head: Uint8Array | undefined,
    closed?: () => void,
  ): void {
    let decided = request;
    if (this.#isClosing) decided = closing();
    else if (!(request instanceof RefusalError) && !this.takes(request.path))
      decided = new RefusalError(404, "There is no WebSocket at this path.");
    const connection = new ServerConnection(this.#settings, { request: decided, transport, head }, this.#owner);
    if (closed) this.#accepted.set(connection, closed);
    connection.startConnection();
  }

  /** @internal */
  protected override listenerFailed(thrown: unknown, event: string, args: readonly unknown[]): void {
    const error = handlerError(thrown, event);
    if (event === "error" || !this.emit("error", error)) host.reportError(error);
    // Nobody has set it up, so nobody would ever answer on it.
    if (event === "connection") void (args[0] as ServerConnection).close(INTERNAL_ERROR);
  }
}

function closing(): RefusalError {
  return new RefusalError(503, "The server is closing.", [["Retry-After", "10"]]);
}

/** Of a server's options those that each of its connections gets. */
function connectionPart(options: ServerOptions): ConnectionOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in connectionChecks));
}
