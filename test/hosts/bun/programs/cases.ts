import assert from "node:assert/strict";
import * as net from "node:net";
import * as tls from "node:tls";
import type { Listener, ListenOptions, Transport, TransportHandler } from "../../../../src/driver/transport.ts";
import { host } from "../../../../src/hosts/bun.ts";
import { certificates } from "../../../helpers/certificates.ts";
import { until } from "../../../helpers/until.ts";

export const certs = await certificates();
export const window: Uint8Array = new Uint8Array(65536);

/** Runs one case after the other and prints which went well. If all did, the process has to end by itself. */
export async function run(cases: Record<string, () => Promise<void>>): Promise<void> {
  for (const [name, work] of Object.entries(cases)) {
    const fail = (error: unknown): never => {
      console.log(`not ok ${name}\n${(error as Error).stack}`);
      process.exit(1);
    };
    process.once("uncaughtException", fail);
    await work().catch(fail);
    process.off("uncaughtException", fail);
    console.log(`ok ${name}`);
  }
  console.log(`all ${Object.keys(cases).length} done`);
}

/** The error of a promise that must reject. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert(outcome instanceof Error, "It did not reject.");
  return outcome;
}

/** A listener of the host under test, and what it accepted. */
export class Accepting {
  readonly accepted: Transport[] = [];
  listener!: Listener;

  static async start(options: Partial<ListenOptions> = {}): Promise<Accepting> {
    const accepting = new Accepting();
    accepting.listener = await host.listen(
      { port: 0, host: "127.0.0.1", handshakeTimeout: 10_000, window, ...options },
      (transport) => void accepting.accepted.push(transport),
    );
    return accepting;
  }

  get port(): number {
    return (this.listener.address as { port: number }).port;
  }

  async next(): Promise<Transport> {
    await until(() => this.accepted.length > 0);
    return this.accepted.shift()!;
  }
}

/** Writes down what a transport reports. */
export class Recorder implements TransportHandler {
  readonly events: string[] = [];
  readonly chunks: Uint8Array[] = [];
  error: Error | undefined;
  length = 0;
  /** Set while a call to the transport runs, from inside of which nothing may be reported. */
  isCalling = false;
  onData: ((chunk: Uint8Array) => void) | undefined;

  data(chunk: Uint8Array): void {
    this.#event("data");
    this.chunks.push(new Uint8Array(chunk));
    this.length += chunk.length;
    this.onData?.(chunk);
    // The bytes are the handler's to overwrite.
    chunk.fill(0xee);
  }

  end(): void {
    this.#event("end");
  }

  close(error?: Error): void {
    this.#event("close");
    this.error = error;
  }

  call<T>(work: () => T): T {
    this.isCalling = true;
    try {
      return work();
    } finally {
      this.isCalling = false;
    }
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** All that was reported but the data. */
  get others(): string[] {
    return this.events.filter((event) => event !== "data");
  }

  get isClosed(): boolean {
    return this.events.includes("close");
  }

  #event(name: string): void {
    assert(!this.isCalling, `${name} was reported from inside a call.`);
    assert(!this.isClosed, `${name} was reported behind close.`);
    this.events.push(name);
  }
}

/** What has become of writes. */
export class Writes {
  readonly outcomes: (Error | undefined)[] = [];
  #order = 0;

  write(transport: Transport, ...chunks: Uint8Array[]): void {
    this.#record((done) => transport.write(chunks, done));
  }

  /** Answers whether the system took all at once. */
  writeNow(transport: Transport, memory: Uint8Array, from: number, to: number): boolean {
    let isTaken = false;
    this.#record((done) => {
      isTaken = transport.writeNow!(memory, from, to, done);
      if (isTaken) queueMicrotask(done);
    });
    return isTaken;
  }

  #record(write: (done: (error?: Error | null) => void) => void): void {
    const index = this.#order++;
    let isCalling = true;
    write((error) => {
      assert(!isCalling, "done was called from inside the call.");
      assert.equal(this.outcomes.length, index, "done was called twice, or out of order.");
      this.outcomes.push(error ?? undefined);
    });
    isCalling = false;
  }

  get isSettled(): boolean {
    return this.outcomes.length === this.#order;
  }
}

/** The other side of a socket: `node:net`'s, which reads once it has a listener for `data`. */
export async function peerOf(port: number, isSecure: boolean): Promise<net.Socket> {
  const where = { port, host: "127.0.0.1", allowHalfOpen: true };
  const socket = isSecure ? tls.connect({ ...where, ca: certs.ca, servername: "localhost" }) : net.connect(where);
  socket.on("error", () => undefined);
  await new Promise<unknown>((resolve) => socket.once(isSecure ? "secureConnect" : "connect", resolve));
  return socket;
}

/** A way to a socket under test: who opened it, and whether it speaks TLS. */
export interface Way {
  readonly isSecure: boolean;
  readonly isDialled: boolean;
}

/** A socket under test, not started, and the peer it belongs to. */
export async function open({ isSecure, isDialled }: Way): Promise<{
  transport: Transport;
  peer: net.Socket;
  close: () => Promise<void>;
}> {
  if (!isDialled) {
    const accepting = await Accepting.start(isSecure ? { tls: certs.server } : {});
    const peer = await peerOf(accepting.port, isSecure);
    return { transport: await accepting.next(), peer, close: () => accepting.listener.close() };
  }
  const options = { allowHalfOpen: true };
  const server = isSecure ? tls.createServer({ ...options, ...certs.server }) : net.createServer(options);
  const accepted = new Promise<net.Socket>((resolve) =>
    server.once(isSecure ? "secureConnection" : "connection", resolve),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const { signal } = new AbortController();
  const secure = isSecure ? { tls: { ca: certs.ca, serverName: "localhost" } } : {};
  const transport = await host.dial({ hostname: "127.0.0.1", port, signal, window, ...secure });
  const peer = (await accepted).on("error", () => undefined);
  return { transport, peer, close: () => Promise.resolve(void server.close()) };
}

/** The same, started. */
export async function pair(way: Way): Promise<Awaited<ReturnType<typeof open>> & { recorder: Recorder }> {
  const opened = await open(way);
  const recorder = new Recorder();
  recorder.call(() => opened.transport.start(recorder));
  return { ...opened, recorder };
}

/** All that a peer receives, until its stream ends. */
export function received(peer: net.Socket): { readonly bytes: Buffer; readonly hasEnded: boolean } {
  const chunks: Buffer[] = [];
  let hasEnded = false;
  peer.on("data", (chunk) => void chunks.push(Buffer.from(chunk)));
  peer.on("end", () => (hasEnded = true));
  return {
    get bytes() {
      return Buffer.concat(chunks);
    },
    get hasEnded() {
      return hasEnded;
    },
  };
}
