import * as net from "node:net";
import * as tls from "node:tls";
import { acceptOf, request, switching } from "../helpers/raw-peer.ts";

/** A socket of which every byte is written, and read, by the test. */
export class Raw {
  readonly socket: net.Socket;
  /** What is below {@link socket}: without TLS the same. */
  readonly tcp: net.Socket;
  /** The head of the request or response that came, as it came. */
  head = "";
  /** The other side ended its stream. */
  hasEnded = false;
  isClosed = false;
  error: Error | undefined;
  #chunks: Buffer[] = [];
  #waiters: (() => void)[] = [];

  constructor(socket: net.Socket, tcp = socket) {
    this.socket = socket;
    this.tcp = tcp;
    tcp.on("error", (error) => (this.error = error));
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on("end", () => (this.hasEnded = true));
    socket.on("error", (error) => (this.error = error));
    socket.on("close", () => (this.isClosed = this.hasEnded = true));
    for (const event of ["data", "end", "close"])
      socket.on(event, () => {
        for (const check of this.#waiters.splice(0)) check();
      });
  }

  /** `secure` has it speak TLS, and trust anybody. */
  static connect(port: number, secure = false): Raw {
    const tcp = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    return secure ? new Raw(tls.connect({ socket: tcp, rejectUnauthorized: false }), tcp) : new Raw(tcp);
  }

  /** Resolves once `condition` holds, which it is asked for whenever something came. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (condition()) resolve();
        else this.#waiters.push(check);
      };
      check();
    });
  }

  /** Resolves when something has come, or the other side is gone. */
  async more(): Promise<void> {
    if (!this.hasEnded) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** All that came and was not taken. */
  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** How many those are, for which they need not be joined. */
  get length(): number {
    return this.#chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** Takes the head off the bytes. */
  async readHead(): Promise<string> {
    const end = (): number => this.bytes.indexOf("\r\n\r\n");
    await this.until(() => end() >= 0 || this.hasEnded);
    const length = end() < 0 ? this.bytes.length : end() + 4;
    this.head = this.bytes.toString("latin1", 0, length);
    this.#chunks = [this.bytes.subarray(length)];
    return this.head;
  }

  /** Writes the pieces as segments of their own, as far as a test can see to it. */
  async write(...pieces: readonly (string | Uint8Array)[]): Promise<void> {
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? Buffer.from(piece, "latin1") : piece;
      await new Promise((resolve) => this.socket.write(bytes, resolve));
      if (pieces.length > 1) await new Promise(setImmediate);
    }
  }

  end(): void {
    this.socket.end();
  }

  /** Resets TCP, and that alone: Node's `resetAndDestroy` first ends its stream. */
  reset(): void {
    (this.tcp as net.Socket & { resetAndClosing: boolean }).resetAndClosing = true;
    this.tcp.destroy();
  }

  /** The value of a field of the head. */
  field(name: string): string {
    return new RegExp(`^${name}: (.*?)\\r$`, "im").exec(this.head)?.[1] ?? "";
  }
}

/** The opening handshake of a client (RFC 6455 §4.1) that asks for `/key`. */
export function openingRequest(key: string, fields: Readonly<Record<string, string>> = {}): string {
  return request(fields, `GET /${key} HTTP/1.1`);
}

/** Takes connections of clients that ask for `/key`, and hands each to whom it is for. */
export class RawServer {
  readonly port: number;
  readonly #server: net.Server;
  readonly #isSecure: boolean;
  readonly #all = new Set<Raw>();
  readonly #come = new Map<string, Raw>();
  readonly #awaited = new Map<string, (raw: Raw) => void>();

  private constructor(server: net.Server, identity: tls.SecureContextOptions | undefined) {
    this.#server = server;
    this.#isSecure = identity !== undefined;
    this.port = (server.address() as net.AddressInfo).port;
    const secureContext = identity && tls.createSecureContext(identity);
    server.on("connection", (tcp) => {
      const socket = secureContext ? new tls.TLSSocket(tcp, { isServer: true, secureContext }) : tcp;
      void this.#take(new Raw(socket, tcp));
    });
  }

  /** With an identity it speaks TLS. */
  static listen(identity?: { readonly cert: string; readonly key: string }): Promise<RawServer> {
    const server = net.createServer({ allowHalfOpen: true });
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(new RawServer(server, identity))));
  }

  async #take(raw: Raw): Promise<void> {
    this.#all.add(raw);
    raw.tcp.on("close", () => this.#all.delete(raw));
    await raw.readHead();
    const key = /^GET \/(\S*) /.exec(raw.head)?.[1] ?? "";
    const awaiting = this.#awaited.get(key);
    this.#awaited.delete(key);
    if (awaiting) awaiting(raw);
    else this.#come.set(key, raw);
  }

  url(key: string): string {
    return `${this.#isSecure ? "wss" : "ws"}://127.0.0.1:${this.port}/${key}`;
  }

  /** The client that asked for `/key`, its request read and still to be answered. */
  client(key: string): Promise<Raw> {
    const raw = this.#come.get(key);
    this.#come.delete(key);
    return raw ? Promise.resolve(raw) : new Promise((resolve) => this.#awaited.set(key, resolve));
  }

  /** Whether a client has asked for `/key` that nobody took. */
  has(key: string): boolean {
    return this.#come.has(key);
  }

  close(): void {
    for (const { tcp } of this.#all) tcp.destroy();
    this.#server.close();
  }
}

/** The answer to a client's opening handshake (§4.2.2); `fields` are lines with their CR LF. */
export function openingResponse(client: Raw, fields = ""): string {
  return switching(acceptOf(client.field("Sec-WebSocket-Key")), fields);
}

/** The place behind the frame that begins at `at` (§5.2), whatever is in it; undefined if that has not come. */
function frameEnd(bytes: Buffer, at: number): number | undefined {
  if (bytes.length < at + 2) return undefined;
  const short = bytes[at + 1]! & 0x7f;
  const head = (short === 127 ? 10 : short === 126 ? 4 : 2) + (bytes[at + 1]! & 0x80 ? 4 : 0);
  if (bytes.length < at + head) return undefined;
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
  const end = at + head + length;
  return bytes.length < end ? undefined : end;
}

/** How many whole frames there are. */
export function frameCount(bytes: Buffer): number {
  let count = 0;
  for (let at = frameEnd(bytes, 0); at !== undefined; at = frameEnd(bytes, at)) count++;
  return count;
}

/** Where the last whole frame begins, or the first one. */
export function lastFrameStart(bytes: Buffer): number {
  let start = 0;
  for (let at: number | undefined = 0; at !== undefined && at < bytes.length; at = frameEnd(bytes, at)) start = at;
  return start;
}
