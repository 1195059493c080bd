/**
 * workerd: the sockets of its `connect(socket)` handlers, and those of `cloudflare:sockets`. A socket belongs to the
 * handler that accepted or dialed it, and is gone when that handler is over.
 *
 * @module
 */
import { connect, type Socket } from "cloudflare:sockets";
import { sharedCodec } from "../codec/codec.ts";
import type { DialOptions, Host, TlsOptions, Transport, TransportHandler } from "../driver/transport.ts";
import { ConnectionError } from "../errors.ts";
import { host as base } from "./streams.ts";
import { Bell, isStreamPair, quietly, StreamsTransport, type Streams } from "./streams-transport.ts";

// Only while it starts does workerd compile WebAssembly.
sharedCodec();

/** Milliseconds after which a handler that waits looks again whether it still has to. */
const LOOK_AGAIN = 1000;

/** Has the handler that calls this wait, for workerd ends those that wait for nothing but another handler. */
function stay(isOver: () => boolean, fire: () => void, ms: number): void {
  setTimeout(
    () => {
      if (ms <= LOOK_AGAIN) fire();
      else if (!isOver()) stay(isOver, fire, ms - LOOK_AGAIN);
    },
    Math.min(ms, LOOK_AGAIN),
  );
}

class SocketTransport extends StreamsTransport {
  readonly #socket: Socket;
  /** What the handler that owns the socket is to do with timers: only who set one can clear it. */
  readonly #timing: (() => void)[] = [];
  readonly #bell = new Bell();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** The handler that owns the socket is at work. */
  #isInside = false;
  #isGone = false;

  constructor(socket: Socket, head?: Uint8Array) {
    super(socket, head);
    this.#socket = socket;
    // Of a socket that it accepted workerd does not tell whether it speaks TLS.
    this.secure = socket.secureTransport !== "off";
    void quietly(() => socket.closed);
    void quietly(async () => {
      const { remoteAddress } = await socket.opened;
      const [, hostname, port] = /^\[?(.*?)\]?:(\d+)$/.exec(remoteAddress ?? "") ?? [];
      this.remoteAddress = hostname;
      this.remotePort = port === undefined ? undefined : Number(port);
    });
    void this.#keepTime();
  }

  override start(handler: TransportHandler): void {
    super.start({
      data: (chunk) => this.#inside(() => handler.data(chunk)),
      end: () => this.#inside(() => handler.end()),
      close: (error) => handler.close(error),
    });
  }

  #inside(work: () => void): void {
    this.#isInside = true;
    try {
      work();
    } finally {
      this.#isInside = false;
    }
  }

  setTimer(callback: () => void, ms: number): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const fire = (): void => {
      if (isOver) return;
      isOver = true;
      this.#timers.delete(timer!);
      callback();
    };
    this.#time(() => {
      if (!isOver) this.#timers.add((timer = setTimeout(() => this.#inside(fire), ms)));
    });
    if (!this.#isInside) stay(() => isOver, fire, ms);
    return () => {
      isOver = true;
      this.#time(() => this.#clear(timer));
    };
  }

  #clear(timer: ReturnType<typeof setTimeout> | undefined): void {
    clearTimeout(timer);
    this.#timers.delete(timer!);
  }

  #time(work: () => void): void {
    this.#timing.push(work);
    this.#bell.ring();
  }

  /** Sets and clears timers as part of the handler that owns the socket, whoever asks for it. */
  async #keepTime(): Promise<void> {
    while (!this.#isGone) {
      for (const work of this.#timing.splice(0)) work();
      await this.#bell.sleep();
    }
    for (const timer of this.#timers) this.#clear(timer);
  }

  /** workerd keeps the TCP connection of a stream that was aborted; to be closed drops what is not sent as well. */
  protected override abandon({ writer }: Streams): void {
    void quietly(() => writer.close());
    void quietly(() => this.#socket.close());
    this.#isGone = true;
    this.#bell.ring();
  }
}

const unsupported = (text: string): ConnectionError => new ConnectionError("ERR_UNSUPPORTED", text);

/** Refuses what workers cannot say about TLS; what their configuration can say is named. */
function checkTls({ ca, cert, key, passphrase, verify }: TlsOptions): void {
  const where = 'the "tlsOptions" of the network service in workerd\'s configuration';
  if (ca !== undefined) throw unsupported(`"ca" goes to "trustedCertificates" in ${where}.`);
  if (cert !== undefined || key !== undefined || passphrase !== undefined)
    throw unsupported(`"cert" and "key" go, not encrypted, to "keypair" in ${where}.`);
  if (verify === false)
    throw unsupported(`workerd verifies every server: add its authority to "trustedCertificates" in ${where}.`);
}

/** Connects, and speaks TLS if asked to: with the name of the host, or with another one. */
async function open({ hostname, port, tls }: DialOptions, opening: (socket: Socket) => void): Promise<Socket> {
  const { serverName = hostname } = tls ?? {};
  const isOtherName = serverName !== hostname;
  const socket = connect(
    { hostname: hostname.includes(":") ? `[${hostname}]` : hostname, port },
    { secureTransport: !tls ? "off" : isOtherName ? "starttls" : "on", allowHalfOpen: true },
  );
  opening(socket);
  await socket.opened;
  if (!isOtherName) return socket;
  const secured = socket.startTls({ expectedServerHostname: serverName });
  opening(secured);
  await secured.opened;
  return secured;
}

async function dial(options: DialOptions): Promise<Transport> {
  const { path, tls, signal } = options;
  if (path !== undefined) throw unsupported("Workers cannot reach Unix domain sockets: use a port.");
  if (tls) checkTls(tls);
  signal.throwIfAborted();
  let latest: Socket | undefined;
  const opened = open(options, (socket) => {
    latest = socket;
    void quietly(() => socket.closed);
  });
  let abort!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(new Error("The caller gave up."));
      void quietly(() => latest!.close());
    };
    signal.addEventListener("abort", abort);
  });
  try {
    return new SocketTransport(await Promise.race([opened, aborted]));
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

export const host: Host = {
  ...base,
  name: "workerd",
  lacks: ["listen", "tls"],
  timersEnd: true,
  dial,
  listen: () =>
    Promise.reject(
      unsupported("On workerd the configuration listens: hand the socket of connect(socket) to Server.accept."),
    ),
  wrap: (socket, head) =>
    isStreamPair(socket) && "opened" in socket ? new SocketTransport(socket as Socket, head) : base.wrap(socket, head),
};
