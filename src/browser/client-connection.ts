import { handshakeTimedOut, whenAborted } from "../driver/abort.ts";
import type { ClientOptions } from "../driver/client-connection.ts";
import { Connection } from "../driver/connection.ts";
import type { SendOptions } from "../driver/sending.ts";
import type { TlsOptions } from "../driver/transport.ts";
import { ConnectionError } from "../errors.ts";
import type { Data } from "../protocol/data.ts";
import { parseUrl, type Endpoint } from "../protocol/url.ts";
import { PageLink } from "./page-link.ts";
import { openSocket, type PageSocket } from "./page-socket.ts";
import { EXTENSIONS, FRAMES, HEADERS, PINGS, settingsOf, type PageSettings } from "./settings.ts";
import { unsupported } from "./unsupported.ts";

/** The client's side of a connection, over the browser's WebSocket. */
export class ClientConnection extends Connection {
  /** @internal */
  declare protected readonly link: PageLink;
  /** The URL, as it was given. */
  readonly url: string;
  readonly #endpoint: Endpoint;
  readonly #signal: AbortSignal | undefined;
  /** Stops listening to the signal of the options. */
  #ignoreSignal: (() => void) | undefined;
  #started = false;

  /**
   * @throws {TypeError} ERR_URL, ERR_SUBPROTOCOL, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_OPTION_RANGE
   * @throws {ConnectionError} ERR_UNSUPPORTED
   * @internal
   */
  constructor(url: string | { readonly href: string }, options: ClientOptions) {
    const settings = settingsOf(options);
    super(settings, (owner) => new PageLink(settings, owner));
    this.#endpoint = parseUrl(url);
    if (this.#endpoint.unix !== undefined) throw unsupported("A page cannot reach Unix domain sockets: use a port.");
    if (this.#endpoint.credentials !== undefined) throw unsupported(`No credentials in the URL. ${HEADERS}`);
    this.url = typeof url === "string" ? url : url.href;
    this.#signal = options.signal;
  }

  /** @internal */
  protected override get settings(): PageSettings {
    return this.link.settings;
  }

  /** A page is not shown the server's answer. */
  get response(): undefined {
    return undefined;
  }

  /** @internal */
  get extensionResponse(): string {
    return this.link.extensions;
  }

  override startConnection(tls?: TlsOptions): boolean {
    if (tls !== undefined) throw unsupported("The browser decides which servers to trust: give no TLS options.");
    if (this.#started) return false;
    this.#started = true;
    if (this.#signal) this.#ignoreSignal = whenAborted(this.#signal, (error) => this.fail(error));
    this.link.limit(this.settings.handshakeTimeout);
    // In a turn of its own, so that nobody misses what goes wrong.
    void Promise.resolve().then(() => this.#dial());
    return true;
  }

  #dial(): void {
    if (this.readyState !== "connecting") return;
    const { secure, host, target } = this.#endpoint;
    try {
      const socket = openSocket(`${secure ? "wss" : "ws"}://${host}${target}`, this.settings.acceptProtocols);
      this.link.start(socket, () => this.#open(socket));
    } catch (cause) {
      const { message } = cause as Error;
      this.fail(new ConnectionError("ERR_CONNECT", `${host} could not be reached: ${message}`, { cause }));
    }
  }

  #open({ protocol }: PageSocket): void {
    // Not every browser sees to it.
    if (protocol === "" && this.settings.acceptProtocols.length > 0)
      return this.fail(new ConnectionError("ERR_CONNECT", "The server took none of the subprotocols."));
    const names = this.extensionResponse.split(",").map((extension) => extension.split(";")[0]!.trim());
    this.opened({ subprotocol: protocol, sessions: [], extensions: names.filter((name) => name !== "") });
    this.#ignoreSignal?.();
    this.#ignoreSignal = undefined;
    // What was queued may have cost the connection already.
    if (this.readyState === "open") this.emit("open");
  }

  /** A page sees no bytes of it. @internal */
  override handshakeData(): undefined {
    return undefined;
  }

  /** @internal */
  override handshakeEnded(): void {
    const text = `${this.#endpoint.host} could not be reached, or refused: a page is not told which, nor why.`;
    this.fail(new ConnectionError("ERR_CONNECT", text));
  }

  /** @internal */
  override handshakeExpired(): void {
    this.fail(handshakeTimedOut(this.settings.handshakeTimeout));
  }

  /** @internal */
  override handshakeAbandoned(): void {
    this.link.finish();
  }

  /** @internal */
  protected override ended(): void {
    this.#ignoreSignal?.();
  }

  // --- what a page cannot do

  override setHeader(): never {
    throw unsupported(HEADERS);
  }

  override send(data: Data, options?: SendOptions): boolean {
    return super.send(data, sendable(options));
  }

  override sendText(data: Data, options?: Omit<SendOptions, "type">): boolean {
    return super.sendText(data, sendable(options));
  }

  override sendBinary(data: Data, options?: Omit<SendOptions, "type">): boolean {
    return super.sendBinary(data, sendable(options));
  }

  override sendPing(): never {
    throw unsupported(PINGS);
  }

  override sendPong(): never {
    throw unsupported(PINGS);
  }
}

/** @throws {ConnectionError} ERR_UNSUPPORTED */
function sendable(options: SendOptions | undefined): SendOptions | undefined {
  const { type, fin, compress } = Object(options) as SendOptions;
  if (type === "ping" || type === "pong") throw unsupported(PINGS);
  if (type === "continuation" || fin === false) throw unsupported(FRAMES);
  if (compress !== undefined) throw unsupported(EXTENSIONS);
  return options;
}
