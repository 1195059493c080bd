import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Assembler } from "../../src/protocol/assembler.ts";
import { Budget } from "../../src/protocol/budget.ts";
import { noise } from "../helpers/bytes.ts";
import { codecs } from "../helpers/codecs.ts";
import { chopped, same } from "../helpers/decoding.ts";
import { stays } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { Peer, concat, frame, frameHeader, latin1 } from "../helpers/wire.ts";

/** Bytes of the arrays that were made, and bytes written into them, since the last reset. */
const work = { allocated: 0, copied: 0 };

// Stands in for the global while the code under test runs, so that its work can be counted instead of timed.
class CountingBytes extends Uint8Array {
  constructor(...parameters: [number]) {
    super(...parameters);
    // Over a buffer it is a view, which costs nothing.
    if (typeof parameters[0] === "number") work.allocated += parameters[0];
  }
  override set(source: ArrayLike<number>, offset?: number): void {
    work.copied += source.length;
    super.set(source, offset);
  }
}

beforeEach(() => {
  vi.stubGlobal("Uint8Array", CountingBytes);
  work.allocated = work.copied = 0;
});
afterEach(() => void vi.unstubAllGlobals());

const MIB = 1 << 20;

/** A message costs a small multiple of its bytes, however it comes. */
function expectLinear(length: number): void {
  expect(work.allocated).toBeGreaterThanOrEqual(length);
  expect(work.allocated).toBeLessThanOrEqual(5 * length + 4096);
  expect(work.copied).toBeLessThanOrEqual(5 * length + 4096);
}

/** Receives the chunks without a copy of each, which would be counted. */
function receive(session: Session, chunks: Iterable<Uint8Array>): void {
  for (const chunk of chunks) session.protocol.receive(chunk);
}

describe("the work for a message is linear in its bytes", () => {
  const payload = noise(MIB);

  it("1 MiB in one frame that comes in one-byte segments", () => {
    const bytes = frame(2, payload, { key: [1, 2, 3, 4] });
    const session = new Session("server");
    work.allocated = work.copied = 0;
    receive(session, chopped(bytes, 1));
    expectLinear(MIB);
    expect(session.events[0]![1] === latin1(payload)).toBe(true);
    session.end();
  });

  it.each(roles)("1 MiB in fragments of 64 bytes, all in large chunks (%s)", (role) => {
    const bytes = concat(new Peer(role).fragments(2, [...chopped(payload, 64)]));
    const session = new Session(role);
    work.allocated = work.copied = 0;
    receive(session, chopped(bytes, 50_000));
    expectLinear(MIB);
    expect(session.events[0]![1] === latin1(payload)).toBe(true);
    session.end();
  });

  it.each(roles)("1 MiB in fragments of 64 bytes, each in segments of 25 (%s)", (role) => {
    const bytes = concat(new Peer(role).fragments(2, [...chopped(payload, 64)]));
    const session = new Session(role);
    work.allocated = work.copied = 0;
    receive(session, chopped(bytes, 25));
    expectLinear(MIB);
    expect(session.events[0]![1] === latin1(payload)).toBe(true);
    session.end();
  });

  it.each(roles)("65,536 fragments of one byte, which is the default's most (%s)", (role) => {
    const some = payload.subarray(0, 65_536);
    const bytes = concat(new Peer(role).fragments(2, [...chopped(some, 1)]));
    const session = new Session(role);
    work.allocated = work.copied = 0;
    receive(session, chopped(bytes, 1460));
    expectLinear(some.length);
    expect(session.events[0]![1] === latin1(some)).toBe(true);
    session.end();
  });

  it.each(roles)("text, too, with control frames in between (%s)", (role) => {
    const peer = new Peer(role);
    const text = "é€😀a".repeat(10_000);
    const fragments = peer.fragments(1, [...chopped(Buffer.from(text), 100)]);
    const bytes = concat(fragments.flatMap((fragment) => [fragment, peer.ping("p")]));
    const session = new Session(role);
    work.allocated = work.copied = 0;
    receive(session, chopped(bytes, 333));
    // Each ping is reported in a byte of its own.
    expectLinear(Buffer.byteLength(text) + fragments.length);
    expect(session.messages).toEqual([text]);
    session.end();
  });
});

describe("what is announced is not believed: memory follows what has come", () => {
  const most = { maxLength: Number.MAX_SAFE_INTEGER };

  it.each(roles)("a header that announces 2^53 - 1 bytes allocates nothing (%s)", (role) => {
    const key = role === "server" ? [1, 2, 3, 4] : undefined;
    for (const codec of codecs) {
      for (const announced of [2n ** 31n, 2n ** 32n + 10n, 2n ** 40n, 2n ** 53n - 1n]) {
        const session = new Session(role, { codec, limits: most });
        const header = frameHeader(2, announced, { key });
        const rest = noise(300);
        work.allocated = 0;
        receive(session, [header]);
        expect(work.allocated).toBe(0);
        receive(session, chopped(rest, 1));
        expect(work.allocated).toBeLessThanOrEqual(2048);
        receive(session, [rest.subarray(0, 200), noise(10_000)]);
        expect(work.allocated).toBeLessThanOrEqual(5 * 11_000);
        same(session.end(), stays(), `${announced}`);
      }
    }
  });

  it.each(roles)("one that is refused allocates its Close frame alone (%s, seed defect 2)", (role) => {
    const key = role === "server" ? [1, 2, 3, 4] : undefined;
    // The pool of masking keys is not this connection's.
    const session = new Session(role, { maskingKey: () => 7 });
    const header = frameHeader(2, 2n ** 40n, { key });
    work.allocated = 0;
    receive(session, [header]);
    expect(work.allocated).toBeLessThanOrEqual(1000);
    expect(session.end().events).toEqual([["failed", 1009, "ERR_TOO_LONG"]]);
  });

  it.each(roles)("a whole frame that is cut once has its message in memory of just its size (%s)", (role) => {
    const peer = new Peer(role);
    const bytes = peer.binary(noise(10_000));
    for (const at of [20, 5_001, 9_000, 10_002]) {
      const session = new Session(role);
      receive(session, [bytes.slice(0, at), bytes.slice(at)]);
      const [message] = session.messages as Uint8Array[];
      expect(message!.buffer.byteLength).toBe(10_000);
      session.end();
    }
  });
});

describe("Assembler", () => {
  it.each([1, 7, 64, 1000, 1023, 1024, 1025])("holds at most twice what has come, in pieces of %d", (size) => {
    const piece = noise(size);
    const budget = new Budget(2 ** 53);
    const assembler = new Assembler(budget);
    let most = 0;
    for (let come = size; come < 300_000; come += size) {
      assembler.append(piece, 0, size, 2 ** 32);
      most = Math.max(most, budget.used / Math.max(come, 512));
    }
    expect(budget.used).toBeGreaterThan(0);
    expect(work.allocated).toBeGreaterThanOrEqual(budget.used);
    // Up to a block of 64 KiB what it allocates takes the place of what it had.
    expect(work.allocated).toBeLessThanOrEqual(budget.used + 2 ** 17);
    expect(most).toBeLessThanOrEqual(2);
    expect(assembler.take()).toHaveLength((Math.ceil(300_000 / size) - 1) * size);
    expect(assembler.length).toBe(0);
    expect(budget.used).toBe(0);
  });

  it("has memory for all of a frame once half of it has come, and hands that out", () => {
    const assembler = new Assembler(new Budget(2 ** 53));
    const piece = noise(65_536);
    work.allocated = work.copied = 0;
    for (let left = 15; left >= 0; left--) assembler.append(piece, 0, piece.length, left * piece.length);
    expect(assembler.take().buffer.byteLength).toBe(MIB);
    expect(work.allocated).toBeLessThanOrEqual(1.5 * MIB);
    expect(work.copied).toBeLessThanOrEqual(1.5 * MIB);
  });

  it("goes on in proportion where the budget has no room for that", () => {
    const budget = new Budget(700_000);
    const assembler = new Assembler(budget);
    const piece = noise(65_536);
    for (let left = 15; left > 5; left--)
      expect(assembler.append(piece, 0, piece.length, left * piece.length)).toBe(true);
    expect(budget.used).toBe(10 * piece.length);
    expect(assembler.append(piece, 0, piece.length, 5 * piece.length)).toBe(false);
  });

  it("joins pieces of any length, from anywhere", () => {
    const source = noise(200_000);
    const length = fc.oneof(fc.nat(40), fc.constantFrom(1000, 1024, 65_535, 65_536, 70_000));
    const property = fc.property(fc.array(fc.tuple(fc.nat(100_000), length), { maxLength: 12 }), (pieces) => {
      const assembler = new Assembler(new Budget(2 ** 53));
      for (const [at, length] of pieces) expect(assembler.append(source, at, length, 7)).toBe(true);
      const expected = Buffer.concat(pieces.map(([at, length]) => source.subarray(at, at + length)));
      expect(Buffer.compare(assembler.take(), expected)).toBe(0);
    });
    fc.assert(property);
  });

  it("hands out what it holds once, in memory of its own", () => {
    const assembler = new Assembler(new Budget(2 ** 53));
    const piece = noise(10);
    assembler.append(piece, 0, 10, 5);
    piece.fill(0);
    assembler.append(noise(5, 2), 0, 5, 0);
    expect(assembler.length).toBe(15);
    const first = assembler.take();
    assembler.append(noise(15, 3), 0, 15, 0);
    const second = assembler.take();
    expect([...first]).toEqual([...noise(10), ...noise(5, 2)]);
    expect([...second]).toEqual([...noise(15, 3)]);
    expect([...assembler.take()]).toEqual([]);
  });
});
