/** Bun's socket, as far as it is used here; the types of Bun would replace those of Node. */
export interface BunSocket {
  data: unknown;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  /** The peer's certificate was asked for, and is good. */
  readonly authorized: boolean;
  getPeerCertificate(): { raw?: Uint8Array } | undefined;
  /** Null unless TLS is spoken. */
  getTLSVersion(): string | null;
  setNoDelay(on: boolean): void;
  /** Answers how many bytes the system took, and forgets the others; -1 when the socket cannot send any more. */
  write(bytes: Uint8Array, from?: number, length?: number): number;
  pause(): void;
  resume(): void;
  /** Sends the end of the stream; reading goes on. */
  shutdown(): void;
  /** Closes, and leaves it to the system to send what it has taken. */
  close(): void;
  /** Resets the connection: what the peer has not read yet may be lost to it. */
  terminate(): void;
  reload(options: { socket: SocketHandler }): void;
}

export interface SocketHandler {
  open?(socket: BunSocket): void;
  handshake?(socket: BunSocket, success: boolean, error: Error | null): void;
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  error(socket: BunSocket, error: Error): void;
  close(socket: BunSocket, error?: Error): void;
}

export function isBunSocket(socket: unknown): socket is BunSocket {
  const { reload, shutdown, getTLSVersion } = socket as Partial<BunSocket>;
  return [reload, shutdown, getTLSVersion].every((method) => typeof method === "function");
}
