import { createHash, randomBytes } from "node:crypto";
import * as net from "node:net";
import { until } from "./until.ts";

/** Opcodes, RFC 6455 §5.2. */
export const op = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly fin: boolean;
  /** In place: 0x40, 0x20, 0x10. */
  readonly rsv: number;
  readonly opcode: number;
  readonly maskingKey: Buffer | undefined;
  /** Unmasked. */
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  /** A random key is drawn for true, none used for false. */
  readonly mask?: boolean | Uint8Array;
  /** Declared in the header in place of the payload's own length. */
  readonly length?: bigint;
}

/** RFC 6455 §5.2, written down from the page and shared with nothing in src. */
export function frame(opcode: number, payload: string | Uint8Array = "", options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, mask = true, length } = options;
  const data = Buffer.from(payload as string);
  const size = length ?? BigInt(data.length);
  const head: number[] = [(fin ? 0x80 : 0) | rsv | opcode];
  const maskBit = mask === false ? 0 : 0x80;
  if (size < 126n) head.push(maskBit | Number(size));
  else if (size < 65536n) head.push(maskBit | 126, Number(size >> 8n), Number(size & 255n));
  else {
    head.push(maskBit | 127);
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((size >> shift) & 255n));
  }
  if (mask === false) return Buffer.concat([Buffer.from(head), data]);
  const key = mask === true ? randomBytes(4) : Buffer.from(mask);
  return Buffer.concat([Buffer.from(head), key, data.map((byte, i) => byte ^ key[i % 4]!)]);
}

/** The payload of a Close frame, §5.5.1. */
export function closePayload(code: number, reason: string | Uint8Array = ""): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason as string)]);
}

/** §4.2.2, item 5.4 */
export function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** §1.3 */
export const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==";

/** A correct opening handshake. A change replaces a field; undefined leaves it out; an array repeats it. */
export function request(
  changes: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  line = "GET / HTTP/1.1",
): string {
  const fields = {
    Host: "localhost",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": sampleKey,
    ...changes,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `${line}\r\n${lines.join("")}\r\n`;
}

export interface HttpHead {
  readonly startLine: string;
  readonly status: number;
  /** By lower-case name; several of a name are joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
}

/** A peer that does exactly what it is told, byte by byte. */
export class RawPeer {
  readonly socket: net.Socket;
  #unread: Buffer = Buffer.alloc(0);
  /** The other side ended its stream, or the socket is gone. */
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;
  readonly #pieces: Buffer[] = [];

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#pieces.push(chunk));
    socket.on("end", () => (this.ended = true));
    socket.on("error", (error) => (this.error = error));
    socket.on("close", () => (this.ended = this.closed = true));
  }

  /** Half open: it does not answer the end of the stream with its own. */
  static connect(to: number | string): Promise<RawPeer> {
    return new Promise((resolve, reject) => {
      const where = typeof to === "number" ? { port: to, host: "127.0.0.1" } : { path: to };
      const socket = net.connect({ ...where, allowHalfOpen: true, noDelay: true });
      socket.once("error", reject).once("connect", () => resolve(new RawPeer(socket)));
    });
  }

  /** Connects, and does the opening handshake. */
  static async open(to: number | string, changes: Parameters<typeof request>[0] = {}, path = "/"): Promise<RawPeer> {
    const peer = await RawPeer.connect(to);
    peer.write(request(changes, `GET ${path} HTTP/1.1`));
    const { startLine, status } = await peer.readHead();
    if (status !== 101) throw new Error(startLine);
    return peer;
  }

  write(bytes: string | Uint8Array): boolean {
    return this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  }

  /** One after the other, so that each is a segment of its own and is read before the next is written. */
  async writeEach(pieces: Iterable<Uint8Array>): Promise<void> {
    for (const piece of pieces) {
      await new Promise((resolve) => this.socket.write(piece, resolve));
      await new Promise(setImmediate);
    }
  }

  send(opcode: number, payload?: string | Uint8Array, options?: FrameOptions): boolean {
    return this.write(frame(opcode, payload, options));
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Sends a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Bytes that have come and were not taken yet. */
  get pending(): number {
    return this.#gather().length;
  }

  #gather(): Buffer {
    if (this.#pieces.length > 0) this.#unread = Buffer.concat([this.#unread, ...this.#pieces.splice(0)]);
    return this.#unread;
  }

  /** `parse` answers how many bytes it took and what they are, or undefined while there are too few. */
  async #take<T>(what: string, parse: (bytes: Buffer) => { length: number; value: T } | undefined): Promise<T> {
    let taken: { length: number; value: T } | undefined;
    await until(() => {
      const { ended } = this;
      taken = parse(this.#gather());
      return taken !== undefined || ended;
    });
    if (!taken) {
      const last = this.#unread.toString("latin1").slice(-100);
      throw new Error(`The stream ended before ${what} came, with ${JSON.stringify(last)}.`);
    }
    this.#unread = this.#unread.subarray(taken.length);
    return taken.value;
  }

  /** An HTTP head, of a request or a response. */
  readHead(): Promise<HttpHead> {
    return this.#take("a head", (bytes) => {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return undefined;
      const [startLine = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
      const headers: Record<string, string> = {};
      for (const line of lines) {
        const colon = line.indexOf(":");
        const name = line.slice(0, colon).toLowerCase();
        const value = line.slice(colon + 1).trim();
        headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
      }
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(startLine)?.[1]);
      return { length: end + 4, value: { startLine, status, headers } };
    });
  }

  readFrame(): Promise<Frame> {
    return this.#take("a frame", (bytes) => {
      if (bytes.length < 2) return undefined;
      const short = bytes[1]! & 0x7f;
      const masked = (bytes[1]! & 0x80) !== 0;
      let at = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (bytes.length < at) return undefined;
      const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
      const maskingKey = masked ? bytes.subarray(at, at + 4) : undefined;
      if (masked) at += 4;
      if (bytes.length < at + length) return undefined;
      const payload = Buffer.from(bytes.subarray(at, at + length));
      if (maskingKey) payload.forEach((byte, i) => (payload[i] = byte ^ maskingKey[i % 4]!));
      const value = { fin: bytes[0]! >= 0x80, rsv: bytes[0]! & 0x70, opcode: bytes[0]! & 15, maskingKey, payload };
      return { length: at + length, value };
    });
  }

  /** The code and reason of the next frame, which has to be a Close. */
  async readClose(): Promise<{ code: number | undefined; reason: string }> {
    const { opcode, payload } = await this.readFrame();
    if (opcode !== op.close) throw new Error(`The opcode of the frame is ${opcode}.`);
    return { code: payload.length > 0 ? payload.readUInt16BE() : undefined, reason: payload.toString("utf8", 2) };
  }

  readBytes(length: number): Promise<Buffer> {
    return this.#take(`${length} bytes`, (bytes) =>
      bytes.length < length ? undefined : { length, value: bytes.subarray(0, length) },
    );
  }

  /** All that comes up to the end of the stream. */
  async rest(): Promise<Buffer> {
    await until(() => this.ended);
    const rest = this.#gather();
    this.#unread = Buffer.alloc(0);
    return rest;
  }
}

/** A server that hands out each accepted socket as a peer. */
export class RawServer {
  readonly port: number;
  readonly #server: net.Server;
  readonly #peers: RawPeer[] = [];
  readonly #all: RawPeer[] = [];

  private constructor(server: net.Server) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
    server.on("connection", (socket) => {
      socket.setNoDelay(true);
      const peer = new RawPeer(socket);
      this.#peers.push(peer);
      this.#all.push(peer);
    });
  }

  static listen(): Promise<RawServer> {
    const server = net.createServer({ allowHalfOpen: true });
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(new RawServer(server))));
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** The next connection. */
  async accept(): Promise<RawPeer> {
    await until(() => this.#peers.length > 0);
    return this.#peers.shift()!;
  }

  /** The next connection and its request; the answer is still to be written. */
  async request(): Promise<{ peer: RawPeer; head: HttpHead; accept: string }> {
    const peer = await this.accept();
    const head = await peer.readHead();
    return { peer, head, accept: acceptOf(head.headers["sec-websocket-key"] ?? "") };
  }

  /** The next connection, with its opening handshake done; `behind` leaves in the same write. */
  async open(fields = "", behind: Uint8Array = Buffer.alloc(0)): Promise<RawPeer> {
    const { peer, accept } = await this.request();
    peer.write(Buffer.concat([Buffer.from(switching(accept, fields), "latin1"), behind]));
    return peer;
  }

  close(): Promise<void> {
    for (const peer of this.#all) peer.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The response that opens, §4.2.2; `fields` are lines with their CR LF. */
export function switching(accept: string, fields = ""): string {
  return (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n${fields}\r\n`
  );
}
