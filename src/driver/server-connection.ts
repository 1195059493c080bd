import { negotiate, type NegotiatedExtensions } from "../protocol/extension.ts";
import { ConnectionError } from "../errors.ts";
import { RefusalError } from "../protocol/errors.ts";
import { writeRefusal, writeResponse, type OpeningRequest } from "../protocol/server-handshake.ts";
import { selectSubprotocol } from "../protocol/subprotocol.ts";
import { Connection } from "./connection.ts";
import type { Settings } from "./settings.ts";
import type { Transport } from "./transport.ts";

/** What a server connection is made of: the request, or why it is refused, and the transport it came over. */
export interface Opening {
  readonly request: OpeningRequest | RefusalError;
  readonly transport: Transport;
  /** Bytes that were read behind the request, in memory of their own. */
  readonly head?: Uint8Array | undefined;
}

/** Who keeps the books of server connections; listeners are the user's, and may be taken away. */
export interface ConnectionOwner {
  /** Messages can be sent; the `open` event is still to come. */
  opened(connection: ServerConnection): void;
  refused(refusal: RefusalError): void;
  /** The `close` event is still to come. */
  closed(connection: ServerConnection): void;
}

/** The server's side of a connection. */
export class ServerConnection extends Connection {
  /** The client's opening handshake; undefined when it broke the rules and is to be refused. */
  readonly request: OpeningRequest | undefined;
  /** Until it is started. */
  #opening: Opening | undefined;
  readonly #owner: ConnectionOwner | undefined;

  /** @internal */
  constructor(settings: Settings, opening: Opening, owner?: ConnectionOwner) {
    super(settings);
    this.#opening = opening;
    this.#owner = owner;
    this.request = opening.request instanceof RefusalError ? undefined : opening.request;
  }

  override startConnection(): boolean {
    if (!this.#opening || this.readyState !== "connecting") return false;
    const { request, transport, head } = this.#opening;
    this.#opening = undefined;
    this.link.start(transport);
    if (request instanceof RefusalError) return this.#refuse(request);
    let extensions: NegotiatedExtensions | undefined;
    try {
      extensions = negotiate(request.extensions, this.settings.extensions);
      const subprotocol = selectSubprotocol(request.subprotocols, this.settings.acceptProtocols);
      const response = writeResponse({
        accept: this.codec.acceptKey(request.key),
        subprotocol,
        extensions: extensions.responses,
        headers: this.headers,
      });
      const names = extensions.responses.map(({ name }) => name);
      this.opened({ subprotocol, sessions: extensions.sessions, extensions: names }, response);
    } catch (error) {
      for (const session of extensions?.sessions ?? []) session.close();
      return this.#refuse(refusalFor(error));
    }
    this.#owner?.opened(this);
    if (this.link.readyState === "open") this.emit("open");
    if (head && head.length > 0) this.link.data(head);
    return true;
  }

  #refuse(refusal: RefusalError): false {
    this.link.refuse(writeRefusal(refusal));
    this.#owner?.refused(refusal);
    this.emit("error", refusal);
    return false;
  }

  /** @internal */
  protected override ended(): void {
    this.#owner?.closed(this);
  }

  /** The request was read before there was a connection. @internal */
  override handshakeData(): undefined {
    return undefined;
  }

  /** @internal */
  override handshakeEnded(): void {
    this.link.terminate();
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
    return new RefusalError(503, "The server has no room for another connection.", [["Retry-After", "10"]], { cause });
  return new RefusalError(500, "The server could not open the connection.", [], { cause });
}
