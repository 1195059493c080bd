import { BodyReader } from "../protocol/body.ts";
import { isInterim, readResponse, writeRequest } from "../protocol/client-handshake.ts";
import { ConnectionError } from "../errors.ts";
import { HandshakeError } from "../protocol/errors.ts";
import { parseExtensions } from "../protocol/extension.ts";
import { HeadReader, type ResponseHead } from "../protocol/head.ts";
import { callable, type Check } from "../protocol/options.ts";
import { parseUrl, type Endpoint } from "../protocol/url.ts";
import { abortSignal, handshakeTimedOut, whenAborted } from "./abort.ts";
import { Connection } from "./connection.ts";
import { Link } from "./link.ts";
import { connectionChecks, tlsOption, type ConnectionOptions } from "./options.ts";
import { settingsOf, type Settings } from "./settings.ts";
import { isTransport, type Host, type TlsOptions, type Transport } from "./transport.ts";

/** Where a client's `dial` option is asked to go. */
export interface DialTarget {
  /** Name or address; IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The URL's scheme asks for TLS, which is for the one who dials to speak. */
  readonly secure: boolean;
  /** Raised when the client gives up. */
  readonly signal: AbortSignal;
}

export interface ClientOptions extends ConnectionOptions {
  /**
   * Opens the socket in the runtime's place: through a proxy, a tunnel, or on a runtime that hybi does not know. Its
   * answer is a connected socket of the runtime's, a pair of web streams, or a `Transport` of `hybi/driver`.
   */
  readonly dial?: (target: DialTarget) => unknown;
  /** For `wss:`: what to trust and who to be. */
  readonly tls?: TlsOptions;
  /** Gives the opening handshake up, with ERR_ABORTED; once the connection is open it has no effect. */
  readonly signal?: AbortSignal;
}

const clientChecks: Record<keyof ClientOptions, Check> = {
  ...connectionChecks,
  dial: callable,
  tls: tlsOption,
  signal: abortSignal,
};

/** The client's side of a connection. */
export class ClientConnection extends Connection {
  /** @internal */
  declare protected readonly link: Link;
  /** The URL, as it was given. */
  readonly url: string;
  readonly #endpoint: Endpoint;
  readonly #clientOptions: ClientOptions;
  /** Raised when the client gives up; undefined once it is open, when nobody must take it for that any more. */
  #dialing: AbortController | undefined = new AbortController();
  /** Stops listening to the signal of the options. */
  #ignoreSignal: (() => void) | undefined;
  #started = false;
  #accept = "";
  #reader: HeadReader<"response"> | undefined;
  #response: ResponseHead | undefined;
  #refusal: { readonly error: HandshakeError; readonly body: BodyReader } | undefined;

  /**
   * @throws {TypeError} ERR_URL, ERR_HEADER, ERR_SUBPROTOCOL, ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
   * @throws {RangeError} ERR_OPTION_RANGE
   * @internal
   */
  constructor(host: Host, url: string | { readonly href: string }, options: ClientOptions) {
    const settings = settingsOf("client", host, options, clientChecks);
    super(settings, (owner) => new Link(settings, owner));
    this.#endpoint = parseUrl(url);
    this.url = typeof url === "string" ? url : url.href;
    this.#clientOptions = options;
    this.#reader = new HeadReader("response", this.settings);
  }

  /** @internal */
  protected override get settings(): Settings {
    return this.link.settings;
  }

  /** The server's answer to the opening handshake, once it has come. */
  get response(): Pick<ResponseHead, "status" | "headers"> | undefined {
    return this.#response;
  }

  /** The elements of `Sec-WebSocket-Extensions` that the server has answered, or "". @internal */
  get extensionResponse(): string {
    return this.#response?.headers.get("sec-websocket-extensions") ?? "";
  }

  /** Dials, and sends the opening handshake. `tls` takes the place of the option given before. */
  override startConnection(tls: TlsOptions = this.#clientOptions.tls ?? {}): boolean {
    if (this.#started || this.readyState !== "connecting") return false;
    tlsOption(tls, "tls");
    this.#started = true;
    const { signal } = this.#clientOptions;
    if (signal) this.#ignoreSignal = whenAborted(signal, (error) => this.#aborted(error));
    if (signal?.aborted) return true;
    this.link.limit(this.settings.handshakeTimeout);
    void this.#dial(tls);
    return true;
  }

  /** @internal */
  override handshakeExpired(): void {
    if (this.#refusal) return this.#refused();
    this.fail(handshakeTimedOut(this.settings.handshakeTimeout));
  }

  #aborted(error: ConnectionError): void {
    if (this.readyState === "connecting") this.fail(error);
  }

  async #dial(tls: TlsOptions): Promise<void> {
    const { secure, hostname, port, unix } = this.#endpoint;
    const { signal } = this.#dialing!;
    let transport: Transport;
    try {
      if (this.#clientOptions.dial) {
        // In a turn of its own, so that nobody misses what it throws.
        const socket = await Promise.resolve({ hostname, port, secure, signal }).then(this.#clientOptions.dial);
        transport = isTransport(socket) ? socket : this.settings.host.wrap(socket);
      } else {
        const secured = secure ? { serverName: hostname, ...tls } : undefined;
        const { window } = this.settings.codec;
        transport = await this.settings.host.dial({ hostname, port, path: unix, tls: secured, window, signal });
      }
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      this.fail(new ConnectionError("ERR_CONNECT", `${this.#endpoint.host} could not be reached: ${text}`, { cause }));
      return;
    }
    if (this.readyState !== "connecting") {
      transport.destroy();
      return;
    }
    this.link.start(transport);
    try {
      transport.write([this.#request()], () => undefined);
    } catch (error) {
      // What an extension offers, say: nobody awaits this, so it must not reject.
      this.fail(error as Error);
    }
  }

  #request(): Uint8Array {
    const { target, host, credentials } = this.#endpoint;
    const nonce = new Uint8Array(16);
    this.settings.host.random(nonce);
    const key = this.settings.codec.base64(nonce);
    this.#accept = this.settings.codec.acceptKey(key);
    const headers = [...this.headers];
    if (credentials !== undefined && !headers.some(([name]) => name.toLowerCase() === "authorization")) {
      headers.push([
        "Authorization",
        `Basic ${this.settings.codec.base64(this.settings.codec.text.encodeBytes(credentials))}`,
      ]);
    }
    const offers = this.settings.extensions.flatMap((extension) => extension.offer());
    return writeRequest({
      target,
      host,
      key,
      subprotocols: this.settings.acceptProtocols,
      extensions: offers,
      headers,
    });
  }

  /** @internal */
  override handshakeData(chunk: Uint8Array): Uint8Array | undefined {
    try {
      return this.#refusal ? this.#refusalData(chunk) : this.#headData(chunk);
    } catch (error) {
      this.fail(error as Error);
      return undefined;
    }
  }

  #headData(chunk: Uint8Array): Uint8Array | undefined {
    let reader = this.#reader!;
    let rest = reader.push(chunk);
    while (rest && isInterim(reader.head.status)) {
      this.#reader = reader = new HeadReader("response", this.settings);
      rest = reader.push(rest);
    }
    if (!rest) return undefined;
    this.#response = reader.head;
    this.#reader = undefined;
    // A listener of `open` may use the codec, and the chunk may lie in its window.
    rest = new Uint8Array(rest);
    try {
      this.#open(this.#response);
    } catch (error) {
      // Behind a 101 there is no content, however wrong it is.
      if (!(error instanceof HandshakeError) || error.status === 101) throw error;
      this.#refusal = { error, body: new BodyReader(error.headers, error.status) };
      return this.#refusalData(rest);
    }
    return rest;
  }

  #open(response: ResponseHead): void {
    const { acceptProtocols, extensions } = this.settings;
    const expected = { accept: this.#accept, subprotocols: acceptProtocols, extensions };
    const { subprotocol, sessions } = readResponse(response, expected);
    const responses = parseExtensions(this.extensionResponse) ?? [];
    try {
      this.opened({ subprotocol, sessions, extensions: responses.map(({ name }) => name) });
    } catch (error) {
      for (const session of sessions) session.close();
      throw error;
    }
    this.#dialing = undefined;
    this.#ignoreSignal?.();
    this.#ignoreSignal = undefined;
    // What was queued may have cost the connection already.
    if (this.readyState === "open") this.emit("open");
  }

  #refusalData(chunk: Uint8Array): undefined {
    if (this.#refusal!.body.push(chunk)) this.#refused();
  }

  #refused(): void {
    const { error, body } = this.#refusal!;
    error.body = body.bytes;
    this.fail(error);
  }

  /** @internal */
  override handshakeEnded(cause?: Error): void {
    // What is known of the refusal says more than how the transport ended behind it.
    if (this.#refusal) return this.#refused();
    const how = cause ? `: ${cause.message}` : "";
    const text = `The server ended the connection before it answered the opening handshake${how}.`;
    this.fail(new ConnectionError("ERR_CONNECT", text, { cause }));
  }

  /** @internal */
  protected override ended(): void {
    this.#dialing?.abort();
    this.#ignoreSignal?.();
  }

  /** @internal */
  override handshakeAbandoned(): void {
    this.#dialing?.abort();
    this.link.finish(() => new ConnectionError("ERR_CLOSED", "The connection was given up before it was open."));
  }
}
