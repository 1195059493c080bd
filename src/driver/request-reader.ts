import { HeadError } from "../protocol/errors.ts";
import { HeadReader } from "../protocol/head.ts";
import { RefusalError } from "../protocol/refusal.ts";
import { readRequest, type OpeningRequest } from "../protocol/server-handshake.ts";
import type { Settings } from "./settings.ts";
import type { Transport, TransportHandler } from "./transport.ts";
import { Deadline, wheelOf, type Wheel } from "./wheel.ts";

/** Who gets the request that a {@link RequestReader} has read. */
interface RequestOwner {
  /**
   * The head is read; `head` is what came behind it, if anything did, in memory of its own, and `left` are the
   * milliseconds left for the rest of the handshake.
   */
  request(
    request: OpeningRequest | RefusalError,
    transport: Transport,
    head: Uint8Array | undefined,
    left: number,
  ): void;
  /** The reader is done: the request follows, unless the transport was closed before there was one. */
  gone(reader: RequestReader, isClosed: boolean): void;
}

/** Reads the opening handshake from a fresh transport, within its limits and its time (RFC 6455 §4.2.1). */
export class RequestReader extends Deadline implements TransportHandler {
  readonly transport: Transport;
  readonly #owner: RequestOwner;
  readonly #reader: HeadReader<"request">;
  readonly #wheel: Wheel;
  #isOver = false;

  constructor(settings: Settings, transport: Transport, owner: RequestOwner) {
    super();
    this.transport = transport;
    this.#owner = owner;
    this.#reader = new HeadReader("request", settings);
    this.#wheel = wheelOf(settings.host, transport);
    this.#wheel.set(this, settings.handshakeTimeout);
    transport.start(this);
  }

  /** {@link Deadline.expired} */
  expired(): void {
    this.refuse(new RefusalError(408, "The opening handshake took too long.", [], { reason: "timeout" }));
  }

  data(chunk: Uint8Array): void {
    if (this.#isOver) return;
    let request: OpeningRequest | RefusalError;
    let rest: Uint8Array | undefined;
    try {
      rest = this.#reader.push(chunk);
      if (!rest) return;
      request = readRequest(this.#reader.head);
    } catch (error) {
      if (error instanceof RefusalError) request = error;
      else if (error instanceof HeadError)
        request = new RefusalError(error.status, error.message, [], { reason: "request" });
      else throw error;
    }
    this.#done(request, rest && rest.length > 0 ? new Uint8Array(rest) : undefined);
  }

  end(): void {
    this.transport.end();
  }

  close(): void {
    this.#stop(true);
  }

  #stop(isClosed: boolean): void {
    this.#isOver = true;
    this.#wheel.cancel(this);
    this.#owner.gone(this, isClosed);
  }

  /** Stops reading: the client gets this answer. */
  refuse(refusal: RefusalError): void {
    this.#done(refusal);
  }

  #done(request: OpeningRequest | RefusalError, head?: Uint8Array): void {
    const left = this.#wheel.left(this);
    this.#stop(false);
    this.#owner.request(request, this.transport, head, left);
  }
}
