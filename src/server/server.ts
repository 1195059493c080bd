import { host } from "#host";
import { Admission } from "./admission.ts";
import { attach, type HttpServer } from "./attach.ts";
import { drain } from "./drain.ts";
import { requestOf, type ServerEnvironment } from "../driver/driver.ts";
import { Emitter, handlerError } from "../driver/emitter.ts";
import { connectionChecks, type ConnectionOptions } from "../driver/options.ts";
import { RequestReader } from "../driver/request-reader.ts";
import { checkClose } from "../driver/sending.ts";
import { ServerConnection, type ConnectionOwner, type Opening } from "../driver/server-connection.ts";
import { settingsOf, type Settings } from "../driver/settings.ts";
import { isTransport, type Listener, type Transport } from "../driver/transport.ts";
import type { Acceptance, UpgradeRequest } from "../driver/upgrade.ts";
import { Alarm, wheelOf } from "../driver/wheel.ts";
import { GOING_AWAY, INTERNAL_ERROR } from "../protocol/close.ts";
import { typeError } from "../errors.ts";
import { comeBack, RefusalError } from "../protocol/refusal.ts";
import { amount, checkOptions, object, text, unchecked } from "../protocol/options.ts";
import type { OpeningRequest } from "../protocol/server-handshake.ts";
import { serverChecks, type ServerOptions } from "./options.ts";
import { Ledger, type ServerStats } from "./stats.ts";

export interface ServerEvents<Data = undefined> {
  /** The server listens, there. */
  listening: [address: Listener["address"]];
  /** A connection is open. Listeners that are added here miss nothing. */
  connection: [connection: ServerConnection<Data>, request: OpeningRequest];
  /** A request was refused; the server goes on. */
  refused: [error: RefusalError];
  /** A listener of this server threw, or its `upgrade` hook did. */
  error: [error: Error];
  /** The server is closed, and with it its last connection. */
  close: [];
}

/** How a server closes. */
export interface ServerCloseOptions {
  /** For the Close frames. Default: 1001. */
  readonly code?: number;
  /** For the Close frames, at most 123 bytes of UTF-8. */
  readonly reason?: string;
  /** Milliseconds, from 0, until the connections that are left are ended. Default: 10,000. */
  readonly timeout?: number;
}

const closeChecks = { code: unchecked, reason: unchecked, timeout: amount };
const acceptanceChecks = { data: unchecked, protocol: text, headers: object };

/** Refused clients that may still hold their sockets; others are cut off without an answer. */
const MAX_REFUSED = 1024;

/** Takes WebSocket connections: on a port of its own, or on that of a web server. */
export class Server<Data = undefined> extends Emitter<ServerEvents<Data>> {
  /** The connections that are open. */
  readonly connections = new Set<ServerConnection<Data>>();
  readonly #options: ServerOptions<Data>;
  readonly #settings: Settings;
  readonly #admission: Admission;
  readonly #ledger = new Ledger();
  readonly #readers = new Set<RequestReader>();
  /** Those that the `upgrade` hook decides about, and those that were refused and still have their sockets. */
  readonly #opening = new Set<ServerConnection<Data>>();
  readonly #refused = new Set<ServerConnection<Data>>();
  /** Who awaits the end of a connection that {@link accept} took. */
  readonly #accepted = new Map<ServerConnection<Data>, () => void>();
  readonly #detach: (() => void)[] = [];
  #listening: Promise<Listener> | undefined;
  #listener: Listener | undefined;
  readonly #owner: ConnectionOwner<Data> = {
    addressOf: (transport, request) => this.#admission.addressOf(transport, request),
    opened: (connection) => {
      this.#opening.delete(connection);
      this.connections.add(connection);
      this.#ledger.opened++;
      this.emit("connection", connection, connection.request!);
    },
    refused: (connection, refusal) => {
      this.#opening.delete(connection);
      this.#refused.add(connection);
      this.#ledger.refused(refusal);
      if (refusal.reason === "error") this.#report((refusal.cause as Error | undefined) ?? refusal);
      this.emit("refused", refusal);
    },
    closed: (connection) => this.#closedOne(connection),
  };
  #isClosing = false;
  #closed: Promise<void> | undefined;
  #resolveEmpty: (() => void) | undefined;

  /**
   * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE, ERR_HEADER, ERR_SUBPROTOCOL
   * @throws {RangeError} ERR_OPTION_RANGE
   */
  constructor(options: ServerOptions<Data> = {}) {
    super();
    checkOptions(options, serverChecks);
    this.#options = options;
    this.#settings = settingsOf("server", host, connectionPart(options));
    this.#admission = new Admission(options);
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
    const { port, unix, tls, backlog } = this.#options;
    const { handshakeTimeout } = this.#settings;
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
    return this.#admission.takes(path);
  }

  /** Takes one request that a web server has read; it is answered in any case. */
  upgrade(env: ServerEnvironment): void {
    this.#open({ request: requestOf(env), transport: host.wrap(env.socket, env.head) });
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
   * Closes the connections, with 1001 if nothing else is said, in small groups, so that their clients do not all come back
   * at once; newcomers get 503 in the meantime. Those that are left after `timeout` are ended. Resolves when all are
   * closed, and the port is free. A web server that this one is attached to goes on. Called again, it can hurry.
   *
   * @throws {RangeError} ERR_CLOSE_CODE, ERR_CONTROL_TOO_LONG, ERR_OPTION_RANGE, before anything is closed.
   * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE, ERR_DATA_TYPE
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    checkOptions(options, closeChecks);
    const { code = GOING_AWAY, reason = "", timeout = 10_000 } = options;
    checkClose(this.#settings.codec, code, reason);
    this.#isClosing = true;
    const wheel = wheelOf(host);
    const deadline = new Alarm(() => this.#terminate());
    wheel.set(deadline, timeout);
    this.#closed ??= this.#close(code, reason, timeout);
    return this.#closed.finally(() => wheel.cancel(deadline));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What has happened so far, and what there is now: plain data. */
  stats(): ServerStats {
    return this.#ledger.stats(this.connections, this.#readers.size + this.#opening.size, this.#settings.counters);
  }

  async #close(code: number, reason: string, timeout: number): Promise<void> {
    for (const reader of this.#readers) reader.refuse(closing());
    for (const connection of this.#opening) connection.refuse(closing());
    await drain([...this.connections], (connection) => void connection.close(code, reason), host, timeout);
    if (this.connections.size > 0) await new Promise<void>((resolve) => (this.#resolveEmpty = resolve));
    for (const detach of this.#detach.splice(0)) detach();
    this.#listener = undefined;
    // One that is still to begin is closed as well, and one that cannot begin needs no closing.
    const listener = await this.#listening?.catch(() => undefined);
    await listener?.close();
    this.emit("close");
  }

  #terminate(): void {
    for (const connection of [...this.connections, ...this.#refused]) connection.terminate();
  }

  #closedOne(connection: ServerConnection<Data>): void {
    if (this.connections.delete(connection)) this.#ledger.closed(connection.closeCode!);
    this.#opening.delete(connection);
    this.#refused.delete(connection);
    this.#admission.leave(connection.socket!);
    this.#accepted.get(connection)?.();
    this.#accepted.delete(connection);
    if (this.connections.size === 0) this.#resolveEmpty?.();
  }

  #accept(transport: Transport, closed?: () => void): void {
    // Who cannot come in is told so before anything is read.
    const refusal = this.#refusalNow() ?? this.#admission.enter(transport);
    if (refusal && this.#refused.size >= MAX_REFUSED) return this.#cutOff(transport, closed);
    if (refusal) return this.#open({ request: refusal, transport }, closed);
    const reader = new RequestReader(this.#settings, transport, {
      request: (request, from, head, left) => this.#open({ request, transport: from, head, left }, closed),
      gone: (which, isClosed) => {
        this.#readers.delete(which);
        if (!isClosed) return;
        this.#admission.leave(which.transport);
        closed?.();
      },
    });
    this.#readers.add(reader);
  }

  /** Why nobody can come in now, if so. */
  #refusalNow(): RefusalError | undefined {
    if (this.#isClosing) return closing();
    const count = this.connections.size + this.#readers.size + this.#opening.size;
    return this.#admission.isFull(count) ? comeBack("The server is full.", { reason: "connections" }) : undefined;
  }

  #cutOff(transport: Transport, closed: (() => void) | undefined): void {
    transport.start({ data: () => undefined, end: () => undefined, close: () => closed?.() });
    transport.destroy();
  }

  #open(opening: Opening<Data>, closed?: () => void): void {
    let { request } = opening;
    if (!(request instanceof RefusalError))
      request = this.#refusalNow() ?? this.#admission.refusalOf(request, opening.transport) ?? request;
    const decide = this.#options.upgrade && ((asked: UpgradeRequest) => this.#decide(asked));
    const connection = new ServerConnection<Data>(this.#settings, { ...opening, request, decide }, this.#owner);
    if (closed) this.#accepted.set(connection, closed);
    if (!(request instanceof RefusalError)) this.#opening.add(connection);
    connection.startConnection();
  }

  /** Asks the `upgrade` hook. */
  async #decide(request: UpgradeRequest): Promise<Acceptance<Data> | RefusalError> {
    try {
      const decision: unknown = await this.#options.upgrade!(request);
      if (decision === undefined || decision instanceof RefusalError) return decision ?? {};
      object(decision, "What the upgrade hook answers");
      checkOptions(decision as object, acceptanceChecks);
      return decision as Acceptance<Data>;
    } catch (error) {
      if (error instanceof RefusalError) return error;
      const cause = handlerError(error, "upgrade");
      return new RefusalError(500, "The server could not decide about this connection.", [], {
        cause,
        reason: "error",
      });
    }
  }

  #report(error: Error): void {
    if (!this.emit("error", error)) host.reportError(error);
  }

  /** @internal */
  protected override listenerFailed(thrown: unknown, event: string, args: readonly unknown[]): void {
    const error = handlerError(thrown, event);
    if (event === "error") host.reportError(error);
    else this.#report(error);
    // Nobody has set it up, so nobody would ever answer on it.
    if (event === "connection") void (args[0] as ServerConnection).close(INTERNAL_ERROR);
  }
}

function closing(): RefusalError {
  return comeBack("The server is closing.", { reason: "closing" });
}

/** Of a server's options those that each of its connections gets. */
function connectionPart(options: object): ConnectionOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in connectionChecks));
}
