/** The port over accepted and dialled sockets, plain and with TLS. */
import assert from "node:assert/strict";
import type { BunTransport } from "../../../../src/hosts/bun-transport.ts";
import { equal, noise } from "../../../helpers/bytes.ts";
import { plateau, turns, until } from "../../../helpers/until.ts";
import { Accepting, Recorder, Writes, open, pair, received, run, window, type Way } from "./cases.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const MiB = 1 << 20;

const cases = (way: Way): Record<string, () => Promise<void>> => ({
  "a write is done later, and once": async () => {
    const { transport, peer, close } = await pair(way);
    const got = received(peer);
    const writes = new Writes();
    writes.write(transport, text("one "));
    writes.write(transport, text("two "), text("three "), text(""), text("four"));
    assert.equal(transport.bufferedAmount, 0);
    await until(() => writes.isSettled && got.bytes.length === 18);
    assert.deepEqual(writes.outcomes, [undefined, undefined]);
    assert.equal(got.bytes.toString(), "one two three four");
    transport.destroy();
    await close();
  },

  "what the system does not take waits in order, and is counted": async () => {
    const { transport, peer, close } = await pair(way);
    const writes = new Writes();
    const sizes = [24 * MiB, 1, 65_536, 100_000, 0, 7, 300_000, 4 * MiB, 1000];
    const all = noise(sizes.reduce((sum, size) => sum + size));
    let at = 0;
    for (const [i, size] of sizes.entries()) {
      const chunk = all.subarray(at, (at += size));
      // Several chunks in one write, too.
      if (i % 2) writes.write(transport, chunk.subarray(0, size >> 1), chunk.subarray(size >> 1));
      else writes.write(transport, chunk);
      const taken = (transport.raw as { bytesWritten: number }).bytesWritten;
      if (!way.isSecure) assert.equal(transport.bufferedAmount, at - taken);
    }
    assert(transport.bufferedAmount > 5 * MiB);
    assert(!writes.isSettled);
    const got = received(peer);
    await until(() => writes.isSettled);
    assert.equal(transport.bufferedAmount, 0);
    transport.end();
    await until(() => got.hasEnded);
    assert(equal(got.bytes, all));
    assert(writes.outcomes.every((outcome) => outcome === undefined));
    peer.destroy();
    await close();
  },

  "what is written from shared memory may change at once": async () => {
    const { transport, peer, close } = await pair(way);
    const writes = new Writes();
    const all = noise(16 * MiB);
    const memory = new Uint8Array(7 + 65_536);
    let taken = 0;
    for (let at = 0; at < all.length; at += 65_536) {
      memory.set(all.subarray(at, at + 65_536), 7);
      if (writes.writeNow(transport, memory, 7, 7 + 65_000)) taken++;
      memory.fill(0xee, 0, 7 + 65_000);
      writes.write(transport, all.subarray(at + 65_000, at + 65_536));
    }
    assert(taken > 0);
    assert(!writes.isSettled && transport.bufferedAmount > MiB);
    const got = received(peer);
    await until(() => writes.isSettled);
    assert.equal(transport.bufferedAmount, 0);
    transport.end();
    assert(!writes.writeNow(transport, memory, 0, 7));
    await until(() => got.hasEnded && writes.isSettled);
    assert(equal(got.bytes, all));
    assert(writes.outcomes.pop() instanceof Error);
    assert(writes.outcomes.every((outcome) => outcome === undefined));
    peer.destroy();
    await close();
  },

  "who asks for it is told how far the window is filled, and given what is large as it is": async () => {
    const { transport, peer, close } = await open(way);
    const filled: number[] = [];
    const recorder = Object.assign(new Recorder(), {
      windowFilled(length: number): void {
        filled.push(length);
        recorder.data(window.subarray(0, length));
      },
    });
    transport.start(recorder);
    (transport as BunTransport).received(noise(16_383));
    (transport as BunTransport).received(noise(16_384));
    assert.deepEqual(filled, [16_383]);
    peer.end(noise(300_000));
    await until(() => recorder.events.includes("end"));
    assert(equal(recorder.bytes, Buffer.concat([noise(16_383), noise(16_384), noise(300_000)])));
    transport.destroy();
    await until(() => recorder.isClosed);
    assert.deepEqual(recorder.others, ["end", "close"]);
    await close();
  },

  "a large chunk of one's own is freed once it is worked through": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    const chunkOf = (length: number, memory = length): Uint8Array => new Uint8Array(memory).subarray(0, length).fill(1);
    const chunks = [chunkOf(16_383), chunkOf(16_384), chunkOf(16_384, 16_385), chunkOf(300_000)];
    for (const chunk of chunks) (transport as BunTransport).received(chunk);
    assert.deepEqual(
      chunks.map(({ length }) => length),
      [16_383, 0, 16_384, 0],
    );
    assert(equal(recorder.bytes, chunkOf(349_151)));
    transport.destroy();
    peer.destroy();
    await close();
  },

  "end sends what waits, then the end; reading goes on": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    const writes = new Writes();
    writes.write(transport, noise(20 * MiB));
    recorder.call(() => transport.end());
    const late = new Writes();
    late.write(transport, text("too late"));
    const got = received(peer);
    await until(() => got.hasEnded && writes.isSettled && late.isSettled);
    assert(equal(got.bytes, noise(20 * MiB)));
    assert.deepEqual(writes.outcomes, [undefined]);
    assert(late.outcomes[0] instanceof Error);
    await turns(20);
    assert.deepEqual(recorder.events, []);
    peer.write("still there");
    await until(() => recorder.length === 11);
    peer.end();
    await until(() => recorder.isClosed);
    assert.deepEqual(recorder.others, ["end", "close"]);
    assert.equal(recorder.error, undefined);
    await close();
  },

  "what is written after the peer ended its stream still reaches it": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    const got = received(peer);
    peer.end("last words");
    await until(() => recorder.events.includes("end"));
    assert.equal(recorder.bytes.toString(), "last words");
    const writes = new Writes();
    writes.write(transport, noise(10 * MiB));
    recorder.call(() => transport.end());
    await until(() => recorder.isClosed && got.hasEnded);
    assert(equal(got.bytes, noise(10 * MiB)));
    assert.deepEqual([recorder.others, recorder.error, writes.outcomes], [["end", "close"], undefined, [undefined]]);
    await close();
  },

  "bytes, and the end, that come before start are held": async () => {
    const { transport, peer, close } = await open(way);
    peer.end(noise(300_000));
    await turns(200);
    const recorder = new Recorder();
    recorder.call(() => transport.start(recorder));
    await until(() => recorder.events.includes("end"));
    assert(equal(recorder.bytes, noise(300_000)));
    recorder.call(() => transport.destroy());
    await until(() => recorder.isClosed);
    await close();
  },

  "a chunk may hand the transport over, and pause it": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    const second = new Recorder();
    recorder.onData = (): void => {
      transport.start(second);
      transport.pause();
    };
    peer.write("first");
    await until(() => recorder.length === 5);
    peer.write("second");
    await turns(50);
    assert.equal(second.length, 0);
    second.call(() => transport.resume());
    await until(() => second.length === 6);
    assert.equal(recorder.length, 5);
    transport.destroy();
    await until(() => second.isClosed);
    await close();
  },

  "destroy before start": async () => {
    const { transport, peer, close } = await open(way);
    const gone = new Promise((resolve) => peer.once("close", resolve));
    peer.resume().once("end", () => peer.end());
    transport.destroy();
    await gone;
    const recorder = new Recorder();
    recorder.call(() => transport.start(recorder));
    await until(() => recorder.isClosed);
    assert.deepEqual([recorder.events, recorder.error], [["close"], undefined]);
    await close();
  },

  "destroy while data comes": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    recorder.onData = (): void => {
      recorder.call(() => transport.destroy());
      recorder.call(() => transport.destroy());
    };
    peer.write(noise(4 * MiB));
    peer.end();
    await until(() => recorder.isClosed);
    await turns(20);
    assert.deepEqual([recorder.events, recorder.error], [["data", "close"], undefined]);
    const writes = new Writes();
    writes.write(transport, text("too late"));
    for (const call of ["pause", "resume", "end", "destroy"] as const) recorder.call(() => transport[call]());
    await until(() => writes.isSettled);
    assert(writes.outcomes[0] instanceof Error);
    assert.equal(transport.bufferedAmount, 0);
    await close();
  },

  "destroy drops what waits, and says so": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    const writes = new Writes();
    const gone = new Promise((resolve) => peer.once("close", resolve));
    const start = performance.now();
    writes.write(transport, noise(16 * MiB));
    writes.write(transport, noise(1000), noise(MiB));
    transport.end();
    recorder.call(() => transport.destroy());
    await until(() => recorder.isClosed && writes.isSettled);
    // Bun's own way would be to wait twelve seconds here for the peer to read.
    if (way.isSecure) await gone;
    assert(performance.now() - start < 10_000);
    assert.deepEqual([recorder.events, recorder.error, transport.bufferedAmount], [["close"], undefined, 0]);
    assert(writes.outcomes.every((outcome) => outcome instanceof Error));
    peer.destroy();
    await close();
  },

  "a socket that breaks says why": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    const writes = new Writes();
    writes.write(transport, noise(16 * MiB));
    peer.resetAndDestroy();
    await until(() => recorder.isClosed && writes.isSettled);
    assert.deepEqual(recorder.events, ["close"]);
    assert.match((recorder.error as { code?: string }).code!, /^(ECONNRESET|EPIPE)$/);
    assert(writes.outcomes[0] instanceof Error);
    await close();
  },

  "pause holds the peer back, and nothing is lost": async () => {
    const { transport, recorder, peer, close } = await pair(way);
    recorder.call(() => transport.pause());
    const block = noise(MiB);
    for (let i = 0; i < 32; i++) peer.write(block);
    peer.end();
    assert((await plateau(() => peer.writableLength, 50)) > 16 * MiB);
    assert(recorder.length <= 4 * MiB);
    recorder.call(() => transport.resume());
    await until(() => recorder.events.includes("end"));
    assert.equal(recorder.length, 32 * MiB);
    const bytes = recorder.bytes;
    for (let i = 0; i < 32; i++) assert(equal(bytes.subarray(i * MiB, (i + 1) * MiB), block));
    recorder.call(() => transport.end());
    await until(() => recorder.isClosed);
    assert.deepEqual([recorder.others, recorder.error], [["end", "close"], undefined]);
    await close();
  },

  "it says who is there": async () => {
    const { transport, peer, close } = await pair(way);
    const { remoteAddress, remotePort, secure } = transport;
    assert.deepEqual(
      { remoteAddress, remotePort, secure },
      { remoteAddress: "127.0.0.1", remotePort: peer.localPort, secure: way.isSecure },
    );
    transport.destroy();
    await close();
  },
});

const alone: Record<string, () => Promise<void>> = {
  "a closed listener leaves its connections alone, and its port free": async () => {
    const { transport, recorder, peer, close } = await pair({ isSecure: false, isDialled: false });
    await close();
    const again = await Accepting.start({ port: peer.remotePort! });
    const got = received(peer);
    transport.write([text("still here")], () => undefined);
    peer.write("so am I");
    await until(() => got.bytes.length === 10 && recorder.length === 7);
    transport.destroy();
    await again.listener.close();
  },
};

const ways: Record<string, Way> = {
  accepted: { isSecure: false, isDialled: false },
  "accepted, TLS": { isSecure: true, isDialled: false },
  dialled: { isSecure: false, isDialled: true },
  "dialled, TLS": { isSecure: true, isDialled: true },
};
const named = ([prefix, way]: [string, Way]): [string, () => Promise<void>][] =>
  Object.entries(cases(way)).map(([name, work]) => [`${prefix}: ${name}`, work]);

await run({ ...Object.fromEntries(Object.entries(ways).flatMap(named)), ...alone });
