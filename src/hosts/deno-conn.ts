/** `Deno.Addr`. */
export interface Address {
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
}

/** `Deno.Conn`. */
export interface Conn {
  readonly remoteAddr: Address;
  /** Answers how many bytes came, or null at the end of the stream. */
  read(into: Uint8Array): Promise<number | null>;
  /** Answers how many of the bytes the system has taken. */
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  /** TCP. */
  setNoDelay?(): void;
  /** TLS. */
  handshake?(): Promise<unknown>;
}

export function isConn(socket: unknown): socket is Conn {
  const { read, write, closeWrite } = (socket ?? {}) as Partial<Conn>;
  return [read, write, closeWrite].every((method) => typeof method === "function");
}
