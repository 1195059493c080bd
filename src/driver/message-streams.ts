/**
 * A connection's messages as a pair of web streams (Streams Standard), under the names that the proposal WebSocketStream
 * gives them. A message leaves the socket when someone reads it, or nearly; a write lasts until the system has taken it.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import { ABNORMAL_CLOSURE, isScriptCloseCode } from "../protocol/close.ts";
import type { Data, Message } from "../protocol/data.ts";
import type { CloseInfo } from "./link-owner.ts";
import type { Receiving } from "./receiving.ts";
import type { Sending } from "./sending.ts";

type ReadingEnd = Parameters<NonNullable<ConstructorParameters<typeof ReadableStream<Message>>[0]>["pull"] & object>[0];
type WritingEnd = Parameters<NonNullable<ConstructorParameters<typeof WritableStream<Data>>[0]>["start"] & object>[0];

/** What a face of the standard's does in its own way. */
export interface StreamFace {
  /** What to send for a chunk that was written. */
  dataOf(chunk: unknown): Data;
  /** For who writes to a connection that was closed cleanly. */
  closedError(): Error;
  /**
   * The writable has that error at once, closing it lasts until the connection is closed, and a write that is not done
   * when the peer closes is lost. Otherwise it errs at the next write, so that what is piped into it can end well.
   */
  readonly endsWithConnection: boolean;
  /** For both streams of one that was not. */
  lostError(info: CloseInfo, cause: Error | undefined): Error;
}

export const connectionFace: StreamFace = {
  dataOf: (chunk) => chunk as Data,
  closedError: () => new ConnectionError("ERR_NOT_OPEN", "The connection is closed: nothing can be written to it."),
  endsWithConnection: false,
  lostError: ({ code }, cause) => new ConnectionError("ERR_CLOSED", `It was closed with ${code}.`, { cause }),
};

/** How a connection ended: what writes get, and what reads get when something may be missing. */
interface End {
  readonly writeError: Error;
  readonly lostError: Error | undefined;
}

export class MessageStreams {
  readonly readable: ReadableStream<Message>;
  readonly writable: WritableStream<Data>;
  readonly #receiving: Receiving;
  readonly #sending: Sending;
  readonly #face: StreamFace;
  #reading!: ReadingEnd;
  #writing!: WritingEnd;
  /** Nothing can be put into the readable any more. */
  #isReadableOver = false;
  /** A message is on its way from the inbox to the readable. */
  #isPulling = false;
  /** This side has begun to close: what still comes is not wanted. */
  #isClosing = false;
  #end: End | undefined;
  /** Settles what the writable waits for, a write or its close, by how the connection ends. */
  #settle: ((end: End) => void) | undefined;
  /** A write is not done, of which something may have left. */
  #isUnderWay = false;
  /** The peer closed while a write was not done. */
  #isCutOff = false;

  constructor(receiving: Receiving, sending: Sending, face: StreamFace) {
    this.#receiving = receiving;
    this.#sending = sending;
    this.#face = face;
    this.readable = new ReadableStream<Message>(
      {
        start: (controller) => void (this.#reading = controller),
        pull: () => this.#pull(),
        cancel: (reason) => {
          this.#isReadableOver = true;
          this.#closeUsing(reason);
        },
      },
      // What waits does so in the inbox, which knows when to stop the peer.
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<Data>({
      start: (controller) => void (this.#writing = controller),
      write: (chunk) => this.#write(chunk),
      close: () => this.#closeWritable(),
      abort: (reason) => this.#closeUsing(reason),
    });
  }

  /** Starts the closing handshake. What has come by then can be read, what comes behind it is dropped. */
  close(code: number | undefined, reason: string): void {
    const wasClosing = this.#isClosing;
    this.#isClosing = true;
    this.#sending.close(code, reason);
    if (!wasClosing) this.#takeAll();
  }

  /** The connection is closing, whoever began. */
  closing(): void {
    if (!this.#isClosing) this.#cutOff();
  }

  /** The connection is over, and `cause` is what broke it, if that is known. */
  ended(info: CloseInfo, cause: Error | undefined): void {
    const wasClosed = info.code !== ABNORMAL_CLOSURE;
    // A page may not learn before that its peer has closed.
    if (wasClosed) this.#cutOff();
    const isLost = !info.wasClean || this.#isCutOff;
    const lostError = isLost ? this.#face.lostError(info, cause) : undefined;
    const writeError = lostError && !(wasClosed && this.#isCutOff) ? lostError : this.#face.closedError();
    this.#end = { writeError, lostError };
    this.#settle?.(this.#end);
    if (!info.wasClean || this.#face.endsWithConnection) this.#writing.error(writeError);
    this.#endReadable();
  }

  /** What there is to say of a connection that is over, unless it was closed cleanly. */
  get lostError(): Error | undefined {
    return this.#end?.lostError;
  }

  /** What is being written is lost, though some of it may have gone over. */
  #cutOff(): void {
    if (this.#face.endsWithConnection && this.#isUnderWay) this.#isCutOff = true;
  }

  #takeAll(): void {
    for (const message of this.#receiving.discard()) if (!this.#isReadableOver) this.#reading.enqueue(message);
  }

  #endReadable(): void {
    if (!this.#end || this.#isReadableOver || this.#isPulling) return;
    const { lostError } = this.#end;
    // An error would take away from the reader what has come before it.
    if (lostError && !this.#receiving.isEmpty) return;
    this.#takeAll();
    this.#isReadableOver = true;
    if (lostError) this.#reading.error(lostError);
    else this.#reading.close();
  }

  async #pull(): Promise<void> {
    if (this.#isClosing) return;
    this.#isPulling = true;
    let message: Message | undefined;
    try {
      message = await this.#receiving.read();
    } catch {
      // `ended` says it, and better.
    }
    this.#isPulling = false;
    if (message !== undefined && !this.#isClosing && !this.#isReadableOver) this.#reading.enqueue(message);
    this.#endReadable();
  }

  #write(chunk: Data): Promise<void> {
    return new Promise((resolve, reject) => {
      const data = this.#face.dataOf(chunk);
      this.#settle = ({ writeError }) => reject(writeError);
      this.#isUnderWay = true;
      const callback = (error?: Error): void => {
        const { code } = (error ?? {}) as Partial<ConnectionError>;
        const wasDropped = error !== undefined && code === "ERR_DROPPED";
        // ERR_NOT_OPEN: the connection was closing already.
        this.#isUnderWay = error !== undefined && !wasDropped && code !== "ERR_NOT_OPEN";
        const isSent = !error && !this.#isCutOff;
        if (isSent || wasDropped) this.#settle = undefined;
        if (isSent) resolve();
        else if (wasDropped) reject(error);
        else if (this.#end) reject(this.#end.writeError);
      };
      this.#sending.as(data, { callback });
    });
  }

  #closeWritable(): Promise<void> | undefined {
    this.close(undefined, "");
    if (!this.#face.endsWithConnection) return undefined;
    return new Promise((resolve, reject) => {
      this.#settle = ({ lostError }) => (lostError ? reject(lostError) : resolve());
    });
  }

  /** "Close using reason" (WebSocketStream): a WebSocketError says what to close with, of whichever realm or maker. */
  #closeUsing(given: unknown): void {
    const { name, closeCode, reason } = Object(given) as { name?: unknown; closeCode?: unknown; reason?: unknown };
    const isSendable = typeof closeCode === "number" && isScriptCloseCode(closeCode);
    if (name === "WebSocketError" && isSendable && typeof reason === "string") this.close(closeCode, reason);
    else this.close(undefined, "");
  }
}
