import { expect } from "vitest";
import { request } from "../helpers/raw-peer.ts";
import { plateau } from "../helpers/until.ts";
import { Peer, concat, readFrames } from "../helpers/wire.ts";
import { MemoryWatch } from "../conformance/memory.ts";
import type { PartyOptions } from "../conformance/party.ts";
import { Raw, openingRequest } from "../conformance/raw.ts";
import { delay, until, untilGone, type Arena, type Attack } from "./arena.ts";
import { BUSY, check, type Rows } from "./server-answers.ts";

const SOON: PartyOptions = { handshakeTimeout: 300 };

/** Writes bit by bit until the server has answered. */
function slowly(name: string, pieces: readonly string[]): Attack {
  return {
    name,
    async play(arena: Arena): Promise<void> {
      const raw = await arena.connect(await arena.serve(SOON));
      const from = performance.now();
      for (let i = 0; !raw.hasEnded; i++) {
        const piece = pieces[Math.min(i, pieces.length - 1)]!;
        if (piece !== "") void raw.write(piece);
        await delay(20);
      }
      const took = performance.now() - from;
      check((await raw.readHead(), raw.head), [408]);
      // Not at the first pause, nor some time later each time that a byte comes.
      expect(took).toBeGreaterThan(SOON.handshakeTimeout! - 50);
      expect(took).toBeLessThan(SOON.handshakeTimeout! + 3000);
      raw.end();
    },
  };
}

/** A client that leaves in its own way, and gets no further. */
const gone = (name: string, leave: (raw: Raw) => unknown, options?: PartyOptions): Attack => ({
  name,
  async play(arena: Arena): Promise<void> {
    const raw = await arena.connect(await arena.serve(options));
    await new Promise((resolve) => raw.socket.once("connect", resolve));
    await Promise.resolve(leave(raw));
    await raw.until(() => raw.hasEnded);
    raw.end();
  },
});

const onTls = (name: string, bytes: string, isStalling = false): Attack => ({
  name,
  async play(arena: Arena): Promise<void> {
    const serving = await arena.serve({ tls: arena.tls, handshakeTimeout: 300 });
    const raw = await arena.connect(serving);
    await raw.write(bytes);
    // workerd alone sees this socket, and waits for as long as the client is there.
    if (isStalling && arena.agent.name === "workerd") raw.socket.destroy();
    await raw.until(() => raw.hasEnded);
    expect(raw.bytes.toString("latin1")).not.toContain("HTTP/1.1 101");
    raw.end();
  },
  ...(!isStalling && { complaint: { workerd: /workerd\/server/ } }),
});

/** Two are let in and no third, until one of them has left. */
async function atLimit(arena: Arena, options: PartyOptions): Promise<void> {
  const serving = await arena.serve(options);
  const inside = [await arena.connect(serving), await arena.connect(serving)];
  for (const raw of inside) {
    await raw.write(openingRequest("inside"));
    expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
  }
  check(await arena.refusal(serving, request()), BUSY);
  for (const raw of inside) raw.end();
  await Promise.all(inside.map((raw) => raw.until(() => raw.hasEnded)));
}

/** Frames in the segment of the request, all answered in their order. */
async function behindRequest(arena: Arena, count: number, size: number): Promise<void> {
  const raw = await arena.connect();
  const peer = new Peer("server");
  const sent = Array.from({ length: count }, (_, i) => peer.ping(`${i}`.padStart(size, "0")));
  await raw.write(concat([Buffer.from(openingRequest("early"), "latin1"), ...sent, peer.close(1000)]));
  expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
  await raw.until(() => raw.hasEnded);
  raw.end();
  const numbers = readFrames(raw.bytes).map(({ payload }) => Number(Buffer.from(payload)));
  expect(numbers.slice(0, -1)).toEqual(sent.map((_, i) => i));
}

/** What comes at a bad moment, or never, or from a client that is gone by then. */
export const moments = {
  "a byte now and then, or silence: 408 at the deadline": [
    slowly("silence", [""]),
    slowly("silence behind the request line", ["GET / HTTP/1.1\r\n", ""]),
    slowly("silence in front of the last byte", [request().slice(0, -1), ""]),
    slowly("a byte at a time", [...request(), "a"]),
    slowly("a field at a time", ["GET / HTTP/1.1\r\n", ...Array<string>(90).fill("X-A: b\r\n"), ""]),
  ],
  "bytes right behind the request: held, and delivered in order": [
    { name: "one ping", play: (arena) => behindRequest(arena, 1, 1) },
    { name: "four hundred pings, of less than is held at most", play: (arena) => behindRequest(arena, 400, 100) },
    {
      name: "250 KB in order, while the upgrade hook has not decided",
      async play(arena: Arena): Promise<void> {
        const { port } = await arena.agent.serve({ upgrade: "later" });
        const key = arena.newKey();
        await arena.agent.prepare(key, [["echo"]]);
        const raw = arena.keep(Raw.connect(port));
        const peer = new Peer("server");
        const texts = Array.from({ length: 2500 }, (_, i) => `${i}`.padStart(100, "0"));
        const written = raw.write(openingRequest(key), ...texts.map((text) => peer.text(text)), peer.close(1000));
        await until(() => arena.agent.isAwaited("decide"));
        // All is written, or the server has stopped to read.
        await plateau(() => raw.socket.bytesWritten);
        await arena.agent.say("decide");
        await written;
        expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
        await raw.until(() => raw.hasEnded);
        raw.end();
        expect(readFrames(raw.bytes).map(({ payload }) => Buffer.from(payload).toString("latin1"))).toEqual([
          ...texts,
          "\x03\xe8",
        ]);
        await arena.agent.finished(key);
      },
    },
    {
      name: "without end, while the upgrade hook never decides: 503 at the deadline, reading paused",
      async play(arena: Arena): Promise<void> {
        const { port } = await arena.agent.serve({ isDeaf: true, upgrade: "never", handshakeTimeout: 500 });
        const raw = arena.keep(Raw.connect(port));
        const frames = concat(Array.from({ length: 400 }, () => new Peer("server").ping("p".repeat(125))));
        let sent = 0;
        using memory = new MemoryWatch(arena.agent.pid);
        await raw.write(openingRequest("never"));
        while (!raw.hasEnded && sent < 1024 && !raw.error) {
          const isTaken = await Promise.race([raw.write(frames).then(() => true), raw.until(() => raw.hasEnded)]);
          if (isTaken) sent++;
          await new Promise(setImmediate);
        }
        await raw.until(() => raw.hasEnded);
        expect(memory.growth).toBeLessThan(96 << 20);
        expect(sent).toBeLessThan(1024);
        raw.end();
      },
    },
    {
      name: "of which the upgrade hook throws: 500",
      async play(arena: Arena): Promise<void> {
        const { port } = await arena.agent.serve({ isDeaf: true, upgrade: "throws" });
        const raw = arena.keep(Raw.connect(port));
        await raw.write(openingRequest("throws") + "more");
        check(await raw.readHead(), [500]);
        await raw.until(() => raw.hasEnded);
        raw.end();
      },
      complaint: /thrown on purpose/,
    },
    {
      name: "what breaks the rules: 1002 behind the 101",
      async play(arena: Arena): Promise<void> {
        const raw = await arena.connect();
        await raw.write(concat([Buffer.from(openingRequest("early"), "latin1"), new Peer("server").frame(3)]));
        expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
        await raw.until(() => raw.hasEnded);
        raw.end();
        expect([...raw.bytes.subarray(0, 4)]).toEqual([0x88, raw.bytes.length - 2, 0x03, 0xea]);
      },
    },
    {
      name: "another request, which is a frame, and a wrong one",
      async play(arena: Arena): Promise<void> {
        const raw = await arena.connect();
        await raw.write(openingRequest("early") + openingRequest("smuggled"));
        expect(await raw.readHead()).toMatch(/^HTTP\/1.1 101 /);
        await raw.until(() => raw.hasEnded);
        raw.end();
        expect([...raw.bytes.subarray(0, 4)]).toEqual([0x88, raw.bytes.length - 2, 0x03, 0xea]);
      },
    },
  ],
  "draining, or at the connection limit: 503 with Retry-After": [
    {
      name: "at the limit, and in again once there is room",
      play: (arena) => atLimit(arena, { maxConnections: 2 }),
    },
    {
      name: "at the limit of one address",
      play: (arena) => atLimit(arena, { maxConnectionsPerAddress: 2 }),
    },
    {
      name: "at the limit with connections that never ask for anything",
      async play(arena: Arena): Promise<void> {
        const serving = await arena.serve({ maxConnections: 2, handshakeTimeout: 400 });
        await Promise.all(
          [arena.connect(serving), arena.connect(serving)].map(async (raw) => (await raw).write("GET")),
        );
        await until(async () => (await arena.agent.holding(serving)).opening === 2);
        check(await arena.refusal(serving, request()), BUSY);
      },
    },
    {
      name: "draining",
      async play(arena: Arena): Promise<void> {
        // It is gone for good then, so it is no server that others use.
        const serving = await arena.agent.serve({ isDeaf: true, additionalHeaders: { "X-Drained": "yes" } });
        const [open, opening] = [await arena.connect(serving), await arena.connect(serving)];
        await open.write(openingRequest("open"));
        await open.readHead();
        await opening.write("GET / HTTP/1.1\r\n");
        await until(async () => (await arena.agent.holding(serving)).opening === 1);
        const late = await arena.connect(serving);
        await new Promise((resolve) => late.socket.once("connect", resolve));
        await arena.agent.drain(serving, 400);
        check(await opening.readHead(), BUSY);
        opening.end();
        // One that was on its way in is answered; and one that is in and does not answer is ended in time.
        await late.write(request());
        const head = await late.readHead();
        if (head !== "") check(head, BUSY);
        late.end();
        await untilGone(open);
        expect((await arena.agent.holding(serving)).connections).toBe(0);
      },
    },
  ],
  "plaintext on the TLS port, the client gone halfway: freed, nothing unhandled": [
    onTls("a request in plaintext", request()),
    onTls("bytes at random", "\x80\x01\x02\x03\xff\xfe".repeat(100)),
    onTls("half a ClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", true),
    gone("gone before the first byte", (raw) => raw.end()),
    gone("reset before the first byte", (raw) => raw.socket.resetAndDestroy()),
    gone("gone inside the request line", (raw) => raw.write("GET / HT").then(() => raw.end())),
    gone("reset inside a field", (raw) =>
      raw.write("GET / HTTP/1.1\r\nHost: lo").then(() => raw.socket.resetAndDestroy()),
    ),
    gone("reset behind the request", (raw) => raw.write(openingRequest("x")).then(() => raw.socket.resetAndDestroy())),
    gone("reset while it is refused", (raw) => raw.write("nonsense\r\n\r\n").then(() => raw.socket.resetAndDestroy())),
    {
      name: "refused, and still there without reading: cut off at closeTimeout",
      async play(arena: Arena): Promise<void> {
        const raw = await arena.connect(await arena.serve({ closeTimeout: 100 }));
        await raw.write("nonsense\r\n\r\n");
        await raw.until(() => raw.hasEnded);
        await untilGone(raw);
      },
    },
  ],
} satisfies Rows;
