import { randomFillSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskingKeys } from "../../src/protocol/masking-keys.ts";
import { noise } from "../helpers/bytes.ts";
import { codecs } from "../helpers/codecs.ts";
import { same } from "../helpers/decoding.ts";
import { type Sent } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { bytesOf, concat, latin1 } from "../helpers/wire.ts";

const FIN = 0x80;
const sizes = [0, 1, 125, 126, 127, 65535, 65536, 100_000];

describe.each(roles)("RFC 6455 §6.1: sending, as a %s", (role) => {
  it("text and bytes of every form of length, each in one frame", () => {
    for (const codec of codecs) {
      const session = new Session(role, { codec });
      const expected: Sent[] = [];
      for (const size of sizes) {
        session.protocol.sendText("é".repeat(size >> 1));
        session.protocol.sendBytes(2, noise(size));
        session.protocol.sendBytes(1, bytesOf("x".repeat(size)));
        expected.push([FIN | 1, latin1(bytesOf("é".repeat(size >> 1)))], [FIN | 2, latin1(noise(size))]);
        expected.push([FIN | 1, "x".repeat(size)]);
      }
      same(session.takeSent(), expected, codec.build);
      session.end();
    }
  });

  it("writes to nothing that is passed in", () => {
    for (const size of sizes) {
      const session = new Session(role);
      const data = noise(size);
      session.protocol.sendBytes(2, data);
      session.protocol.sendFragment(2, data, false);
      session.protocol.sendFragment(0, data, true);
      if (size <= 125) session.protocol.sendControl(9, data);
      session.takeSent();
      same(data, noise(size), `${size} bytes`);
      session.end();
    }
  });

  it("a lone surrogate leaves as U+FFFD", () => {
    const session = new Session(role);
    session.protocol.sendText("a\ud800b");
    expect(session.takeSent()).toEqual([[FIN | 1, "a\u00ef\u00bf\u00bdb"]]);
    session.end();
  });

  it("pings and pongs, also between fragments", () => {
    const session = new Session(role);
    session.protocol.sendControl(9, bytesOf("ping"));
    session.protocol.sendFragment(1, bytesOf("a"), false);
    session.protocol.sendControl(10, noise(125));
    session.protocol.sendFragment(0, bytesOf("b"), true);
    session.protocol.sendControl(9, new Uint8Array(0));
    expect(session.takeSent()).toEqual([[FIN | 9, "ping"], [1, "a"], [FIN | 10, latin1(noise(125))], [FIN, "b"], [FIN | 9, ""]]); // prettier-ignore
    session.end();
  });

  describe("§5.4: fragments", () => {
    it("the first has the opcode, the others are continuations, the last has FIN", () => {
      const session = new Session(role);
      for (const opcode of [1, 2]) {
        session.protocol.sendFragment(opcode, bytesOf("a"), false);
        session.protocol.sendFragment(0, bytesOf(""), false);
        session.protocol.sendFragment(0, bytesOf("c"), true);
        expect(session.takeSent()).toEqual([[opcode, "a"], [0, ""], [FIN, "c"]]); // prettier-ignore
      }
      // A message may consist of one fragment, and then nothing is open.
      session.protocol.sendFragment(2, bytesOf("whole"), true);
      session.protocol.sendText("next");
      expect(session.takeSent()).toEqual([[FIN | 2, "whole"], [FIN | 1, "next"]]); // prettier-ignore
      session.end();
    });

    const calls = {
      "a text": (session: Session) => session.protocol.sendText("t"),
      "a binary": (session: Session) => session.protocol.sendBytes(2, bytesOf("b")),
      "a first fragment": (session: Session) => session.protocol.sendFragment(1, bytesOf("f"), false),
      "a sole fragment": (session: Session) => session.protocol.sendFragment(2, bytesOf("s"), true),
      "a continuation": (session: Session) => session.protocol.sendFragment(0, bytesOf("c"), false),
      "a last continuation": (session: Session) => session.protocol.sendFragment(0, bytesOf("l"), true),
      "a ping": (session: Session) => session.protocol.sendControl(9, bytesOf("p")),
    };
    const names = Object.keys(calls) as (keyof typeof calls)[];

    it("any order of calls is sent or refused as the section says, and a refusal changes nothing", () => {
      const bits: Record<(typeof names)[number], Sent> = {
        "a text": [FIN | 1, "t"],
        "a binary": [FIN | 2, "b"],
        "a first fragment": [1, "f"],
        "a sole fragment": [FIN | 2, "s"],
        "a continuation": [0, "c"],
        "a last continuation": [FIN, "l"],
        "a ping": [FIN | 9, "p"],
      };
      const property = fc.property(fc.array(fc.constantFrom(...names), { maxLength: 12 }), (order) => {
        const session = new Session(role);
        const expected: Sent[] = [];
        let open = false;
        for (const name of order) {
          const continues = name.includes("continuation");
          if (name !== "a ping" && continues !== open) {
            const refusal = expect.objectContaining({ name: "TypeError", code: "ERR_FRAME_ORDER" }) as Error;
            expect(() => calls[name](session)).toThrow(refusal);
            continue;
          }
          calls[name](session);
          expected.push(bits[name]);
          if (name === "a first fragment") open = true;
          if (name === "a last continuation") open = false;
        }
        expect(session.takeSent()).toEqual(expected);
        session.end();
      });
      fc.assert(property, { numRuns: 200 });
    });

    it("the refusals say what to do instead", () => {
      const session = new Session(role);
      expect(() => calls["a continuation"](session)).toThrow(/begin one first/);
      calls["a first fragment"](session);
      expect(() => calls["a text"](session)).toThrow(/send its last fragment first/);
      session.end();
    });
  });

  it("one side's frames are the other side's events", () => {
    const message = fc.oneof(fc.string({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }));
    const property = fc.property(fc.array(message, { maxLength: 10 }), (messages) => {
      for (const codec of codecs) {
        const sender = new Session(role, { codec });
        const receiver = new Session(role === "server" ? "client" : "server", { codec });
        for (const each of messages) {
          if (typeof each === "string") sender.protocol.sendText(each);
          else sender.protocol.sendBytes(2, each);
        }
        receiver.receive(sender.protocol.outbox?.take() ?? []);
        expect(receiver.messages).toEqual(messages);
        sender.end();
        receiver.end();
      }
    });
    fc.assert(property, { numRuns: 50 });
  });

  it("what waits is dropped with the transport", () => {
    const session = new Session(role);
    session.protocol.sendText("never sent");
    expect(session.protocol.outbox!.length).toBeGreaterThan(0);
    session.protocol.transportClosed();
    expect(session.protocol.outbox).toBeUndefined();
    expect(session.takeSent()).toEqual([]);
  });
});

describe("§5.3, §10.3: masking keys", () => {
  /** Every four bytes differ from all the others. */
  const counting = () => {
    let counter = 0;
    const filled: number[] = [];
    const fill = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length; at += 4) {
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, 0x9e3779b9 * ++counter);
      }
      filled.push(...bytes);
    };
    return { fill, filled };
  };

  it("come from the generator handed in, four bytes each, in its order, each once", () => {
    const { fill, filled } = counting();
    const next = maskingKeys(fill);
    const drawn = Array.from({ length: 5000 }, () => next() >>> 0);
    const bytes = Buffer.alloc(20_000);
    drawn.forEach((key, i) => bytes.writeUInt32LE(key, 4 * i));
    same([...bytes], filled.slice(0, 20_000), "the keys");
    expect(new Set(drawn).size).toBe(5000);
  });

  it("nothing is drawn before a key is needed", () => {
    let calls = 0;
    const next = maskingKeys(() => {
      calls++;
    });
    expect(calls).toBe(0);
    next();
    expect(calls).toBe(1);
  });

  it("stand on the wire as the generator made them, a fresh one for every frame of every kind", () => {
    for (const codec of codecs) {
      const { fill, filled } = counting();
      const session = new Session("client", { codec, maskingKey: maskingKeys(fill) });
      const { protocol } = session;
      for (let i = 0; i < 600; i++) {
        protocol.sendText(`${i}`);
        protocol.sendBytes(2, noise(i % 7 === 0 ? 20_000 : i));
        protocol.sendFragment(1, noise(3), false);
        protocol.sendControl(9, noise(i % 126));
        protocol.sendFragment(0, noise(2), true);
      }
      protocol.close(1000, bytesOf("bye"));
      const keys = session.takeFrames().map(({ key }) => key!);
      expect(keys).toHaveLength(3001);
      same(keys.flat(), filled.slice(0, 4 * keys.length), codec.build);
      expect(new Set(keys.map(String)).size).toBe(keys.length);
      session.end();
    }
  });

  it("seed defect 10: every byte of the key takes all 256 values, 255 among them", () => {
    const session = new Session("client", { maskingKey: maskingKeys((bytes) => void randomFillSync(bytes)) });
    const seen = Array.from({ length: 4 }, () => new Set<number>());
    for (let i = 0; i < 20_000; i++) session.protocol.sendControl(9, new Uint8Array(0));
    for (const { key } of session.takeFrames()) key!.forEach((byte, place) => seen[place]!.add(byte));
    expect(seen.map(({ size }) => size)).toEqual([256, 256, 256, 256]);
    session.end();
  });

  it("a generator that fails sends nothing, and the next frame is whole", () => {
    let fails = true;
    const { fill } = counting();
    const random = (bytes: Uint8Array): void => {
      if (fails) throw new Error("no entropy");
      fill(bytes);
    };
    const session = new Session("client", { maskingKey: maskingKeys(random) });
    const { protocol } = session;
    for (const send of [
      () => protocol.sendText("lost"),
      () => protocol.sendBytes(2, noise(100)),
      () => protocol.sendBytes(2, noise(30_000)),
    ]) {
      expect(send).toThrow("no entropy");
    }
    expect(protocol.outbox).toMatchObject({ length: 0, frames: 0 });
    fails = false;
    protocol.sendText("sent");
    expect(session.takeSent()).toEqual([[FIN | 1, "sent"]]);
    session.end();
  });

  it("a server has none", () => {
    const session = new Session("server");
    session.protocol.sendText("plain");
    expect(concat(session.protocol.outbox?.take() ?? [])).toEqual(
      concat([Uint8Array.of(FIN | 1, 5), bytesOf("plain")]),
    );
    session.end();
  });
});
