import type { ConnectionLink } from "../driver/connection-link.ts";
import type { CloseInfo, LinkOwner } from "../driver/link-owner.ts";
import type { SenderOwner } from "../driver/sender.ts";
import { LONGEST_TIMER } from "../driver/transport.ts";
import { ConnectionError } from "../errors.ts";
import { ABNORMAL_CLOSURE, MESSAGE_TOO_BIG, POLICY_VIOLATION, TRY_AGAIN_LATER, isScriptCloseCode } from "../protocol/close.ts"; // prettier-ignore
import { toBytes, type Message } from "../protocol/data.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { TEXT } from "../protocol/opcode.ts";
import type { ReadyState } from "../protocol/state.ts";
import { Backlog } from "./backlog.ts";
import { PageSender } from "./page-sender.ts";
import { isClosing, type PageSocket } from "./page-socket.ts";
import { FRAMES, PINGS, type PageSettings } from "./settings.ts";
import { unsupported } from "./unsupported.ts";

/** From the codes of RFC 6455 that a page may not send, to those of its own (§7.4.2): 1009 leaves as 4009. */
const OWN_CODES = 3000;

/** What `Link` is over a transport, over the browser's WebSocket: it sees a connection to its end. */
export class PageLink implements ConnectionLink, SenderOwner {
  readonly settings: PageSettings;
  readonly sender: PageSender;
  readonly role = "client";
  readonly protocol = this;
  readonly pings = { checkRoom: (): never => this.sendPing() };
  readonly transport = undefined;
  readonly roundTripTime = undefined;
  closeInfo: CloseInfo | undefined;

  readonly #owner: LinkOwner;
  readonly #backlog: Backlog;
  #socket: PageSocket | undefined;
  /** As far as it was told, or has done it itself. */
  #state: ReadyState = "connecting";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isBroken = false;
  /** It was given up here: how the browser closes it says nothing. */
  #isGivenUp = false;
  /** How the browser says that it ended; what came before is taken first. */
  #browserInfo: CloseInfo | undefined;

  constructor(settings: PageSettings, owner: LinkOwner) {
    this.settings = settings;
    this.#owner = owner;
    this.sender = new PageSender(settings, this);
    this.#backlog = new Backlog(settings, (message) => owner.received(message));
  }

  /** That the peer begins to close a browser does not tell, it shows it. */
  get readyState(): ReadyState {
    return this.#state === "open" && isClosing(this.#socket!) ? "closing" : this.#state;
  }

  // --- opening

  /** Takes the WebSocket over, which is connecting; `opened` is called when it is open. */
  start(socket: PageSocket, opened: () => void): void {
    this.#socket = socket;
    this.sender.attach(socket);
    socket.onopen = opened;
    socket.onmessage = ({ data }) => this.#arrived(data);
    socket.onerror = () => (this.#isBroken = true);
    socket.onclose = ({ code, reason, wasClean }) => {
      this.#browserInfo = { code: wasClean ? code : ABNORMAL_CLOSURE, reason, wasClean };
      this.#endIfDone();
    };
  }

  open(): void {
    clearTimeout(this.#timer);
    this.#state = "open";
  }

  /** The handshake that is under way, opening or closing, is to be over in `ms` milliseconds. */
  limit(ms: number): void {
    this.#timer = setTimeout(
      () => {
        if (this.#state === "connecting") this.#owner.handshakeExpired();
        else this.terminate();
      },
      Math.min(ms, LONGEST_TIMER),
    );
  }

  /** As the browser tells them. */
  get extensions(): string {
    return this.#socket?.extensions ?? "";
  }

  // --- receiving

  #arrived(data: unknown): void {
    const message = typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
    if (this.#isTooLong(message)) return this.#failTooLong();
    if (this.#backlog.push(message)) return;
    this.breakOff(POLICY_VIOLATION);
    const text = "More messages wait than maxQueuedBytes or maxQueuedMessages allow: a page cannot hold its peer back.";
    this.#owner.failed(new ConnectionError("ERR_SLOW_CONSUMER", text));
  }

  #isTooLong(message: Message): boolean {
    const { maxLength, codec } = this.settings;
    if (message.length > maxLength) return true;
    // A UTF-16 unit has three bytes at most.
    if (typeof message !== "string" || message.length * 3 <= maxLength) return false;
    return codec.text.encodeBytes(message).length > maxLength;
  }

  #failTooLong(): void {
    const code = OWN_CODES + MESSAGE_TOO_BIG;
    const text = `The peer was answered ${code}: a message is longer than ${this.settings.maxLength} bytes.`;
    this.breakOff(MESSAGE_TOO_BIG);
    this.#owner.failed(new ProtocolError("ERR_TOO_LONG", text, code));
  }

  get isReading(): boolean {
    return !this.#backlog.isHeld;
  }

  /** Keeps what comes; the peer does not notice. */
  pause(): void {
    this.#backlog.isHeld = true;
  }

  resume(): void {
    this.#backlog.isHeld = false;
    // Who asks for it may be in the middle of taking a message.
    void Promise.resolve().then(() => {
      this.#backlog.release();
      this.#endIfDone();
    });
  }

  // --- sending

  sendText(text: string): void {
    this.sender.send(text);
  }

  sendBytes(opcode: number, data: Uint8Array): void {
    // Browsers refuse memory that is shared or can change its size, which short messages may still lie in.
    this.sender.send(opcode === TEXT ? this.settings.codec.text.decodeBytes(data, false) : toBytes(data));
  }

  sendFragment(): never {
    throw unsupported(FRAMES);
  }

  sendControl(): never {
    throw unsupported(PINGS);
  }

  sendPing(): never {
    throw unsupported(PINGS);
  }

  /** {@link SenderOwner.caughtUp} */
  caughtUp(): void {
    this.#owner.drained();
  }

  // --- closing

  overflow(): void {
    this.breakOff(TRY_AGAIN_LATER);
    this.#owner.failed(new ConnectionError("ERR_SLOW_CONSUMER", "The peer does not read what is sent to it."));
  }

  /** @throws {ConnectionError} ERR_UNSUPPORTED for a code that a browser does not let pages send. */
  startClosing(code: number | undefined, reason: Uint8Array): void {
    if (code !== undefined && !isScriptCloseCode(code))
      throw unsupported(`A page may close with 1000, or with a code from 3000 to 4999, not with ${code}.`);
    if (this.#state === "connecting") this.terminate();
    if (this.#state !== "open") return;
    this.#close(code, this.settings.codec.text.decodeBytes(reason, false));
  }

  breakOff(code: number): void {
    this.#discard();
    if (this.#state === "open") this.#close(OWN_CODES + code, "");
  }

  /** Gives the connection up: what waits is not wanted any more, and it ends with 1006. */
  #discard(): void {
    this.#isGivenUp = true;
    this.#backlog.clear();
  }

  #close(code: number | undefined, reason: string): void {
    this.#state = "closing";
    // To Chromium a code that is undefined, with a reason behind it, is 0.
    if (code === undefined) this.#socket!.close();
    else this.#socket!.close(code, reason);
    this.limit(this.settings.closeTimeout);
    this.#owner.closing();
  }

  /** As far as a page can: the browser still goes through the closing handshake, but nobody waits for it. */
  terminate(): void {
    if (this.closeInfo) return;
    const wasConnecting = this.#state === "connecting";
    this.#state = "closing";
    this.#discard();
    if (wasConnecting) this.#owner.handshakeAbandoned();
    else void Promise.resolve().then(() => this.finish());
  }

  #endIfDone(): void {
    const info = this.#browserInfo;
    if (!info || !this.#backlog.isEmpty) return;
    if (this.#state === "connecting") return this.#owner.handshakeEnded();
    if (this.#isBroken && this.#state === "open")
      this.#owner.failed(new ConnectionError("ERR_TRANSPORT", "The connection broke; a page is not told why."));
    this.finish(this.#isGivenUp ? undefined : info);
  }

  /** The connection is closed. */
  finish(info: CloseInfo = { code: ABNORMAL_CLOSURE, reason: "", wasClean: false }): void {
    if (this.closeInfo) return;
    clearTimeout(this.#timer);
    this.#state = "closed";
    this.closeInfo = info;
    this.#detach();
    const error = new ConnectionError("ERR_CLOSED", "The connection was closed first.");
    for (const callback of this.sender.abandon()) callback(error);
    this.#owner.closed(info);
  }

  #detach(): void {
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    socket.close();
  }
}
