/** How a connection ended. */
export interface CloseInfo {
  /** The code of the peer's Close frame; 1005 when that had none, 1006 when none came (RFC 6455 §7.1.5). */
  readonly code: number;
  /** The reason in the peer's Close frame, or "" (§7.1.6). */
  readonly reason: string;
  /** Both Close frames went over, and then the transport was closed (§7.1.4). */
  readonly wasClean: boolean;
}

/** Who a link reports to. */
export interface LinkOwner {
  /** Bytes of the opening handshake; answers those behind it once `Link.open` was called, in memory of their own. */
  handshakeData(chunk: Uint8Array): Uint8Array | undefined;
  /** The peer ended its stream, or the transport broke, before the opening handshake was done. */
  handshakeEnded(cause?: Error): void;
  /** The opening handshake took longer than `Link.limit` said. */
  handshakeExpired(): void;
  /** The connection was given up before the link had a transport: `Link.finish` is for the owner to call. */
  handshakeAbandoned(): void;
  received(message: string | Uint8Array): void;
  pinged(payload: Uint8Array): void;
  ponged(payload: Uint8Array): void;
  /** The peer has caught up after a send answered false. */
  drained(): void;
  /** Close frames are on their way, or the connection was failed; {@link closed} follows in bounded time. */
  closing(): void;
  /** Something broke; {@link closed} follows. */
  failed(error: Error): void;
  closed(info: CloseInfo): void;
}
