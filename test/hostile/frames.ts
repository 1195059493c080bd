import { constants, deflateRawSync } from "node:zlib";
import { expect } from "vitest";
import { MemoryWatch } from "../conformance/memory.ts";
import type { PartyOptions } from "../conformance/party.ts";
import { roles } from "../helpers/session.ts";
import { Peer, concat, frameHeader, readFrames, type Role } from "../helpers/wire.ts";
import { noise } from "../helpers/bytes.ts";
import { closeWell, delay, untilGone, type Arena, type Attack, type Opened, type Table } from "./arena.ts";
import { table as openingServer } from "./opening-server.ts";
import { proven } from "./proven.ts";
import type { RowName } from "./rows.ts";

const MIB = 1 << 20;
/** Far above what a collector leaves lying about, and far below what the attacks would take. */
const MOST_MEMORY = 96 * MIB;

/** The attack against a connection of each role. */
const inBoth = (
  name: string,
  play: (opened: Opened, arena: Arena, role: Role) => Promise<void>,
  options: PartyOptions = {},
): Attack[] =>
  // prettier-ignore
  roles.map((role) => ({
    name: `as a ${role}: ${name}`,
    play: async (arena) => play(await arena.open(role, options), arena, role),
  }));

/** These frames are answered with that Close code, and nothing is heard behind them. */
const closedBy = (name: string, code: number, frames: (peer: Peer) => Uint8Array[], options?: PartyOptions): Attack[] =>
  inBoth(
    name,
    async ({ raw, peer, closed }) => {
      await raw.write(concat(frames(peer)));
      expect(await closed()).toBe(code);
    },
    options,
  );

async function inMemory(arena: Arena, work: () => Promise<void>, most = MOST_MEMORY): Promise<void> {
  using memory = new MemoryWatch(arena.agent.pid);
  await work();
  expect(memory.growth).toBeLessThan(most);
}

/** The older of two connections does not read what is sent to both, and the newer gets all of it. */
const broadcastPastSlow = (arena: Arena, slowConsumer: string, closeTimeout: number): Promise<void> =>
  inMemory(
    arena,
    async () => {
      const options = { slowConsumer, maxQueuedBytes: MIB, closeTimeout };
      const [slow, fast] = [await arena.open("server", options), await arena.open("server", options)];
      slow.raw.socket.pause();
      await arena.agent.broadcast(await arena.serve(options), { bytes: MIB >> 2 }, 128);
      await fast.raw.until(() => fast.raw.hasEnded || fast.raw.length >= 128 * ((MIB >> 2) + 10));
      expect(fast.raw.hasEnded).toBe(false);
      expect(fast.frames()).toHaveLength(128);
      slow.raw.socket.resume();
      if (slowConsumer === "close") await slow.raw.until(() => slow.raw.hasEnded);
      for (const { raw } of [slow, fast]) raw.end();
      await slow.raw.until(() => slow.raw.hasEnded);
      expect(slow.raw.length).toBeLessThan(31 * MIB);
    },
    192 * MIB,
  );

const announcing = (peer: Peer, length: bigint): Uint8Array =>
  frameHeader(2, length, { key: peer.role === "server" ? [1, 2, 3, 4] : undefined });

/** Connections that have each announced a message, of which the beginning has come: nothing is taken beforehand. */
const announced = (length: number): Attack[] =>
  roles.map((role) => ({
    name: `as a ${role}: 64 messages of ${length} bytes, which maxLength allows, announced and begun`,
    play: (arena) =>
      inMemory(arena, async () => {
        const all = await Promise.all(
          Array.from({ length: 64 }, () => arena.open(role, { maxLength: length, closeTimeout: 1000 })),
        );
        for (const { raw, peer } of all) await raw.write(concat([announcing(peer, BigInt(length)), noise(5000)]));
        const [first] = all;
        // In the middle of the message there is no place for a ping: what has come is the server's to tell by ending.
        for (const { raw } of all) raw.end();
        await Promise.all(all.map(({ raw }) => raw.until(() => raw.hasEnded)));
        expect(first!.frames()).toEqual([]);
      }),
  }));

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A message in very many fragments, cut into writes of a useful size. */
function fragmentsOf(peer: Peer, count: number, size: number, isWhole: boolean): Uint8Array {
  const payload = noise(size);
  return concat(times(count, (i) => peer.frame(i === 0 ? 2 : 0, payload, { fin: isWhole && i === count - 1 })));
}

/** Of five bytes the first four say how often the last is meant. */
function repeated(count: number): Uint8Array {
  const bytes = new Uint8Array(5);
  new DataView(bytes.buffer).setUint32(0, count);
  return bytes;
}

const COMPRESSED = { rsv: 0x40 };
const deflate: PartyOptions = { extensions: ["deflate"] };
/** So many zeros (RFC 7692 §7.2.1). */
const zeros = (count: number): Uint8Array =>
  deflateRawSync(new Uint8Array(count), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const MIB_OF_ZEROS = concat([zeros(MIB), Uint8Array.of(0, 0, 0xff, 0xff)]);
/** A bomb as a single frame, in fragments with pings between, and behind a message that is none. */
const bombs: [name: string, frames: (peer: Peer) => Uint8Array[]][] = [
  ["of some KB", (peer) => [peer.binary(zeros(4 * MIB), COMPRESSED)]],
  ["of a thousandth of 1 GiB", (peer) => [peer.binary(concat(times(1024, () => MIB_OF_ZEROS)), COMPRESSED)]],
  [
    "in fragments",
    (peer) => {
      const [first, ...others] = times(64, () => MIB_OF_ZEROS);
      return [
        peer.binary(first, { ...COMPRESSED, fin: false }),
        ...others.flatMap((bytes, i) => [peer.pong(), peer.continuation(bytes, { fin: i === others.length - 1 })]),
      ];
    },
  ],
  ["one byte over", (peer) => [peer.text(zeros(2_000_000), COMPRESSED), peer.text(zeros(2_000_001), COMPRESSED)]],
];

/** Headers of every form, each with what it is the header of. */
const headed = (peer: Peer): [name: string, frame: Uint8Array, header: number][] =>
  ([0, 125, 126, 65_535, 65_536] as const).map((size) => {
    const frame = peer.binary(noise(size));
    return [`${size} bytes`, frame, frame.length - size];
  });

/** What a connection with somebody listening makes of these segments. */
async function logOf(arena: Arena, role: Role, segments: readonly Uint8Array[]): Promise<unknown> {
  const key = arena.newKey();
  const raw = arena.keep(await (role === "server" ? arena.openHeard(key) : arena.dialHeard(key)));
  for (const segment of segments) await raw.write(segment, new Uint8Array(0));
  await raw.write(new Peer(role).close(1000));
  await raw.until(() => raw.hasEnded || raw.bytes.length > 0);
  raw.end();
  const [log] = await arena.agent.finished(key);
  return log;
}

export const table: Table<RowName<"Frames">> = {
  "control frame over 125 bytes, or fragmented: 1002": [
    ...proven(/§5\.5\.2, §5\.5\.3/, 1002, /126 bytes|65,536 bytes/),
    ...proven(/others fail the connection/, 1002, /124 bytes/),
    ...proven(/control frames between fragments/, 1002),
  ],
  "RSV1 without an extension, on a continuation or control frame; RSV2, RSV3: 1002": [
    ...proven(/reserved bits without an extension/, 1002),
    ...proven(/reserved bits that an extension has taken/, 1002),
  ],
  "opcodes 3 to 7, 11 to 15: 1002": proven(/reserved opcodes/, 1002),
  "unmasked at the server, masked at the client: 1002": proven(/who masks/, 1002),
  "a length not in its shortest form: 1002": proven(/shortest form/, 1002, /in (16|64) bits/),
  "a length of 64 bits with its top bit: 1002; 2^53, 2^32 + 10, 2^31: 1009, before any memory is taken": [
    ...proven(/shortest form/, 1002, /top bit/),
    ...proven(/shortest form/, 1009, /over maxLength|2\^32 \+ 10/),
    ...proven(/maxLength, over all/, 1009),
    ...announced(2 ** 31),
    ...announced(2 ** 53 - 1),
  ],
  "continuation with nothing open, new data frame inside a message: 1002": proven(/§5\.4: fragments/, 1002),
  "endless fragments, of one byte or none: memory in proportion, then 1008": [
    ...proven(/empty fragments|maxFragments/),
    ...closedBy("65,537 fragments of one byte", 1008, (peer) => [fragmentsOf(peer, 65_537, 1, false)]),
    ...closedBy("65,537 fragments of which every other is empty", 1008, (peer) => [
      concat(times(65_537, (i) => peer.frame(i === 0 ? 2 : 0, i % 2 ? "" : "x", { fin: false }))),
    ]),
    ...inBoth("4 MiB in fragments of 64 bytes pass", async (opened, arena) => {
      await inMemory(arena, async () => {
        await opened.raw.write(fragmentsOf(opened.peer, 65_536, 64, true));
        await closeWell(opened);
      });
    }),
  ],
  "1 MiB in segments of one byte: accepted": (
    [
      ["server", MIB >> 2],
      // Most of the time goes to the kernel; test/protocol/memory.test.ts has all of the megabyte.
      ["client", MIB >> 4],
    ] as const
  ).map(([role, size]) => ({
    name: `as a ${role}: ${size} of them`,
    async play(arena: Arena): Promise<void> {
      const opened = await arena.open(role);
      const { raw, peer } = opened;
      const bytes = peer.binary(noise(size));
      await inMemory(arena, async () => {
        for (let i = 0; i < bytes.length; i++)
          if (!raw.socket.write(bytes.subarray(i, i + 1)))
            await new Promise((resolve) => raw.socket.once("drain", resolve));
        await closeWell(opened);
      });
    },
  })),
  "compressed garbage: 1007; a bomb: 1009 at the first byte too many": [
    ...proven(/reserved bits that an extension has taken/, 1007),
    ...proven(/no DEFLATE/, 1007),
    ...proven(/what is inflated/),
    ...closedBy("garbage", 1007, (peer) => [peer.text(noise(100), COMPRESSED)], deflate),
    ...closedBy("garbage in fragments", 1007, (peer) => [peer.text(noise(9), { ...COMPRESSED, fin: false }), peer.continuation(noise(90))], deflate), // prettier-ignore
    ...closedBy("cut short", 1007, (peer) => [peer.text(zeros(4000).subarray(0, 8), COMPRESSED)], deflate),
    ...bombs.flatMap(([name, frames]) =>
      roles.map((role): Attack => ({
        name: `as a ${role}: a bomb, ${name}, at ten connections at once`,
        play: (arena) =>
          inMemory(arena, async () => {
            const options = { ...deflate, maxLength: 2_000_000 };
            const all = await Promise.all(times(10, () => arena.open(role, options)));
            await Promise.all(all.map(({ raw, peer }) => raw.write(concat(frames(peer)))));
            expect(await Promise.all(all.map(({ closed }) => closed()))).toEqual(times(10, () => 1009));
          }),
      })),
    ),
    ...closedBy("from an extension that does not look at maxLength", 1009, (peer) => [peer.text(repeated(10_001), COMPRESSED)], { extensions: ["careless"], maxLength: 10_000 }), // prettier-ignore
  ],
  "UTF-8 that is none, split anywhere: 1007": proven(/text that is/),
  "Close with one byte, or a code that may not be sent: 1002": proven(/others fail the connection/, 1002),
  "Close whose reason is not UTF-8: 1007": proven(/others fail the connection/, 1007),
  "data after Close, a second Close, no answer to ours: ignored, ignored, terminated at closeTimeout": [
    ...proven(/Close frames that may be sent/),
    ...roles.flatMap((role): Attack[] => [
      {
        name: `as a ${role}: data behind our Close, which the peer answers twice`,
        async play(arena: Arena): Promise<void> {
          const opened = await arena.open(role, {}, [["upon", "open", "close"]]);
          const { raw, peer } = opened;
          await raw.until(() => raw.bytes.length > 0);
          await raw.write(peer.text("late"), peer.ping("late"), peer.close(4000), peer.close(4001), peer.frame(3));
          if (role === "client") raw.end();
          expect(await opened.closed()).toBe(4000);
          expect(opened.frames()).toHaveLength(1);
        },
      },
      {
        name: `as a ${role}: no answer to our Close`,
        async play(arena: Arena): Promise<void> {
          const { raw } = await arena.open(role, { closeTimeout: 200 }, [["upon", "open", "close"]]);
          await untilGone(raw);
        },
      },
      {
        name: `as a ${role}: no answer but data without end`,
        async play(arena: Arena): Promise<void> {
          const { raw, peer } = await arena.open(role, { closeTimeout: 200 }, [["upon", "open", "close"]]);
          while (!raw.error && !raw.isClosed) {
            raw.socket.write(peer.text("more"));
            await delay(5);
          }
        },
      },
      {
        name: `as a ${role}: a Close, and TCP left open`,
        async play(arena: Arena): Promise<void> {
          const { raw, peer } = await arena.open(role, { closeTimeout: 200 });
          await raw.write(peer.close(1000));
          await untilGone(raw);
        },
      },
    ]),
  ],
  "100,000 pings from a peer that does not read: pongs coalesce, then 1008": inBoth(
    "300,000 of 125 bytes each",
    async ({ raw, peer, closed, frames }, arena) => {
      raw.socket.pause();
      const pings = concat(times(1000, () => peer.ping("p".repeat(125))));
      await inMemory(arena, async () => {
        // Once all is written, more has been read than the system can hold of the answers.
        for (let i = 0; i < 300; i++) await raw.write(pings);
        raw.socket.resume();
        expect(await closed()).toBe(1008);
      });
      expect(frames().length).toBeLessThan(200_000);
    },
  ),
  "a header cut at every byte: the same as whole": roles.map((role) => ({
    name: `as a ${role}: every form of length, of binary, ping and Close`,
    async play(arena: Arena): Promise<void> {
      for (const [name, frame, header] of headed(new Peer(role))) {
        const whole = await logOf(arena, role, [frame]);
        const cuts = times(header, (i) => [frame.subarray(0, i + 1), frame.subarray(i + 1)]);
        const logs = await Promise.all(cuts.map((segments) => logOf(arena, role, segments)));
        for (const log of logs) expect(log, name).toEqual(whole);
      }
    },
  })),
  "a slow reader under a broadcast: nobody else stalls": [
    ...["close", "wait", "drop-oldest", "drop-newest"].map((slowConsumer) => ({
      name: slowConsumer,
      play: (arena: Arena) => broadcastPastSlow(arena, slowConsumer, 300),
    })),
    {
      name: "close, whose timeout is over long before the broadcast is",
      play: (arena) => broadcastPastSlow(arena, "close", 20),
    },
  ],
  "a fast sender to a slow handler: reading pauses": roles.map((role) => ({
    name: `as a ${role}: which has paused`,
    play: (arena) =>
      inMemory(arena, async () => {
        const { raw, peer } = await arena.open(role, {}, [["upon", "open", "hold"]]);
        const message = peer.binary(noise(MIB));
        // What the system holds on its way is some megabytes.
        let sent = 0;
        for (let isTaken = true; isTaken && sent < 256; sent++)
          isTaken = await Promise.race([raw.write(message).then(() => true), delay(500).then(() => false)]);
        expect(sent).toBeLessThan(64);
        raw.socket.destroy();
        // While it reads nothing, it does not see that either.
        await arena.agent.say("resume");
      }),
  })),
  "half-open TCP, a stalled TLS handshake: ended by the heartbeat or the deadline": [
    ...inBoth(
      "a peer that does not answer any more",
      async ({ raw }) => {
        await untilGone(raw);
      },
      { heartbeat: { interval: 200, timeout: 200 } },
    ),
    ...openingServer["plaintext on the TLS port, the client gone halfway: freed, nothing unhandled"].filter(
      ({ name }) => name.includes("ClientHello"),
    ),
  ],
  "many connections, each with a message unfinished: 1013 by a budget": [
    ...closedBy("1 MiB at a budget of half of it", 1013, (peer) => [peer.binary(noise(MIB)).subarray(0, MIB)], {
      budget: MIB >> 1,
    }),
    {
      name: "as a server: sixteen of them, of which eight fit; then there is room again",
      async play(arena: Arena): Promise<void> {
        const options = { budget: 8 * MIB };
        const all: Opened[] = [];
        const isOver = ({ raw }: Opened): boolean => raw.hasEnded;
        for (let i = 0; i < 16; i++) {
          const opened = await arena.open("server", options);
          all.push(opened);
          await Promise.race([
            opened.raw.write(opened.peer.binary(noise(MIB)).subarray(0, MIB)),
            opened.raw.until(() => opened.raw.hasEnded),
          ]);
          await delay(20);
        }
        await all.at(-1)!.raw.until(() => all.at(-1)!.raw.hasEnded);
        const refused = all.filter(isOver);
        expect(refused.length).toBeGreaterThanOrEqual(8);
        expect(refused.length).toBeLessThanOrEqual(12);
        // The newest go, and those that have begun go on.
        expect(all.slice(0, 4).some(isOver)).toBe(false);
        for (const { closed } of refused) expect(await closed()).toBe(1013);
        for (const { raw } of all) raw.end();
        await Promise.all(all.map(({ raw }) => raw.until(() => raw.hasEnded)));
        const again = await arena.open("server", options);
        await again.raw.write(again.peer.binary(noise(MIB)));
        await closeWell(again);
      },
    },
  ],
  "two masking keys alike: never": [
    {
      name: "2,000 frames of two clients, and the nonces of twenty",
      async play(arena: Arena): Promise<void> {
        const keys: number[] = [];
        const nonces = new Set<string>();
        for (let i = 0; i < 20; i++) {
          const key = arena.newKey();
          const count = i < 2 ? 1000 : 1;
          const raw = arena.keep(await arena.dialHeard(key, [["send", ...Array<string>(count).fill("x")]]));
          await raw.until(() => raw.bytes.length >= count * 7);
          nonces.add(raw.field("Sec-WebSocket-Key"));
          keys.push(...readFrames(raw.bytes).map((frame) => Buffer.from(frame.key!).readUInt32BE()));
          raw.end();
          await arena.agent.finished(key);
        }
        expect(nonces.size).toBe(20);
        // Of so many random ones two are alike once in two thousand runs; three pairs never are.
        expect(new Set(keys).size).toBeGreaterThan(keys.length - 3);
        // Nor does one follow from the other by an addition, or an exclusive or.
        for (const step of [(a: number, b: number) => (b - a) >>> 0, (a: number, b: number) => (a ^ b) >>> 0])
          expect(new Set(keys.slice(1).map((next, i) => step(keys[i]!, next))).size).toBeGreaterThan(keys.length - 4);
        for (const shift of [0, 8, 16, 24])
          expect(new Set(keys.map((key) => (key >>> shift) & 0xff)).size).toBeGreaterThan(240);
      },
    },
  ],
};
