/**
 * A transport over one of Node's own TCP sockets.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { getSystemErrorName } from "node:util";
import { DuplexTransport } from "./duplex.ts";
import type { Done } from "./pieces.ts";
import { borrow, giveBack } from "./spare-memory.ts";

/** What Node asks of a handle for each write, and tells at its end unless the system took all at once. */
interface WriteRequest {
  /** -1 unless a write under way holds it, which also one can of which nothing waits any more. */
  getAsyncId(): number;
  oncomplete: (status: number) => void;
  /** Keeps them until the end. */
  chunks?: readonly Uint8Array[];
}

/** What is below a `net.Socket`. Nothing of it is documented. */
interface Handle {
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, chunks: readonly Uint8Array[], areAllBytes: true): number;
  readonly writeQueueSize: number;
}

/** The class of {@link WriteRequest}, once a write has shown it; null where it is not what is expected. */
let Request: (new () => WriteRequest) | null | undefined;
/** One that was not needed to the end serves again. */
let spare: WriteRequest | undefined;
const notUnderWay = -1;

/**
 * Writes past the stream, to the handle below it, which costs a third of an echo of short messages less. What is not
 * documented of that is looked at first; where it is something else, the stream itself does.
 */
export class NodeTransport extends DuplexTransport {
  /** Bytes of a write past the stream that the system has not taken at once. */
  #underWay = 0;

  writeNow(memory: Uint8Array, from: number, to: number, done: Done): boolean {
    // Of what the system does not take at once, Node keeps no copy.
    const length = to - from;
    const copy = borrow(length);
    const bytes = copy.subarray(0, length);
    bytes.set(memory.subarray(from, to));
    const isTaken = this.#write([bytes], done);
    // A write under way keeps it.
    if (isTaken) giveBack(copy);
    return isTaken;
  }

  override write(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#write(chunks, done)) queueMicrotask(done);
  }

  /** Answers whether the system has taken all. */
  #write(chunks: readonly Uint8Array[], done: Done): boolean {
    const handle = this.#handle;
    if (!handle) {
      super.write(chunks, done);
      return false;
    }
    const request = spare ?? new Request!();
    spare = undefined;
    const status = chunks.length === 1 ? handle.writeBuffer(request, chunks[0]!) : handle.writev(request, chunks, true);
    if (status === 0 && request.getAsyncId() === notUnderWay) {
      spare = request;
      return true;
    }
    // What went wrong will do so again, and then the stream knows of it.
    if (status === 0) this.#await(request, chunks, done);
    else super.write(chunks, done);
    return false;
  }

  /** What to write to; undefined where the stream must do it, for now or altogether. */
  get #handle(): Handle | undefined {
    const { _handle: handle, writableLength, writable } = this.raw as Duplex & { readonly _handle: Handle | null };
    if (!handle || writableLength > 0 || !writable || this.#underWay > 0 || handle.writeQueueSize !== 0)
      return undefined;
    if (Request === undefined) learn(handle);
    return Request ? handle : undefined;
  }

  #await(request: WriteRequest, chunks: readonly Uint8Array[], done: Done): void {
    for (const { length } of chunks) this.#underWay += length;
    request.chunks = chunks;
    request.oncomplete = (status) => {
      this.#underWay = 0;
      const error = status < 0 ? writeError(status) : undefined;
      if (error && !this.raw.destroyed) this.raw.destroy(error);
      done(error);
    };
  }

  override get bufferedAmount(): number {
    return super.bufferedAmount + this.#underWay;
  }
}

/** Node's next write to `handle` shows the class of its requests. */
function learn(handle: Handle): void {
  const { writeBuffer, writev } = handle as { readonly writeBuffer?: unknown; readonly writev?: unknown };
  if (typeof writeBuffer !== "function" || typeof writev !== "function") return void (Request = null);
  handle.writeBuffer = (request, bytes) => {
    Reflect.deleteProperty(handle, "writeBuffer");
    // Some versions of Node try without one first.
    const shown = (request as WriteRequest | null)?.constructor as (new () => WriteRequest) | undefined;
    Request = shown?.name === "WriteWrap" && isIdle(new shown()) ? shown : null;
    return handle.writeBuffer(request, bytes);
  };
}

function isIdle(request: Partial<WriteRequest>): boolean {
  return request.getAsyncId?.() === notUnderWay;
}

/** As Node has it. */
function writeError(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { errno, code, syscall: "write" });
}
