import { HeadError, RefusalError } from "../protocol/errors.ts";
import { HeadReader } from "../protocol/head.ts";
import { readRequest, writeRefusal, type OpeningRequest } from "../protocol/server-handshake.ts";
import type { Host, Transport, TransportHandler } from "./transport.ts";

/** Who gets the request that a {@link RequestReader} has read. */
export interface RequestOwner {
  /** The head is read; `head` is what came behind it, in memory of its own. */
  request(request: OpeningRequest | RefusalError, transport: Transport, head: Uint8Array): void;
  /** The transport ended before there was a request, or after it was refused here. */
  gone(reader: RequestReader): void;
}

/** Reads the opening handshake from a fresh transport, within its limits and its time (RFC 6455 §4.2.1). */
export class RequestReader implements TransportHandler {
  readonly #transport: Transport;
  readonly #owner: RequestOwner;
  readonly #reader = new HeadReader("request");
  readonly #cancelTimer: () => void;
  #isOver = false;

  constructor(host: Host, transport: Transport, handshakeTimeout: number, owner: RequestOwner) {
    this.#transport = transport;
    this.#owner = owner;
    this.#cancelTimer = host.setTimer(() => this.#timeout(), handshakeTimeout);
    transport.start(this);
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
      else if (error instanceof HeadError) request = new RefusalError(error.status, error.message);
      else throw error;
    }
    this.#isOver = true;
    this.#cancelTimer();
    this.#owner.gone(this);
    this.#owner.request(request, this.#transport, rest ? rest.slice() : new Uint8Array(0));
  }

  end(): void {
    this.#transport.end();
  }

  close(): void {
    this.#isOver = true;
    this.#cancelTimer();
    this.#owner.gone(this);
  }

  /** Ends the transport, and tells a client that is still there why. */
  refuse(refusal: RefusalError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transport.write([writeRefusal(refusal)], () => this.#transport.destroy());
  }

  #timeout(): void {
    this.refuse(new RefusalError(408, "The opening handshake took too long."));
  }
}
