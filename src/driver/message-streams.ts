/**
 * A connection's messages as a pair of web streams (Streams Standard), under the names that the proposal WebSocketStream
 * gives them. A message leaves the socket when someone reads it, or nearly; a write lasts until the system has taken it.
 *
 * @module
 */
import { ConnectionError } from "../errors.ts";
import { isScriptCloseCode } from "../protocol/close.ts";
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
  /** The writable has that error at once; otherwise at the next write, so that what is piped into it can end well. */
  readonly errsWhenClosed: boolean;
  /** For both streams of one that was not. */
  lostError(info: CloseInfo, cause: Error | undefined): Error;
}

export const connectionFace: StreamFace = {
  dataOf: (chunk) => chunk as Data,
  closedError: () => new ConnectionError("ERR_NOT_OPEN", "The connection is closed: nothing can be written to it."),
  errsWhenClosed: false,
  lostError: ({ code }, cause) => new ConnectionError("ERR_CLOSED", `It was closed with ${code}.`, { cause }),
};

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
  /** How the connection ended, once it has: with what writes get, and reads when messages may be missing. */
  #end: { readonly wasClean: boolean; readonly error: Error } | undefined;
  /** A write that cannot be done, since the connection is about to end: what to tell it is known then. */
  #rejectWrite: ((error: Error) => void) | undefined;

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
      close: () => this.close(undefined, ""),
      abort: (reason) => this.#closeUsing(reason),
    });
  }

  /** Starts the closing handshake. What has come by then can be read, what comes behind it is dropped. */
  close(code: number | undefined, reason: string): void {
    this.#sending.close(code, reason);
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#takeAll();
  }

  /** The connection is over, and `cause` is what broke it, if that is known. */
  ended(info: CloseInfo, cause: Error | undefined): void {
    const error = info.wasClean ? this.#face.closedError() : this.#face.lostError(info, cause);
    this.#end = { wasClean: info.wasClean, error };
    this.#rejectWrite?.(error);
    if (!info.wasClean || this.#face.errsWhenClosed) this.#writing.error(error);
    this.#endReadable();
  }

  #takeAll(): void {
    for (const message of this.#receiving.discard()) if (!this.#isReadableOver) this.#reading.enqueue(message);
  }

  #endReadable(): void {
    if (!this.#end || this.#isReadableOver || this.#isPulling) return;
    const { wasClean, error } = this.#end;
    // An error would take away from the reader what has come before it.
    if (!wasClean && !this.#receiving.isEmpty) return;
    this.#takeAll();
    this.#isReadableOver = true;
    if (wasClean) this.#reading.close();
    else this.#reading.error(error);
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
      const callback = (error?: Error): void => {
        if (!error) resolve();
        else if (this.#end) reject(this.#end.error);
        else if ((error as Partial<ConnectionError>).code === "ERR_DROPPED") reject(error);
        else this.#rejectWrite = reject;
      };
      this.#sending.as(this.#face.dataOf(chunk), { callback });
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
