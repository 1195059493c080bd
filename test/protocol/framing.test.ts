import { describe, expect, it } from "vitest";
import { noise } from "../helpers/bytes.ts";
import { codecs } from "../helpers/codecs.ts";
import { chopped, same } from "../helpers/decoding.ts";
import { stays } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { Peer, frame, latin1 } from "../helpers/wire.ts";

describe("messages that come in chops of one size", () => {
  describe.each(roles)("as a %s", (role) => {
    it.each([1, 2, 3, 5, 64, 128, 256, 512, 997, 1024, 2048])("of %d bytes", (chop) => {
      const peer = new Peer(role);
      for (const [i, size] of [125, 126, 4096, ...(chop >= 64 ? [65535, 65536, 200_000] : [])].entries()) {
        const payload = noise(size);
        const string = "aé".repeat(size / 3);
        const session = new Session(role, { codec: codecs[i % codecs.length]! });
        session.receive(chopped(peer.binary(payload), chop)).receive(chopped(peer.text(string), chop));
        same(session.end(), stays(["binary", latin1(payload)], ["text", string]), `${size} bytes`);
      }
    });
  });
});

describe("what is received belongs to the user", () => {
  it.each(roles)("bytes lie in memory of their own, and stay as they are (%s)", (role) => {
    for (const codec of codecs) {
      const peer = new Peer(role);
      const session = new Session(role, { codec });
      const wanted = [noise(10), noise(300, 2), noise(70_000, 3), noise(5, 4)];
      for (const payload of wanted) session.receive([peer.binary(payload)]);
      const fragments = peer.fragments(2, [noise(3), noise(4)]);
      session.receive(fragments);
      same(session.messages.slice(0, -1), wanted, "the messages");
      for (const message of session.messages) expect((message as Uint8Array).buffer).not.toBe(codec.memory.buffer);
      session.end();
    }
  });

  it.each(roles)("an empty message, or ping, may be transferred away without harm to anyone (%s)", (role) => {
    const peer = new Peer(role);
    const first = new Session(role);
    first.receive([...peer.fragments(2, ["", ""]), peer.binary()]);
    let ping: Uint8Array | undefined;
    first.ping = (payload) => (ping = payload);
    first.receive([peer.ping()]);
    for (const bytes of [...(first.messages as Uint8Array[]), ping!]) {
      const { buffer } = bytes as Uint8Array<ArrayBuffer>;
      // Had it been another's before, it would be detached already.
      expect(() => structuredClone(buffer, { transfer: [buffer] })).not.toThrow();
    }
    const second = new Session(role);
    for (const session of [first, second]) {
      session.receive([...peer.fragments(1, ["still ", "he", "re"]), peer.ping("x")]);
      expect(session.messages.at(-1)).toBe("still here");
      session.end();
    }
  });
});

describe("§5.3: any key unmasks", () => {
  it.each([[[0, 0, 0, 0]], [[255, 255, 255, 255]], [[0, 0, 0, 1]], [[0x37, 0xfa, 0x21, 0x3d]], [[128, 1, 255, 0]]])(
    "the key %o",
    (each) => {
      for (const codec of codecs) {
        const session = new Session("server", { codec });
        session.receive([frame(1, "Zwölf 😀", { key: each }), frame(2, noise(1000), { key: each })]);
        same(session.end(), stays(["text", "Zwölf 😀"], ["binary", latin1(noise(1000))]), codec.build);
      }
    },
  );
});
