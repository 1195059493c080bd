import { negotiate, type NegotiatedExtensions } from "../protocol/extension.ts";
import { ConnectionError, typeError } from "../errors.ts";
import { headerList } from "../protocol/headers.ts";
import { comeBack, RefusalError, writeRefusal } from "../protocol/refusal.ts";
import { writeResponse, type OpeningRequest } from "../protocol/server-handshake.ts";
import { selectSubprotocol } from "../protocol/subprotocol.ts";
import { Connection } from "./connection.ts";
import { observed } from "./diagnostics.ts";
import { Link } from "./link.ts";
import type { Settings } from "./settings.ts";
import type { Transport } from "./transport.ts";
import type { Acceptance, UpgradeRequest } from "./upgrade.ts";

/** What a server connection is made of: the request, or why it is refused, and the transport it came over. */
export interface Opening<Data> {
  readonly request: OpeningRequest | RefusalError;
  readonly transport: Transport;
  /** Bytes that were read behind the request, in memory of their own. */
  readonly head?: Uint8Array | undefined;
  /** Who decides whether to accept; never rejects. Without it everyone is accepted. */
  readonly decide?: ((request: UpgradeRequest) => Promise<Acceptance<Data> | RefusalError>) | undefined;
  /** Milliseconds for the decision. */
  readonly left?: number;
}

/** Who keeps the books of server connections; listeners are the user's, and may be taken away. */
export interface ConnectionOwner<Data> {
  /** Messages can be sent; the `open` event is still to come. */
  opened(connection: ServerConnection<Data>): void;
  refused(connection: ServerConnection<Data>, refusal: RefusalError): void;
  /** The `close` event is still to come, of one that was refused too. */
  closed(connection: ServerConnection<Data>): void;
  /** The address of the client behind this transport. */
  addressOf(transport: Transport, request: OpeningRequest | undefined): string | undefined;
}

/** Bytes that are kept while the hook decides, before the client has to wait. */
const MAX_EARLY = 65536;

/** A decision that is awaited. */
interface Deciding {
  readonly abort: AbortController;
  /** What the client sent in the meantime. */
  readonly early: Uint8Array[];
  length: number;
}

/** The server's side of a connection. */
export class ServerConnection<Data = undefined> extends Connection {
  /** The client's opening handshake; undefined when it broke the rules and is to be refused. */
  readonly request: OpeningRequest | undefined;
  /** @internal */
  declare protected readonly link: Link;
  /** What the server's `upgrade` hook gave. */
  data!: Data;
  #address: string | undefined;
  /** Until it is started. */
  #opening: Opening<Data> | undefined;
  #deciding: Deciding | undefined;
  readonly #owner: ConnectionOwner<Data> | undefined;

  /** @internal */
  constructor(settings: Settings, opening: Opening<Data>, owner?: ConnectionOwner<Data>) {
    super(settings, (owner) => new Link(settings, owner));
    this.#opening = opening;
    this.#owner = owner;
    this.request = opening.request instanceof RefusalError ? undefined : opening.request;
  }

  /** @internal */
  protected override get settings(): Settings {
    return this.link.settings;
  }

  /**
   * The client's address, by the word of trusted proxies if there are any; undefined where the runtime does not tell. Once
   * asked for it stays; most runtimes no longer tell when the connection has ended.
   */
  get address(): string | undefined {
    const transport = this.socket ?? this.#opening!.transport;
    this.#address ??= this.#owner ? this.#owner.addressOf(transport, this.request) : transport.remoteAddress;
    return this.#address;
  }

  override startConnection(): boolean {
    if (!this.#opening || this.readyState !== "connecting") return false;
    const { request, transport, head, decide, left = this.settings.handshakeTimeout } = this.#opening;
    this.#opening = undefined;
    this.link.start(transport);
    if (request instanceof RefusalError) return this.refuse(request);
    if (!decide) return this.#accept(request, {}, head ? [head] : []);
    this.#deciding = { abort: new AbortController(), early: [], length: 0 };
    if (head) this.handshakeData(head);
    this.link.limit(left);
    void this.#decide(request, decide);
    return true;
  }

  async #decide(request: OpeningRequest, decide: NonNullable<Opening<Data>["decide"]>): Promise<void> {
    const { secure, peerCertificate } = this.socket!;
    const { abort, early } = this.#deciding!;
    const { signal } = abort;
    const { key, host } = request;
    const decision = await decide({ ...request, key, host, address: this.address, secure, peerCertificate, signal });
    // The client may be gone, or have got another answer.
    if (this.readyState !== "connecting") return;
    this.#decided();
    if (decision instanceof RefusalError) this.refuse(decision);
    else this.#accept(request, decision, early);
  }

  #decided(): void {
    if ((this.#deciding?.length ?? 0) >= MAX_EARLY) this.link.resume();
    this.#deciding = undefined;
  }

  /** The response, and what the client has sent behind its request. */
  #accept(request: OpeningRequest, { data, protocol, headers }: Acceptance<Data>, early: Uint8Array[]): boolean {
    let extensions: NegotiatedExtensions | undefined;
    try {
      if (protocol !== undefined && !request.subprotocols.includes(protocol))
        throw typeError("ERR_SUBPROTOCOL", `The client does not offer the subprotocol ${JSON.stringify(protocol)}.`);
      extensions = negotiate(request.extensions, this.settings.extensions);
      const subprotocol = protocol ?? selectSubprotocol(request.subprotocols, this.settings.acceptProtocols);
      const response = writeResponse({
        accept: this.settings.codec.acceptKey(request.key),
        subprotocol,
        extensions: extensions.responses,
        headers: headers ? [...this.headers, ...headerList(headers, "server")] : this.headers,
      });
      const names = extensions.responses.map(({ name }) => name);
      this.opened({ subprotocol, sessions: extensions.sessions, extensions: names }, response);
    } catch (error) {
      for (const session of extensions?.sessions ?? []) session.close();
      return this.refuse(refusalFor(error));
    }
    this.data = data as Data;
    this.#owner?.opened(this);
    if (this.link.readyState === "open") this.emit("open");
    for (const chunk of early) if (chunk.length > 0) this.link.data(chunk);
    return true;
  }

  /** Answers that the connection is not taken. @internal */
  refuse(refusal: RefusalError): false {
    this.#deciding?.abort.abort(refusal);
    this.#decided();
    this.link.refuse(writeRefusal(refusal));
    observed(this.settings.host, "hybi:refused")?.publish({ connection: this, error: refusal });
    this.#owner?.refused(this, refusal);
    this.emit("error", refusal);
    return false;
  }

  /** @internal */
  protected override ended(): void {
    this.#deciding?.abort.abort();
    this.#owner?.closed(this);
  }

  /** What comes while the hook decides is kept, in memory of its own. @internal */
  override handshakeData(chunk: Uint8Array): undefined {
    const deciding = this.#deciding;
    if (!deciding) return;
    deciding.early.push(new Uint8Array(chunk));
    deciding.length += chunk.length;
    if (deciding.length >= MAX_EARLY) this.link.pause();
  }

  /** @internal */
  override handshakeEnded(): void {
    this.link.terminate();
  }

  /** @internal */
  override handshakeExpired(): void {
    this.refuse(comeBack("The server took too long to decide about this connection.", { reason: "timeout" }));
  }

  /** @internal */
  override handshakeAbandoned(): void {
    // Terminated before it was started: the socket is still the web server's way of reaching the client.
    this.link.start(this.#opening!.transport);
    this.link.transport!.destroy();
  }
}

function refusalFor(cause: unknown): RefusalError {
  if (cause instanceof ConnectionError && cause.code === "ERR_NO_SLOT")
    return comeBack("The server has no room for another connection.", { cause, reason: "connections" });
  return new RefusalError(500, "The server could not open the connection.", [], { cause, reason: "error" });
}
