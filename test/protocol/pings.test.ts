import { describe, expect, it } from "vitest";
import type { CloseInfo, LinkOwner } from "../../src/driver/link-owner.ts";
import { Link } from "../../src/driver/link.ts";
import { settingsOf } from "../../src/driver/settings.ts";
import type { Host, Transport, TransportHandler } from "../../src/driver/transport.ts";
import { noise } from "../helpers/bytes.ts";
import { codecs } from "../helpers/codecs.ts";
import { everyCut, same } from "../helpers/decoding.ts";
import { type Event } from "../helpers/outcome.ts";
import { defaultLimits, roles } from "../helpers/session.ts";
import { Peer, concat, latin1, readFrames, type Role } from "../helpers/wire.ts";

const binary = Uint8Array.from([0, 0xff, 0xfe, 0xfd, 0x80, 0x0a]);

/** A link over a transport that keeps what is written to it; `isFull` makes it one whose peer does not read. */
class Wire implements Transport, LinkOwner {
  readonly raw = undefined;
  readonly remoteAddress = undefined;
  readonly remotePort = undefined;
  readonly secure = false;
  readonly link: Link;
  readonly events: Event[] = [];
  bufferedAmount = 0;
  isEnded = false;
  #written: Uint8Array[] = [];
  readonly #done: ((error?: Error | null) => void)[] = [];
  #handler!: TransportHandler;

  constructor(role: Role, codec = codecs[0]!) {
    const host: Host = {
      name: "test",
      random: (bytes) => bytes.set(noise(bytes.length, 3)),
      setTimer: () => () => undefined,
      now: () => 0,
      reportError: (error) => expect.fail(String(error)),
      dial: () => Promise.reject(new Error("no network here")),
      listen: () => Promise.reject(new Error("no network here")),
      wrap: () => this,
    };
    this.link = new Link(
      settingsOf(role, host, { codec, ...defaultLimits, closeTimeout: 1000, highWaterMark: 1000 }),
      this,
    );
    this.link.start(this);
    this.link.open([]);
  }

  receive(chunks: Iterable<Uint8Array>): this {
    for (const chunk of chunks) this.#handler.data(chunk.slice());
    return this;
  }

  /** The frames written since the last call: opcode and payload. */
  sent(): Event[] {
    const frames = readFrames(concat(this.#written.splice(0)));
    const names: Record<number, "text" | "ping" | "pong"> = { 1: "text", 9: "ping", 10: "pong" };
    return frames.map(({ opcode, payload, fin, rsv, key }): Event => {
      if (!fin || rsv || (key === undefined) !== (this.link.protocol.role === "server"))
        expect.fail("a malformed frame");
      return opcode === 8 ? ["closeDone"] : [names[opcode]!, latin1(payload)];
    });
  }

  /** The peer reads again: the system takes all that was written. */
  catchUp(): void {
    this.bufferedAmount = 0;
    for (const done of this.#done.splice(0)) done();
  }

  end(): void {
    this.isEnded = true;
  }
  start(handler: TransportHandler): void {
    this.#handler = handler;
  }
  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    this.#written.push(...chunks);
    this.#done.push(done);
  }
  pause(): void {
    // nothing comes but by receive()
  }
  resume(): void {
    // nothing comes but by receive()
  }
  destroy(): void {
    this.#handler.close();
  }

  handshakeData(): undefined {
    expect.fail("the handshake is done");
  }
  handshakeEnded(): void {
    expect.fail("the handshake is done");
  }
  handshakeExpired(): void {
    expect.fail("the handshake is done");
  }
  handshakeAbandoned(): void {
    expect.fail("there is a transport");
  }
  received(message: string | Uint8Array): void {
    this.events.push(["text", String(message)]);
  }
  pinged(payload: Uint8Array): void {
    this.events.push(["ping", latin1(payload)]);
  }
  ponged(payload: Uint8Array): void {
    this.events.push(["pong", latin1(payload)]);
  }
  drained(): void {
    // of no interest here
  }
  closing(): void {
    // of no interest here
  }
  failed(error: Error): void {
    this.events.push(["failed", 0, error.message]);
  }
  closed(info: CloseInfo): void {
    expect(info.code).toBeGreaterThan(0);
  }
}

/** Each stream, and what is sent in answer to it. */
const answers: readonly [string, (peer: Peer) => Uint8Array[], Event[]][] = [
  ["an empty ping", (peer) => [peer.ping()], [["pong", ""]]],
  ["a ping of text", (peer) => [peer.ping("Hello")], [["pong", "Hello"]]],
  ["a ping of bytes", (peer) => [peer.ping(binary)], [["pong", latin1(binary)]]],
  ["a ping of 125 bytes", (peer) => [peer.ping(noise(125))], [["pong", latin1(noise(125))]]],
  ["a ping of 126 bytes, which is a violation", (peer) => [peer.ping(noise(126)), peer.ping()], [["closeDone"]]],
  ["pongs, which need no answer", (peer) => [peer.pong(), peer.pong("x")], []],
  [
    "ten pings, in their order",
    (peer) => Array.from({ length: 10 }, (_, i) => peer.ping(`${i}`)),
    Array.from({ length: 10 }, (_, i): Event => ["pong", `${i}`]),
  ],
  [
    "a ping between fragments, before the message is whole",
    (peer) => [peer.text("a", { fin: false }), peer.ping("now")],
    [["pong", "now"]],
  ],
  ["pings up to a Close, and none behind it", (peer) => [peer.ping("1"), peer.close(1000), peer.ping("2")], [["pong", "1"], ["closeDone"]]], // prettier-ignore
  ["pings up to a violation, and none behind it", (peer) => [peer.ping("1"), peer.frame(3), peer.ping("2")], [["pong", "1"], ["closeDone"]]], // prettier-ignore
];

describe("§5.5.2: a ping is answered with its payload, by the link that stands between protocol and transport", () => {
  describe.each(roles)("as a %s", (role) => {
    it.each(answers)("%s", (_, frames, expected) => {
      for (const codec of codecs) {
        for (const [cut, chunks] of everyCut(concat(frames(new Peer(role))))) {
          const wire = new Wire(role, codec).receive(chunks);
          same(wire.sent(), expected, `${codec.build}, ${cut}`);
          wire.destroy();
        }
      }
    });

    it("two thousand in one chunk are answered in order", () => {
      const peer = new Peer(role);
      const wire = new Wire(role);
      const payloads = Array.from({ length: 2000 }, (_, i) => `ping ${i}`);
      wire.receive([concat(payloads.map((payload) => peer.ping(payload)))]);
      wire.catchUp();
      same(wire.sent(), payloads.map((payload) => ["pong", payload]), "the answers"); // prettier-ignore
      wire.destroy();
    });

    it("of those from a peer that does not read, only the latest, once it reads again (§5.5.3)", async () => {
      const peer = new Peer(role);
      const wire = new Wire(role);
      wire.link.protocol.sendText("much");
      wire.link.sender.wrote();
      wire.link.sender.flush();
      wire.bufferedAmount = 5000;
      wire.link.protocol.sendText("too much");
      wire.link.sender.wrote();
      wire.receive(Array.from({ length: 1000 }, (_, i) => peer.ping(`${i}`)));
      // The turn ends, and with it whatever waits for that.
      await Promise.resolve();
      expect(wire.sent()).toEqual([
        ["text", "much"],
        ["text", "too much"],
      ]);
      wire.catchUp();
      await Promise.resolve();
      expect(wire.sent()).toEqual([["pong", "999"]]);
      expect(wire.events).toHaveLength(1000);
      wire.destroy();
    });

    it("no longer, once this side has sent its Close frame", () => {
      const peer = new Peer(role);
      const wire = new Wire(role);
      wire.link.startClosing(1000, new Uint8Array(0));
      wire.receive([peer.ping("late"), peer.close(1000)]);
      expect(wire.sent()).toEqual([["closeDone"]]);
      expect(wire.events).toEqual([["ping", "late"]]);
      wire.destroy();
    });
  });
});
