/**
 * What stands between a protocol and its transport: it carries bytes both ways, and sees each connection to its end.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import { TRY_AGAIN_LATER, POLICY_VIOLATION } from "../protocol/close.ts";
import type { ExtensionSession } from "../protocol/extension.ts";
import { PING, PONG } from "../protocol/opcode.ts";
import { Protocol, type ProtocolHandler } from "../protocol/protocol.ts";
import type { ReadyState } from "../protocol/state.ts";
import { Heartbeat, isHeartbeat, type HeartbeatLink } from "./heartbeat.ts";
import type { CloseInfo, LinkOwner } from "./link-owner.ts";
import { Pings, type PingCallback } from "./pings.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import type { Settings } from "./settings.ts";
import type { Transport, TransportHandler } from "./transport.ts";
import { Deadline, wheelOf, type Wheel } from "./wheel.ts";

export class Link extends Deadline implements TransportHandler, ProtocolHandler, SenderOwner, HeartbeatLink {
  readonly settings: Settings;
  readonly protocol: Protocol;
  readonly sender: Sender;
  transport: Transport | undefined;
  /** How it ended, once it has. */
  closeInfo: CloseInfo | undefined;
  /** Unless {@link pause} has stopped it. */
  isReading = true;

  readonly #owner: LinkOwner;
  #wheel: Wheel;
  #isDestroyed = false;
  /** From the first beat on. */
  #heartbeat: Heartbeat | undefined;
  #pings: Pings | undefined;
  /** The payload of the latest Ping that could not be answered yet (§5.5.3), and how many there were. */
  #latePong: { readonly payload: Uint8Array; readonly count: number } | undefined;

  constructor(settings: Settings, owner: LinkOwner) {
    super();
    this.settings = settings;
    this.#owner = owner;
    this.#wheel = wheelOf(settings.host);
    this.protocol = new Protocol(settings, this);
    this.sender = new Sender(this);
  }

  get readyState(): ReadyState {
    return this.protocol.readyState;
  }

  // --- opening

  /** Takes the transport over and reads from it. */
  start(transport: Transport): void {
    this.transport = transport;
    if (transport.setTimer) {
      const left = this.#wheel.left(this);
      this.#wheel.cancel(this);
      this.#wheel = wheelOf(this.settings.host, transport);
      if (left > 0) this.limit(left);
    }
    transport.start(this);
  }

  /** Answers an opening handshake that is not taken, and ends. */
  refuse(answer: Uint8Array): void {
    this.protocol.abandon();
    this.transport!.write([answer], () => undefined);
    this.transport!.end();
    this.limit(this.settings.closeTimeout);
  }

  /** The opening handshake is done. */
  open(sessions: readonly ExtensionSession[]): void {
    this.protocol.open(sessions);
    this.awaitBeat(0);
  }

  /** What is under way, a handshake or a beat, is to be over in `ms` milliseconds. */
  limit(ms: number): void {
    this.#wheel.set(this, ms);
  }

  /** {@link Deadline.expired} */
  expired(late: number): void {
    if (this.readyState === "connecting") this.#owner.handshakeExpired();
    else if (this.readyState === "open") (this.#heartbeat ??= new Heartbeat(this)).due(late);
    else this.terminate();
  }

  // --- what the transport reports

  data(chunk: Uint8Array): void {
    let bytes: Uint8Array | undefined = chunk;
    if (this.protocol.readyState === "connecting") {
      bytes = this.#owner.handshakeData(chunk);
      if (!bytes || bytes.length === 0) return;
    }
    this.#receive(bytes.length, bytes);
  }

  windowFilled(length: number): void {
    if (this.protocol.readyState === "connecting") return this.data(this.settings.codec.window.subarray(0, length));
    this.#receive(length);
  }

  /** Takes a chunk, or what lies in the window. What is sent until it is worked through leaves in one write. */
  #receive(length: number, chunk?: Uint8Array): void {
    if (this.#heartbeat) this.#heartbeat.wasHeard = true;
    this.settings.counters.bytesReceived += length;
    this.sender.hold();
    try {
      if (chunk) this.protocol.receive(chunk);
      else this.protocol.receiveWindow(length);
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
    this.finish(() => new ConnectionError("ERR_CLOSED", "The connection was closed first."));
  }

  /** The connection is closed: everything that waits for it gets the error, which is made only then. */
  finish(makeError: () => Error): void {
    if (this.closeInfo) return;
    this.#wheel.cancel(this);
    const { protocol } = this;
    protocol.transportClosed();
    this.closeInfo = { code: protocol.closeCode, reason: protocol.closeReason, wasClean: protocol.wasClean };
    const waiting = [...this.sender.abandon(), ...(this.#pings?.abandon() ?? [])];
    const error = waiting.length > 0 ? makeError() : undefined;
    for (const callback of waiting) callback(error);
    this.#owner.closed(this.closeInfo);
  }

  // --- what the protocol reports

  message(message: string | Uint8Array): void {
    this.settings.counters.messagesReceived++;
    this.#owner.received(message);
  }

  ping(payload: Uint8Array): void {
    if (!this.sender.isFull) {
      this.#answer(payload);
    } else {
      // §5.5.3: of several Pings that wait, only the latest need be answered; so a peer that does not read costs little.
      const count = (this.#latePong?.count ?? 0) + 1;
      this.#latePong = { payload, count };
      if (count > this.settings.maxPendingPongs)
        return this.protocol.fail(POLICY_VIOLATION, "it sent Pings without reading their Pongs");
    }
    this.#owner.pinged(payload);
  }

  pong(payload: Uint8Array): void {
    for (const callback of this.#pings?.answered(payload) ?? []) callback();
    if (!isHeartbeat(payload)) this.#owner.ponged(payload);
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
    const late = this.#latePong;
    this.#latePong = undefined;
    if (late) this.#answer(late.payload);
    this.#owner.drained();
  }

  // --- whether the peer is alive

  /** Our Pings that are not answered yet. */
  get pings(): Pings {
    return (this.#pings ??= new Pings());
  }

  /** Sends a Ping (§5.5.2); `answered` is called when its Pong comes, or none can. */
  sendPing(payload: Uint8Array, answered?: PingCallback): void {
    if (answered) this.pings.add(payload, answered);
    this.protocol.sendControl(PING, payload);
  }

  /** Milliseconds that the latest Ping of the heartbeat took. */
  get roundTripTime(): number | undefined {
    return this.#heartbeat?.roundTripTime;
  }

  /** Has the heart beat again; its latest Ping was sent `ago` milliseconds ago. */
  awaitBeat(ago: number): void {
    const { heartbeat } = this.settings;
    if (!heartbeat) return this.#wheel.cancel(this);
    if (this.readyState !== "open") return;
    this.limit(Math.max(0, heartbeat.interval * (0.95 - this.#wheel.spread() / 5) - ago));
  }

  /** The heartbeat has found nothing for `timeout` milliseconds. */
  peerIsDead(timeout: number): void {
    const text = `The peer gave no sign of life for ${timeout} ms after a Ping.`;
    this.#owner.failed(new ConnectionError("ERR_DEAD_PEER", text));
    this.terminate();
  }

  // --- reading

  /** Stops reading from the transport, so that in time the peer cannot send any more. */
  pause(): void {
    this.isReading = false;
    this.transport?.pause();
  }

  resume(): void {
    this.isReading = true;
    if (this.#heartbeat) this.#heartbeat.wasHeard = true;
    this.transport?.resume();
  }

  // --- closing

  /** The queue is full, and the peer does not read: it is told to come back later, if it ever reads that. */
  overflow(): void {
    // In this order: a listener of the error that sends would only overflow the queue again.
    this.breakOff(TRY_AGAIN_LATER);
    this.#owner.failed(new ConnectionError("ERR_SLOW_CONSUMER", "The peer does not read what is sent to it."));
  }

  /** Starts the closing handshake (§7.1.2), or gives up the opening one. */
  startClosing(code: number | undefined, reason: Uint8Array): void {
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
    this.#wheel.cancel(this);
    if (this.transport) this.transport.destroy();
    else this.#owner.handshakeAbandoned();
  }

  #limitClosing(): void {
    this.limit(this.settings.closeTimeout);
    this.#owner.closing();
  }
}
