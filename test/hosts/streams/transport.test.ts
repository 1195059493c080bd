import { describe, expect, it } from "vitest";
import type { Transport, TransportHandler } from "../../../src/driver.ts";
import { isStreamPair, StreamsTransport, type StreamPair } from "../../../src/hosts/streams-transport.ts";
import { concat, equal, noise } from "../../helpers/bytes.ts";
import { HeldPair } from "../../helpers/stream-pairs.ts";
import { thrownBy, turns, until } from "../../helpers/until.ts";

type Report = ["data", ...number[]] | ["end"] | ["close", Error | undefined] | ["done", number, string | undefined];

/** A transport with all that it reports, which must never come from inside a call to it. */
class Watched implements TransportHandler {
  readonly transport: StreamsTransport;
  readonly reports: Report[] = [];
  onData: (chunk: Uint8Array) => void = () => undefined;
  #isCalling = false;

  constructor(pair: StreamPair, head?: Uint8Array) {
    this.transport = new StreamsTransport(pair, head);
  }

  /** Calls the transport. */
  call<T>(work: (transport: Transport) => T): T {
    this.#isCalling = true;
    try {
      return work(this.transport);
    } finally {
      this.#isCalling = false;
    }
  }

  start(): this {
    this.call((transport) => transport.start(this));
    return this;
  }

  write(number: number, ...chunks: Uint8Array[]): void {
    this.call((transport) =>
      transport.write(chunks, (error) => this.#report(["done", number, error === undefined ? error : error!.message])),
    );
  }

  data(chunk: Uint8Array): void {
    this.#report(["data", ...chunk]);
    this.onData(chunk);
  }

  end(): void {
    this.#report(["end"]);
  }

  close(error?: Error): void {
    this.#report(["close", error]);
  }

  /** The values of the chunks. */
  get values(): number[] {
    return this.reports.flatMap(([name, ...values]) => (name === "data" ? (values as number[]) : []));
  }

  get names(): string[] {
    return this.reports.map(([name]) => name);
  }

  async until(name: Report[0]): Promise<void> {
    await until(() => this.names.includes(name));
  }

  #report(report: Report): void {
    if (this.#isCalling) throw new Error(`A "${report[0]}" is reported from inside a call.`);
    this.reports.push(report);
  }
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe.each([["default"], ["bytes"]] as const)("a readable of the kind %s", (kind) => {
  const make = (head?: Uint8Array): { pair: HeldPair; watched: Watched } => {
    const pair = new HeldPair(kind === "bytes" ? kind : undefined);
    return { pair, watched: new Watched(pair, head) };
  };

  it("is not read before start", async () => {
    const { pair, watched } = make();
    pair.give(bytes(1, 2));
    await turns();
    expect([pair.pulls, watched.reports]).toEqual([0, []]);
    watched.start();
    await watched.until("data");
    expect(watched.reports).toEqual([["data", 1, 2]]);
  });

  it("comes behind what was read from it already", async () => {
    const { pair, watched } = make(bytes(1));
    pair.give(bytes(2));
    watched.start();
    pair.give(bytes(3));
    await until(() => watched.values.includes(3));
    expect(watched.values).toEqual([1, 2, 3]);
    expect(watched.reports[0]).toEqual(["data", 1]);
  });

  it("is handed over by another start, also in the middle of a report", async () => {
    const { pair, watched } = make(bytes(1));
    const other = new Watched(new HeldPair());
    watched.onData = () => watched.transport.start(other);
    watched.start();
    await watched.until("data");
    pair.give(bytes(2));
    await other.until("data");
    watched.transport.destroy();
    await other.until("close");
    await turns();
    expect(watched.reports).toEqual([["data", 1]]);
    expect(other.reports).toEqual([
      ["data", 2],
      ["close", undefined],
    ]);
  });

  it("is asked for nothing while paused, but for the chunk under way", async () => {
    const { pair, watched } = make();
    watched.start();
    await until(() => pair.pulls === 1);
    watched.call((transport) => transport.pause());
    watched.call((transport) => transport.pause());
    pair.give(bytes(1));
    await watched.until("data");
    pair.give(bytes(2));
    await turns();
    expect(watched.reports).toEqual([["data", 1]]);
    watched.call((transport) => transport.resume());
    watched.call((transport) => transport.pause());
    await turns();
    expect(watched.reports).toEqual([["data", 1]]);
    watched.call((transport) => transport.resume());
    watched.call((transport) => transport.resume());
    await until(() => watched.reports.length === 2);
    expect(watched.reports[1]).toEqual(["data", 2]);
    pair.give(bytes(3));
    await until(() => watched.reports.length === 3);
  });

  it("may be paused and resumed from inside a report", async () => {
    const { pair, watched } = make();
    watched.onData = () => {
      watched.transport.pause();
      setImmediate(() => watched.transport.resume());
    };
    watched.start();
    for (let i = 1; i <= 5; i++) pair.give(bytes(i));
    pair.giveEnd();
    await watched.until("end");
    expect(watched.values).toEqual([1, 2, 3, 4, 5]);
  });

  it("may have ended before start", async () => {
    const { pair, watched } = make();
    pair.giveEnd();
    await turns();
    watched.start();
    await watched.until("end");
    expect(watched.reports).toEqual([["end"]]);
  });

  it.each([
    ["before start", (): void => undefined],
    ["while it is read", (watched: Watched) => void watched.start()],
    ["while paused", (watched: Watched) => watched.start().transport.pause()],
  ])("may break %s", async (_, before) => {
    const { pair, watched } = make();
    const error = new Error("reset");
    before(watched);
    watched.write(1, bytes(1));
    await until(() => pair.writes.length === 1);
    pair.breakReadable(error);
    await turns();
    if (!watched.names.includes("close")) watched.start();
    await watched.until("close");
    await turns();
    expect(watched.reports).toEqual([
      ["done", 1, "reset"],
      ["close", error],
    ]);
    // The pair waits for the write under way to settle before it aborts.
    pair.writes[0]!.take();
    await until(() => pair.abortReason === error);
    expect([pair.readable.locked, pair.writable.locked]).toEqual([false, false]);
  });

  it("is cancelled by destroy, and reports nothing any more", async () => {
    const { pair, watched } = make();
    pair.give(bytes(1));
    watched.start();
    watched.call((transport) => transport.destroy());
    watched.call((transport) => transport.destroy());
    await watched.until("close");
    watched.call((transport) => transport.resume());
    await turns();
    expect(watched.reports).toEqual([["close", undefined]]);
    expect(pair.cancelReason).toEqual(new Error("The socket was destroyed."));
    expect(pair.readable.locked).toBe(false);
  });

  it("drops a chunk that is on its way when the transport is destroyed", async () => {
    const { pair, watched } = make();
    watched.start();
    await until(() => pair.pulls === 1);
    pair.give(bytes(1));
    watched.call((transport) => transport.destroy());
    await watched.until("close");
    await turns();
    expect(watched.reports).toEqual([["close", undefined]]);
  });

  it("closes as broken when a report throws", async () => {
    const { pair, watched } = make();
    const defect = new Error("a defect");
    watched.onData = () => {
      throw defect;
    };
    watched.start();
    pair.give(bytes(1));
    await watched.until("close");
    expect(watched.reports).toEqual([
      ["data", 1],
      ["close", defect],
    ]);
  });
});

describe("a byte stream", () => {
  /** The lengths of the buffers that are read into, and what is read. */
  async function read(lengths: readonly number[]): Promise<{ sizes: number[]; buffers: Set<ArrayBufferLike> }> {
    const sizes: number[] = [];
    const buffers = new Set<ArrayBufferLike>();
    const source = lengths.slice();
    const readable = new ReadableStream({
      type: "bytes",
      pull: (controller) => {
        const view = controller.byobRequest!.view as Uint8Array;
        sizes.push(view.byteLength);
        buffers.add(view.buffer);
        if (source.length === 0) {
          controller.close();
          controller.byobRequest!.respond(0);
        } else controller.byobRequest!.respond(Math.min(source.shift()!, view.byteLength));
      },
    });
    const watched = new Watched({
      readable: readable,
      writable: new WritableStream(),
    });
    // Theirs to overwrite.
    watched.onData = (chunk) => chunk.fill(0xff);
    watched.start();
    await watched.until("end");
    return { sizes, buffers };
  }

  it("is read into a buffer that is small while little comes, and grows with what comes", async () => {
    const much = 1 << 20;
    const { sizes } = await read([300, 20, 4096, much, much, much, 20000, 16384, 16383, 4095, 20, 4096]);
    // prettier-ignore
    expect(sizes).toEqual([4096, 4096, 4096, 16384, 65536, 65536, 65536, 65536, 65536, 16384, 4096, 4096, 16384]);
  });

  it("gives all that a writer of any chunks wrote", async () => {
    const pair = new HeldPair("bytes");
    const watched = new Watched(pair).start();
    const sent = [1, 4096, 4097, 70_000, 16, 300_000].map((length, i) => noise(length, i));
    const got: Uint8Array[] = [];
    watched.onData = (chunk) => {
      got.push(chunk.slice());
      chunk.fill(0);
    };
    for (const chunk of sent) pair.give(chunk.slice());
    pair.giveEnd();
    await watched.until("end");
    expect(equal(concat(...got), concat(...sent))).toBe(true);
  });
});

describe("a default stream", () => {
  it("may give views of other types, but nothing else", async () => {
    const pair = new HeldPair();
    const watched = new Watched(pair).start();
    pair.give(new DataView(bytes(9, 1, 2, 9).buffer, 1, 2));
    pair.give(new Uint8Array(0));
    pair.give(Buffer.from([3]));
    pair.give("text");
    await watched.until("close");
    expect(watched.reports).toEqual([
      ["data", 1, 2],
      ["data", 3],
      ["close", expect.objectContaining({ name: "TypeError", code: "ERR_DATA_TYPE" })],
    ]);
  });
});

describe("a writable", () => {
  const make = (): { pair: HeldPair; watched: Watched } => {
    const pair = new HeldPair();
    return { pair, watched: new Watched(pair).start() };
  };
  const taken = async (pair: HeldPair, count: number): Promise<Uint8Array> => {
    await until(() => pair.writes.length === count);
    pair.writes[count - 1]!.take();
    return pair.writes[count - 1]!.bytes;
  };

  it("takes writes in order, and tells of each once it is taken", async () => {
    const { pair, watched } = make();
    watched.write(1, bytes(1), bytes(2, 3));
    await until(() => pair.writes.length === 1);
    watched.write(2, bytes(4));
    watched.write(3, bytes(5), bytes(6));
    expect([watched.transport.bufferedAmount, watched.reports]).toEqual([6, []]);
    expect(await taken(pair, 1)).toEqual(bytes(1, 2, 3));
    await watched.until("done");
    expect([watched.transport.bufferedAmount, watched.reports]).toEqual([3, [["done", 1, undefined]]]);
    expect(await taken(pair, 2)).toEqual(bytes(4, 5, 6));
    await until(() => watched.reports.length === 3);
    expect(watched.reports).toEqual([1, 2, 3].map((number) => ["done", number, undefined]));
    expect(watched.transport.bufferedAmount).toBe(0);
  });

  it("gets one piece at a time, of at most 64 KiB", async () => {
    const { pair, watched } = make();
    const sent = [noise(100_000), noise(50, 2), noise(65_536, 3), new Uint8Array(0), noise(7, 4)];
    sent.forEach((chunk, i) => watched.write(i, chunk));
    const total = sent.reduce((sum, { length }) => sum + length, 0);
    const got: Uint8Array[] = [];
    for (let left = total; left > 0;) {
      await until(() => pair.writes.length === got.length + 1);
      await turns(10);
      expect([pair.writes.length, watched.transport.bufferedAmount]).toEqual([got.length + 1, left]);
      got.push(await taken(pair, got.length + 1));
      left -= got.at(-1)!.length;
      await until(() => watched.transport.bufferedAmount === left);
    }
    expect(got.map(({ length }) => length)).toEqual([65_536, 65_536, total - 2 * 65_536]);
    expect(equal(concat(...got), concat(...sent))).toBe(true);
    await turns();
    expect(watched.reports).toEqual(sent.map((_, i) => ["done", i, undefined]));
  });

  it("gets memory of its own, which it may transfer away", async () => {
    const { pair, watched } = make();
    const memory = noise(200_000);
    const sent = memory.slice();
    watched.write(1, memory.subarray(0, 10), memory.subarray(10));
    const got: Uint8Array[] = [];
    while (got.length < 4) {
      const piece = await taken(pair, got.length + 1);
      got.push(structuredClone(piece, { transfer: [piece.buffer as ArrayBuffer] }));
    }
    await watched.until("done");
    expect([equal(memory, sent), equal(concat(...got), sent)]).toEqual([true, true]);
  });

  it("is not bothered with nothing", async () => {
    const { pair, watched } = make();
    watched.write(1, new Uint8Array(0));
    await watched.until("done");
    expect([watched.reports, pair.writes]).toEqual([[["done", 1, undefined]], []]);
  });

  it("may be written to before start, and from inside done", async () => {
    const pair = new HeldPair();
    const watched = new Watched(pair);
    watched.transport.write([bytes(1)], () => watched.write(2, bytes(2)));
    await taken(pair, 1);
    expect(await taken(pair, 2)).toEqual(bytes(2));
    await watched.until("done");
  });

  it("is closed by end, behind what is written; then nothing is sent, and reading goes on", async () => {
    const { pair, watched } = make();
    watched.write(1, bytes(1));
    watched.call((transport) => transport.end());
    watched.call((transport) => transport.end());
    watched.write(2, bytes(2));
    expect(watched.transport.bufferedAmount).toBe(1);
    await watched.until("done");
    expect(watched.reports).toEqual([["done", 2, "The socket was ended."]]);
    expect(pair.isClosing).toBe(false);
    await taken(pair, 1);
    await until(() => pair.isClosing);
    pair.closing.resolve();
    pair.give(bytes(3));
    await watched.until("data");
    expect(pair.writes.length).toBe(1);
    pair.giveEnd();
    await watched.until("close");
    expect(watched.reports.slice(1)).toEqual([["done", 1, undefined], ["data", 3], ["end"], ["close", undefined]]);
    expect([pair.readable.locked, pair.writable.locked]).toEqual([false, false]);
    expect([pair.abortReason, pair.cancelReason]).toEqual([undefined, undefined]);
  });

  it("may be closed after the peer's end", async () => {
    const { pair, watched } = make();
    pair.giveEnd();
    await watched.until("end");
    watched.write(1, bytes(1));
    await taken(pair, 1);
    watched.call((transport) => transport.end());
    await until(() => pair.isClosing);
    await turns();
    expect(watched.names).toEqual(["end", "done"]);
    pair.closing.resolve();
    await watched.until("close");
    expect(watched.reports.at(-1)).toEqual(["close", undefined]);
  });

  it.each([
    ["its close() never resolves", (watched: Watched) => watched.transport.end()],
    ["a write never does", (watched: Watched) => watched.write(1, bytes(1))],
  ])("is given up by destroy, though %s", async (_, before) => {
    const { pair, watched } = make();
    before(watched);
    await until(() => pair.isClosing || pair.writes.length > 0);
    watched.write(2, bytes(2));
    watched.call((transport) => transport.destroy());
    expect(watched.transport.bufferedAmount).toBe(0);
    watched.write(3, bytes(3));
    await watched.until("close");
    await turns();
    expect(watched.reports.filter(([name]) => name === "close")).toEqual([["close", undefined]]);
    const dones = watched.reports.filter(([name]) => name === "done");
    for (const [, , message] of dones) expect(message).toMatch(/destroyed|ended/);
    expect([pair.writable.locked, pair.writes.length + Number(pair.isClosing)]).toEqual([false, 1]);
  });

  it("is sent nothing of what was written in the turn of destroy", async () => {
    const { pair, watched } = make();
    watched.write(1, bytes(1));
    watched.call((transport) => transport.destroy());
    await watched.until("close");
    await turns();
    expect([watched.names, pair.writes]).toEqual([["done", "close"], []]);
  });

  it("tells of a write once, also when it is taken after destroy", async () => {
    const { pair, watched } = make();
    watched.write(1, bytes(1));
    await until(() => pair.writes.length === 1);
    watched.call((transport) => transport.destroy());
    pair.writes[0]!.take();
    await watched.until("close");
    await turns();
    expect(watched.reports).toEqual([
      ["done", 1, "The socket was destroyed."],
      ["close", undefined],
    ]);
    expect(watched.transport.bufferedAmount).toBe(0);
  });

  it.each([
    ["while idle", (): void => undefined],
    ["while it is written to", (_: HeldPair, watched: Watched) => watched.write(1, bytes(1))],
    ["while it closes", (_: HeldPair, watched: Watched) => watched.transport.end()],
  ])("may break %s", async (_, before) => {
    const { pair, watched } = make();
    const error = new Error("EPIPE");
    before(pair, watched);
    await turns();
    pair.breakWritable(error);
    pair.writes[0]?.refuse(error);
    if (pair.isClosing) pair.closing.reject(error);
    await watched.until("close");
    await turns();
    expect(watched.reports.at(-1)).toEqual(["close", error]);
    expect(watched.names.filter((name) => name === "close")).toEqual(["close"]);
    expect(watched.reports.filter(([name]) => name === "done")).toEqual(pair.writes.map(() => ["done", 1, "EPIPE"]));
    expect(pair.cancelReason).toBe(error);
  });

  it("may refuse a write, with whatever it likes", async () => {
    const { pair, watched } = make();
    watched.write(1, bytes(1));
    watched.write(2, bytes(2));
    await until(() => pair.writes.length === 1);
    pair.writes[0]!.refuse("no more");
    await watched.until("close");
    expect(watched.reports).toEqual([
      ["done", 1, "no more"],
      ["done", 2, "no more"],
      ["close", new Error("no more")],
    ]);
  });
});

describe("a transport that is destroyed before start", () => {
  it("reports its close to who starts it, once each", async () => {
    const pair = new HeldPair();
    const watched = new Watched(pair);
    watched.call((transport) => transport.destroy());
    await turns();
    expect(pair.readable.locked).toBe(false);
    watched.start();
    expect(watched.reports).toEqual([]);
    await watched.until("close");
    await turns();
    expect(watched.reports).toEqual([["close", undefined]]);
    const late = new Watched(new HeldPair());
    watched.transport.start(late);
    await late.until("close");
    expect([late.names, watched.names]).toEqual([["close"], ["close"]]);
  });

  it("reports it once, though it is started in the same turn", async () => {
    const watched = new Watched(new HeldPair());
    watched.call((transport) => transport.destroy());
    watched.start();
    await watched.until("close");
    await turns();
    expect(watched.reports).toEqual([["close", undefined]]);
  });
});

describe("what is no free pair of streams", () => {
  it("is told apart", () => {
    expect(isStreamPair(new TransformStream())).toBe(true);
    for (const no of [
      undefined,
      null,
      5,
      "x",
      {},
      { readable: new ReadableStream() },
      { writable: new WritableStream() },
    ])
      expect(isStreamPair(no)).toBe(false);
  });

  it("is refused while it is locked, and left alone", async () => {
    for (const which of ["readable", "writable"] as const) {
      const pair = new HeldPair();
      const lock = which === "readable" ? pair.readable.getReader() : pair.writable.getWriter();
      const error = await thrownBy(() => new StreamsTransport(pair));
      expect(error).toMatchObject({ name: "TypeError", code: "ERR_OPTION_TYPE" });
      lock.releaseLock();
      expect([pair.readable.locked, pair.writable.locked]).toEqual([false, false]);
    }
  });
});

describe("streams that do not let themselves be given up", () => {
  it("change nothing", async () => {
    const pair = new HeldPair();
    const no = (): never => {
      throw new Error("no");
    };
    const reader = Object.assign(pair.readable.getReader(), { cancel: no, releaseLock: no });
    const writer = Object.assign(pair.writable.getWriter(), {
      abort: () => Promise.reject(new Error("no")),
      releaseLock: no,
    });
    const stubborn = {
      readable: { locked: false, getReader: () => reader },
      writable: { locked: false, getWriter: () => writer },
    };
    const watched = new Watched(stubborn).start();
    watched.call((transport) => transport.destroy());
    await watched.until("close");
    expect(watched.reports).toEqual([["close", undefined]]);
  });
});

it("knows of its peer what it is told", () => {
  const transport = new StreamsTransport(new HeldPair());
  expect(transport).toMatchObject({ remoteAddress: undefined, remotePort: undefined, secure: false });
  expect(Object.assign(transport, { remoteAddress: "192.0.2.1", secure: true })).toMatchObject({ secure: true });
});
