/**
 * What stands between a protocol and its transport: it carries bytes both ways, and sees each connection to its end.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import type { ExtensionSession } from "../protocol/extension.ts";
import { PONG } from "../protocol/opcode.ts";
import { Protocol, type ProtocolHandler } from "../protocol/protocol.ts";
import type { ReadyState } from "../protocol/state.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import type { Settings } from "./settings.ts";
import type { Transport, TransportHandler } from "./transport.ts";

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
  /** Bytes of the opening handshake; answers those behind it once {@link Link.open} was called, in memory of their own. */
  handshakeData(chunk: Uint8Array): Uint8Array | undefined;
  /** The peer ended its stream, or the transport broke, before the opening handshake was done. */
  handshakeEnded(cause?: Error): void;
  /** The connection was given up before the link had a transport: {@link Link.finish} is for the owner to call. */
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

export class Link implements TransportHandler, ProtocolHandler, SenderOwner {
  readonly settings: Settings;
  readonly protocol: Protocol;
  readonly sender: Sender;
  transport: Transport | undefined;
  /** How it ended, once it has. */
  closeInfo: CloseInfo | undefined;

  readonly #owner: LinkOwner;
  #cancelTimer: (() => void) | undefined;
  #isDestroyed = false;
  /** The payload of the latest Ping that could not be answered yet (§5.5.3). */
  #latePong: Uint8Array | undefined;

  constructor(settings: Settings, owner: LinkOwner) {
    this.settings = settings;
    this.#owner = owner;
    this.protocol = new Protocol(settings, this);
    this.sender = new Sender(this.protocol.outbox, settings.highWaterMark, this);
  }

  get readyState(): ReadyState {
    return this.protocol.readyState;
  }

  // --- opening

  /** Takes the transport over and reads from it. */
  start(transport: Transport): void {
    this.transport = transport;
    transport.start(this);
  }

  /** Answers an opening handshake that is not taken, and ends. */
  refuse(answer: Uint8Array): void {
    this.protocol.abandon();
    this.transport!.write([answer], () => undefined);
    this.transport!.end();
    this.setTimer(() => this.terminate(), this.settings.closeTimeout);
  }

  /** The opening handshake is done. */
  open(sessions: readonly ExtensionSession[]): void {
    this.stopTimer();
    this.protocol.open(sessions);
    this.sender.attach(this.transport!);
  }

  /** Calls back unless {@link stopTimer}, or another timer, comes first. */
  setTimer(callback: () => void, ms: number): void {
    this.stopTimer();
    this.#cancelTimer = this.settings.host.setTimer(callback, ms);
  }

  stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  // --- what the transport reports

  data(chunk: Uint8Array): void {
    let bytes: Uint8Array | undefined = chunk;
    if (this.protocol.readyState === "connecting") {
      bytes = this.#owner.handshakeData(chunk);
      if (!bytes || bytes.length === 0) return;
    }
    this.sender.hold();
    try {
      this.protocol.receive(bytes);
    } finally {
      this.sender.release();
    }
  }

  end(): void {
    if (this.readyState === "connecting") return this.#owner.handshakeEnded();
    // Nothing more can come: what was sent still goes out, and that was it (§7.1.4).
    this.sender.flush();
    this.protocol.abandon();
    this.transport!.end();
    this.#limitClosing();
  }

  close(error?: Error): void {
    if (this.readyState === "connecting") {
      this.#owner.handshakeEnded(error);
    } else if (error && this.readyState === "open") {
      const text = `The connection broke: ${error.message}.`;
      this.#owner.failed(new ConnectionError("ERR_TRANSPORT", text, { cause: error }));
    }
    this.finish(new ConnectionError("ERR_CLOSED", "The connection was closed first."));
  }

  /** The connection is closed: everything that waits for it gets `error`. */
  finish(error: Error): void {
    if (this.closeInfo) return;
    this.stopTimer();
    const { protocol } = this;
    protocol.transportClosed();
    this.closeInfo = { code: protocol.closeCode, reason: protocol.closeReason, wasClean: protocol.wasClean };
    this.sender.abandon(error);
    this.#owner.closed(this.closeInfo);
  }

  // --- what the protocol reports

  message(message: string | Uint8Array): void {
    this.#owner.received(message);
  }

  ping(payload: Uint8Array): void {
    // §5.5.3: of several Pings that wait, only the latest need be answered; so a peer that does not read costs little.
    if (this.sender.isFull) this.#latePong = payload;
    else this.#answer(payload);
    this.#owner.pinged(payload);
  }

  pong(payload: Uint8Array): void {
    this.#owner.ponged(payload);
  }

  closeDone(): void {
    this.sender.flush();
    // §7.1.1: the server closes first; the client gives it the time.
    if (this.protocol.role === "server") this.transport!.end();
    this.#limitClosing();
  }

  failed(error: Error): void {
    this.sender.flush();
    this.transport!.end();
    this.#limitClosing();
    this.#owner.failed(error);
  }

  #answer(payload: Uint8Array): void {
    if (this.protocol.readyState !== "open") return;
    this.protocol.sendControl(PONG, payload);
    this.sender.wrote();
  }

  caughtUp(): void {
    const payload = this.#latePong;
    this.#latePong = undefined;
    if (payload) this.#answer(payload);
    this.#owner.drained();
  }

  // --- closing

  /** Starts the closing handshake (§7.1.2), or gives up the opening one. */
  startClosing(code: number, reason: Uint8Array): void {
    if (this.readyState === "connecting") this.terminate();
    if (this.readyState !== "open") return;
    this.protocol.close(code, reason);
    this.sender.flush();
    this.#limitClosing();
  }

  /** Closes with `code` because of what happened here, and discards what still comes, as if the peer had failed. */
  breakOff(code: number): void {
    this.startClosing(code, new Uint8Array(0));
    if (this.#isDestroyed) return;
    this.protocol.abandon();
    this.transport?.end();
  }

  /** Ends the transport at once; the close code is 1006 unless the closing handshake was over. */
  terminate(): void {
    if (this.#isDestroyed || this.closeInfo) return;
    this.#isDestroyed = true;
    this.protocol.abandon();
    this.stopTimer();
    if (this.transport) this.transport.destroy();
    else this.#owner.handshakeAbandoned();
  }

  #limitClosing(): void {
    this.setTimer(() => this.terminate(), this.settings.closeTimeout);
    this.#owner.closing();
  }
}
