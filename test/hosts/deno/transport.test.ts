import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Conn } from "../../../src/hosts/deno-conn.ts";
import { DenoTransport } from "../../../src/hosts/deno-transport.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { deferred, turns } from "../../helpers/until.ts";

const SMALL = 2048;
const LARGE = 131_072;

interface Pending<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** A socket of Deno's kind, whose reads and writes the test settles. */
class FakeConn implements Conn {
  readonly remoteAddr = { hostname: "192.0.2.1", port: 4711 };
  /** The read under way, or none; the same for writes. */
  readonly reads: (Pending<number | null> & { readonly into: Uint8Array })[] = [];
  readonly writes: (Pending<number> & { readonly bytes: Uint8Array })[] = [];
  readonly calls: string[] = [];

  read(into: Uint8Array): Promise<number | null> {
    const { promise, resolve, reject } = deferred<number | null>();
    this.reads.push({ into, resolve, reject });
    return promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve, reject } = deferred<number>();
    this.writes.push({ bytes, resolve, reject });
    return promise;
  }

  closeWrite(): Promise<void> {
    this.calls.push("closeWrite");
    return Promise.resolve();
  }

  close(): void {
    this.calls.push("close");
    const error = Object.assign(new Error("operation canceled"), { name: "Interrupted" });
    for (const { reject } of [...this.reads.splice(0), ...this.writes.splice(0)]) reject(error);
  }

  setNoDelay(): void {
    this.calls.push("setNoDelay");
  }

  /** Bytes come, as many as the read under way has room for; answers that room. */
  async comes(bytes: Uint8Array | null): Promise<number> {
    expect(this.reads).toHaveLength(1);
    const { into, resolve } = this.reads.shift()!;
    if (bytes) into.set(bytes.subarray(0, into.length));
    resolve(bytes && Math.min(bytes.length, into.length));
    await turns(1);
    return into.length;
  }

  /** The system takes `length` bytes of the write under way, or all; answers those. */
  async takes(length = Infinity): Promise<Uint8Array> {
    expect(this.writes).toHaveLength(1);
    const { bytes, resolve } = this.writes.shift()!;
    const taken = bytes.slice(0, length);
    resolve(taken.length);
    await turns(1);
    return taken;
  }
}

let conn: FakeConn;
let transport: DenoTransport;
let events: unknown[];
/** Strings are compared in no time. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const names = (): unknown[] => events.map((event) => (Array.isArray(event) ? event[0] : event));

function handler(prefix = ""): Parameters<DenoTransport["start"]>[0] {
  return {
    data: (chunk) => events.push([`${prefix}data`, textOf(chunk)]),
    end: () => events.push(`${prefix}end`),
    close: (error) => events.push(error ? [`${prefix}close`, error.message] : `${prefix}close`),
  };
}

const done =
  (name: string) =>
  (error?: Error | null): void =>
    void events.push(error ? [name, error.message] : name);

beforeEach(() => {
  conn = new FakeConn();
  transport = new DenoTransport(conn);
  events = [];
});
afterEach(async () => {
  transport.destroy();
  await turns(1);
});

describe("reading", () => {
  it("waits in a small buffer, and reads on in a large one as long as they come full", async () => {
    transport.start(handler());
    expect(await conn.comes(noise(100))).toBe(SMALL);
    expect(await conn.comes(noise(SMALL))).toBe(SMALL);
    expect(await conn.comes(noise(LARGE))).toBe(LARGE);
    expect(await conn.comes(noise(LARGE))).toBe(LARGE);
    expect(await conn.comes(noise(50_000))).toBe(LARGE);
    // So much may come again.
    expect(await conn.comes(noise(SMALL + 1))).toBe(LARGE);
    expect(await conn.comes(noise(SMALL))).toBe(LARGE);
    expect(await conn.comes(noise(1))).toBe(SMALL);
    expect(await conn.comes(noise(1))).toBe(SMALL);
    const sizes = [100, SMALL, LARGE, LARGE, 50_000, SMALL + 1, SMALL, 1, 1];
    expect(events).toEqual(sizes.map((size) => ["data", textOf(noise(size))]));
  });

  it("lets only so many wait in large buffers, but reads on in one whatever the others do", async () => {
    const conns = Array.from({ length: 300 }, () => new FakeConn());
    const transports = conns.map((each) => new DenoTransport(each));
    for (const each of transports) each.start(handler());
    for (const each of conns) {
      await each.comes(noise(SMALL));
      await each.comes(noise(50_000));
    }
    const waiting = conns.map(({ reads }) => reads[0]!.into.length);
    expect(waiting.filter((length) => length === LARGE)).toHaveLength(128);
    expect(waiting.at(-1)).toBe(SMALL);
    await conns.at(-1)!.comes(noise(SMALL));
    expect(await conns.at(-1)!.comes(noise(10))).toBe(LARGE);
    for (const each of transports) each.destroy();
    await turns(1);
    // All of them are back.
    transport.start(handler());
    await conn.comes(noise(SMALL));
    await conn.comes(noise(50_000));
    expect(conn.reads[0]!.into).toHaveLength(LARGE);
  });

  it("does not read into a buffer that the handler has, nor into one of another read", async () => {
    const seen: ArrayBufferLike[] = [];
    transport.start({
      ...handler(),
      data: (chunk) => {
        seen.push(chunk.buffer);
        transport.pause();
        transport.resume();
        expect(conn.reads).toHaveLength(0);
        chunk.fill(0);
      },
    });
    await conn.comes(noise(10));
    await conn.comes(noise(10));
    expect(seen[1]).toBe(seen[0]);
    const other = new FakeConn();
    const beside = new DenoTransport(other);
    beside.start(handler());
    expect(other.reads[0]!.into.buffer).not.toBe(conn.reads[0]!.into.buffer);
    beside.destroy();
  });

  it("reports first what was read before, and nothing before start", async () => {
    transport = new DenoTransport(conn, noise(5000));
    await turns(2);
    expect([conn.reads, events]).toEqual([[], []]);
    transport.start(handler());
    expect(events).toEqual([]);
    await turns(1);
    await conn.comes(noise(7));
    expect(events).toEqual([
      ["data", textOf(noise(5000))],
      ["data", textOf(noise(7))],
    ]);
  });

  it("holds what comes while it is paused", async () => {
    transport.start(handler());
    transport.pause();
    await conn.comes(noise(9));
    expect([events, conn.reads]).toEqual([[], []]);
    transport.resume();
    transport.pause();
    await turns(1);
    expect(events).toEqual([]);
    transport.resume();
    expect(events).toEqual([]);
    await turns(1);
    expect(events).toEqual([["data", textOf(noise(9))]]);
    transport.pause();
    await conn.comes(null);
    expect(names()).toEqual(["data"]);
    transport.resume();
    await turns(1);
    expect(names()).toEqual(["data", "end"]);
  });

  it("goes on for another handler", async () => {
    transport.start(handler("a "));
    await conn.comes(noise(1));
    transport.start(handler("b "));
    await conn.comes(noise(2));
    transport.destroy();
    await turns(1);
    expect(names()).toEqual(["a data", "b data", "b close"]);
  });

  it("ends without close_notify as with it", async () => {
    transport.start(handler());
    conn.reads.shift()!.reject(Object.assign(new Error("no close_notify"), { name: "UnexpectedEof" }));
    await turns(1);
    expect(events).toEqual(["end"]);
  });
});

describe("writing", () => {
  beforeEach(() => transport.start(handler()));

  it("has one write under way, and counts to the byte what is not taken", async () => {
    transport.write([noise(10)], done("first"));
    transport.write([noise(20), new Uint8Array(0)], done("second"));
    transport.write([], done("nothing"));
    expect([transport.bufferedAmount, events, conn.writes.length]).toEqual([30, [], 1]);
    expect(equal(await conn.takes(4), noise(10).subarray(0, 4))).toBe(true);
    expect([transport.bufferedAmount, events]).toEqual([26, []]);
    // What is left of the first goes together with the second.
    const rest = Buffer.concat([noise(10).subarray(4), noise(20)]);
    expect(equal(await conn.takes(8), rest.subarray(0, 8))).toBe(true);
    expect([transport.bufferedAmount, events]).toEqual([18, ["first"]]);
    expect(equal(await conn.takes(), rest.subarray(8))).toBe(true);
    expect([transport.bufferedAmount, events]).toEqual([0, ["first", "second", "nothing"]]);
    transport.write([], done("nothing again"));
    expect(events).toHaveLength(3);
    await turns(1);
    expect(events.at(-1)).toBe("nothing again");
    expect(conn.writes).toHaveLength(0);
  });

  it("writes a large chunk as it is, and fills up a small one before it", async () => {
    const large = noise(LARGE);
    transport.write([large], done("large"));
    expect(conn.writes[0]!.bytes).toBe(large);
    await conn.takes();
    const huge = noise(400_000);
    transport.write([noise(10), huge, noise(30)], done("all"));
    const sent: Uint8Array[] = [];
    while (conn.writes.length > 0) sent.push(await conn.takes(sent.length === 1 ? 140_000 : Infinity));
    expect(sent.map(({ length }) => length)).toEqual([LARGE, 140_000, 400_000 - (LARGE - 10) - 140_000 + 30]);
    expect(Buffer.concat(sent).equals(Buffer.concat([noise(10), huge, noise(30)]))).toBe(true);
    expect(events).toEqual(["large", "all"]);
  });

  it("joins nothing twice, whatever part of it the system takes", async () => {
    const chunks = Array.from({ length: 200 }, (_, i) => noise(i * 7, i));
    const sent: Uint8Array[] = [];
    for (const chunk of chunks) transport.write([chunk], done("done"));
    for (let i = 1; transport.bufferedAmount > 0; i = (i * 7) % 9001) {
      sent.push(await conn.takes(i));
      expect(transport.bufferedAmount).toBe(chunks.reduce((sum, { length }) => sum + length, 0) - lengthOf(sent));
    }
    expect(Buffer.concat(sent).equals(Buffer.concat(chunks))).toBe(true);
    expect(events).toHaveLength(200);
  });

  it("takes a copy of what lies in linear memory, whether it can send it at once or not", async () => {
    const lengths = [1, 4096, 4097, 16_384, 16_385, LARGE, LARGE + 1, 10, 20];
    const memory = new Uint8Array(LARGE + 1 + 5);
    const write = (length: number): void => {
      memory.set(noise(length), 5);
      expect(transport.writeNow(memory, 5, 5 + length, done(`${length}`))).toBe(false);
      memory.fill(0);
    };
    for (const length of lengths) {
      write(length);
      await turns(1);
      expect([transport.bufferedAmount, conn.writes.length]).toEqual([length, 1]);
      if (length > 1) expect(equal(await conn.takes(length - 1), noise(length).subarray(0, length - 1))).toBe(true);
      expect(equal(await conn.takes(), noise(length).subarray(length - 1))).toBe(true);
    }
    expect(events).toEqual(lengths.map(String));
    for (const length of lengths) write(length);
    await turns(1);
    const sent: Uint8Array[] = [];
    while (conn.writes.length > 0) sent.push(await conn.takes(sent.length % 2 === 0 ? Infinity : 1000));
    expect(Buffer.concat(sent).equals(Buffer.concat(lengths.map((length) => noise(length))))).toBe(true);
    expect(events).toEqual([...lengths, ...lengths].map(String));
    transport.end();
    write(1);
    await turns(1);
    expect(events.at(-1)).toEqual(["1", expect.any(String)]);
  });

  it("keeps what each connection sends apart until the system has taken it", async () => {
    const conns = Array.from({ length: 60 }, () => new FakeConn());
    const transports = conns.map((each) => new DenoTransport(each));
    const memory = new Uint8Array(20_000);
    const lengthOf = (i: number): number => (i % 2 === 0 ? 700 + i : 15_000 + i);
    for (let round = 0; round < 3; round++) {
      for (const [i, each] of transports.entries()) {
        memory.set(noise(lengthOf(i), i));
        each.writeNow(memory, 0, lengthOf(i), () => undefined);
        memory.fill(0);
        // Some are done while others are not.
        await turns(1);
        if (i % 5 === 0) expect(equal(await conns[i]!.takes(), noise(lengthOf(i), i))).toBe(true);
      }
      for (const [i, each] of conns.entries())
        if (i % 5 > 0) expect(equal(await each.takes(), noise(lengthOf(i), i))).toBe(true);
    }
    for (const each of transports) each.destroy();
  });

  it("ends behind what is written, reads on, and sends nothing after", async () => {
    transport.write([noise(10)], done("before"));
    transport.end();
    transport.write([noise(10)], done("after"));
    expect(events).toEqual([]);
    await conn.takes(5);
    expect(conn.calls).toEqual(["setNoDelay"]);
    await conn.takes();
    expect(conn.calls).toEqual(["setNoDelay", "closeWrite"]);
    expect(conn.writes).toHaveLength(0);
    transport.end();
    await conn.comes(noise(3));
    await conn.comes(null);
    expect(events).toEqual([["after", expect.any(String)], "before", ["data", textOf(noise(3))], "end", "close"]);
    expect(conn.calls).toEqual(["setNoDelay", "closeWrite", "close"]);
  });

  it("is closed by its own end, if the peer's came first", async () => {
    await conn.comes(null);
    transport.write([noise(10)], done("sent"));
    transport.end();
    await conn.takes();
    await turns(1);
    expect(events).toEqual(["end", "sent", "close"]);
  });
});

function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

describe("closing", () => {
  it("drops on destroy what is under way, and what waits", async () => {
    transport.start(handler());
    transport.write([noise(10)], done("under way"));
    transport.write([noise(10)], done("waiting"));
    transport.destroy();
    transport.destroy();
    transport.write([noise(10)], done("late"));
    expect(events).toEqual([]);
    await turns(2);
    const failed = expect.any(String);
    expect(events).toEqual([["under way", failed], ["waiting", failed], "close", ["late", failed]]);
    expect([conn.calls.filter((call) => call === "close"), transport.bufferedAmount]).toEqual([["close"], 0]);
  });

  it("reports nothing after it, though a read and a write were about to settle", async () => {
    transport.start(handler());
    transport.write([noise(10)], done("written"));
    conn.reads.shift()!.resolve(1);
    conn.writes.shift()!.resolve(10);
    transport.destroy();
    await turns(2);
    expect(events).toEqual([["written", expect.any(String)], "close"]);
    expect([conn.reads, conn.writes]).toEqual([[], []]);
  });

  it.each(["destroyed", "broken"])("tells who starts when it is %s already", async (how) => {
    if (how === "destroyed") {
      transport.destroy();
    } else {
      transport.write([noise(10)], done("write"));
      conn.writes.shift()!.reject(new Error("EPIPE"));
      await turns(1);
    }
    transport.start(handler());
    await turns(1);
    expect(events).toEqual(
      how === "destroyed"
        ? ["close"]
        : [
            ["write", "EPIPE"],
            ["close", "EPIPE"],
          ],
    );
    expect(conn.reads).toEqual([]);
  });

  it("gives the error of a read to all writes, and then to close", async () => {
    transport.start(handler());
    transport.write([noise(10)], done("write"));
    conn.reads.shift()!.reject(new Error("ECONNRESET"));
    await turns(2);
    expect(events).toEqual([
      ["write", "ECONNRESET"],
      ["close", "ECONNRESET"],
    ]);
    transport.write([noise(10)], done("late"));
    await turns(1);
    expect(events.at(-1)).toEqual(["late", "ECONNRESET"]);
    expect(conn.calls.at(-1)).toBe("close");
  });

  it("may be asked for from inside any call to the handler", async () => {
    for (const event of ["data", "end", "done"] as const) {
      conn = new FakeConn();
      transport = new DenoTransport(conn);
      events = [];
      const destroy = (): void => {
        transport.destroy();
        events.push("destroyed");
      };
      transport.start({ ...handler(), data: destroy, end: destroy });
      if (event === "done") {
        transport.write([noise(1)], destroy);
        await conn.takes();
      } else {
        await conn.comes(event === "data" ? noise(1) : null);
      }
      await turns(1);
      expect(events).toEqual(["destroyed", "close"]);
    }
  });

  it("knows its peer, and that TLS is spoken", () => {
    expect(transport).toMatchObject({ remoteAddress: "192.0.2.1", remotePort: 4711, secure: false, raw: conn });
    const secure = Object.assign(new FakeConn(), { handshake: () => Promise.resolve() });
    expect(new DenoTransport(secure).secure).toBe(true);
  });
});
