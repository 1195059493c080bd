// Sockets in memory. Their peer answers what comes first with chunks, and ends its stream behind them; `worked` is called
// in between, when all are worked through. Both keep what was sent, a character for each byte, as `received`.
import { latin1 } from "./bytes.mjs";

/** As a `Transport` of hybi's. */
export class MemoryTransport {
  received = "";
  bufferedAmount = 0;
  secure = false;
  #handler;
  #answer;
  #worked;
  #isFirst;

  /** `isFirst` is for a peer that does not wait for anything. */
  constructor(answer, worked, isFirst = false) {
    this.#answer = answer;
    this.#worked = worked;
    this.#isFirst = isFirst;
  }

  start(handler) {
    if (this.#isFirst && !this.#handler) queueMicrotask(() => this.#play());
    this.#handler = handler;
  }

  write(chunks, done) {
    if (!this.#isFirst && this.received === "") queueMicrotask(() => this.#play());
    for (const chunk of chunks) this.received += latin1(chunk);
    queueMicrotask(done);
  }

  #play() {
    // In memory of their own, since they may be written into.
    for (const chunk of this.#answer(this.received)) this.#handler.data(chunk.slice());
    this.#worked();
    this.#handler.end();
    this.#handler.close();
  }

  end() {}
  destroy() {}
  pause() {}
  resume() {}
}

/** As a pair of web streams. */
export class MemoryStreams {
  received = "";
  readable;
  writable;

  constructor(answer, worked) {
    let hear;
    const heard = new Promise((resolve) => (hear = resolve));
    this.writable = new WritableStream({
      write: (chunk) => {
        this.received += latin1(chunk);
        hear(this.received);
      },
    });
    let chunks;
    const pull = async (controller) => {
      chunks ??= answer(await heard)[Symbol.iterator]();
      const { done, value } = chunks.next();
      if (!done) return controller.enqueue(value.slice());
      worked();
      controller.close();
    };
    this.readable = new ReadableStream({ pull }, { highWaterMark: 0 });
  }
}
