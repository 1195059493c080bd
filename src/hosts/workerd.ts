/**
 * workerd: the sockets of its `connect(socket)` handlers, and those of `cloudflare:sockets`. A socket belongs to the
 * handler that accepted or dialed it, and is gone when that handler is over.
 *
 * @module
 */
import { connect, type Socket } from "cloudflare:sockets";
import type { DialOptions, Host, TlsOptions, Transport } from "../driver/transport.ts";
import { ConnectionError } from "../errors.ts";
import { Bell, host as base, isStreamPair, quietly, StreamsTransport, type Streams } from "./streams.ts";

interface Timer {
  readonly fire: () => void;
  readonly ms: number;
}

class SocketTransport extends StreamsTransport {
  readonly #socket: Socket;
  /** Timers that are to be set. */
  readonly #timers: Timer[] = [];
  readonly #timing = new Bell();
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
    void this.#setTimers();
  }

  setTimer(callback: () => void, ms: number): () => void {
    let isOver = false;
    const fire = (): void => {
      if (!isOver) callback();
      isOver = true;
    };
    this.#timers.push({ fire, ms });
    this.#timing.ring();
    // The handler that asks has one as well: workerd ends those that wait for nothing but another handler.
    setTimeout(fire, ms);
    // Neither is cleared: that can only be done by the handler that set it, and another's may have the same number.
    return () => void (isOver = true);
  }

  /** Sets timers as part of the handler that owns the socket, whoever asks for them. */
  async #setTimers(): Promise<void> {
    while (!this.#isGone) {
      for (const { fire, ms } of this.#timers.splice(0)) setTimeout(fire, ms);
      await this.#timing.sleep();
    }
  }

  /** workerd keeps the TCP connection of a stream that was aborted; to be closed drops what is not sent as well. */
  protected override abandon({ writer }: Streams): void {
    void quietly(() => writer.close());
    void quietly(() => this.#socket.close());
    this.#isGone = true;
    this.#timing.ring();
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
  timersEnd: true,
  dial,
  listen: () =>
    Promise.reject(
      unsupported("On workerd the configuration listens: hand the socket of connect(socket) to Server.accept."),
    ),
  wrap: (socket, head) =>
    isStreamPair(socket) && "opened" in socket ? new SocketTransport(socket as Socket, head) : base.wrap(socket, head),
};
