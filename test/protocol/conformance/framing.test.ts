import { describe, expect, it } from "vitest";
import { noise } from "../../helpers/bytes.ts";
import { codecs } from "../../helpers/codecs.ts";
import { chopped, same } from "../../helpers/decoding.ts";
import { Session, conform, fails, roles, stays, type Case } from "../../helpers/conformance.ts";
import { Peer, bytesOf, frame, frameHeader, latin1, type FrameFields } from "../../helpers/wire.ts";

const sizes = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 1000, 65535, 65536, 65537, 131_072];
const text = (size: number): string => "*".repeat(size);

conform("RFC 6455 §5.2, §5.6: messages of every form of length", [
  ...sizes.flatMap((size): Case[] => [
    { name: `text of ${size} bytes`, frames: (peer) => [peer.text(text(size))], expected: stays(["text", text(size)]) },
    {
      name: `binary of ${size} bytes`,
      frames: (peer) => [peer.binary(noise(size))],
      expected: stays(["binary", latin1(noise(size))]),
    },
  ]),
  {
    name: "text that is not ASCII, of 65,536 bytes",
    frames: (peer) => [peer.text("é".repeat(32_768))],
    expected: stays(["text", "é".repeat(32_768)]),
  },
  {
    name: "text and binary in turns",
    frames: (peer) => [peer.text("one"), peer.binary([2, 0xff]), peer.text(""), peer.binary(), peer.text("fünf")],
    expected: stays(["text", "one"], ["binary", "\u0002\u00ff"], ["text", ""], ["binary", ""], ["text", "fünf"]),
  },
]);

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

const key = [1, 2, 3, 4];

conform("§5.1: who masks", [
  {
    name: "a frame of the other role's kind is refused with 1002 (seed defect 15)",
    frames: (peer) => [frame(1, "Hello", peer.role === "server" ? {} : { key })],
    expected: fails(1002),
  },
  ...(["text", "binary", "ping", "pong", "close"] as const).map((kind, i): Case => ({
    name: `the same on ${kind}, behind a valid message`,
    frames: (peer) => [peer.text("é"), frame([1, 2, 9, 10, 8][i]!, "", peer.role === "server" ? {} : { key })],
    expected: fails(1002, ["text", "é"]),
  })),
  {
    name: "the same on a continuation",
    frames: (peer) => [peer.text("a", { fin: false }), frame(0, "b", peer.role === "server" ? {} : { key })],
    expected: fails(1002),
  },
]);

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

const longer: readonly [length: bigint, form: 16 | 64][] = [
  [0n, 16],
  [1n, 16],
  [125n, 16],
  [0n, 64],
  [1n, 64],
  [125n, 64],
  [126n, 64],
  [65535n, 64],
];

const header = (peer: Peer, opcode: number, length: bigint, fields: Omit<FrameFields, "announced"> = {}): Uint8Array =>
  frameHeader(opcode, length, { key: peer.role === "server" ? key : undefined, ...fields });

conform("§5.2: a length is in its shortest form", [
  ...longer.flatMap(([length, form]) =>
    [1, 2].map((opcode): Case => ({
      name: `${length} in ${form} bits, opcode ${opcode}: 1002`,
      frames: (peer) => [peer.frame(opcode, text(Number(length)), { form })],
      expected: fails(1002),
    })),
  ),
  ...longer.map(([length, form]): Case => ({
    name: `${length} in ${form} bits on a continuation: 1002`,
    frames: (peer) => [peer.binary("", { fin: false }), peer.continuation(text(Number(length)), { form })],
    expected: fails(1002),
  })),
  ...([8, 9, 10] as const).map((opcode): Case => ({
    name: `0 in 16 bits on the control frame ${opcode}: 1002`,
    frames: (peer) => [peer.frame(opcode, "", { form: 16 })],
    expected: fails(1002),
  })),
  ...([126n, 127n, 65535n] as const).map((length): Case => ({
    name: `${length} in 16 bits is the shortest form`,
    frames: (peer) => [peer.binary(text(Number(length)), { form: 16 })],
    expected: stays(["binary", text(Number(length))]),
  })),
  ...[1n << 63n, (1n << 63n) + 5n, (1n << 64n) - 1n].map((length): Case => ({
    name: `the top bit of 64, ${length}: 1002, before any payload`,
    frames: (peer) => [header(peer, 2, length)],
    expected: fails(1002),
  })),
  // HOSTILE.md; seed defect 2: fourteen bytes that declare 2^40
  ...[2n ** 31n, 2n ** 32n, 2n ** 32n + 10n, 2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n].map(
    (length): Case => ({
      name: `${length} bytes, which is over maxLength: 1009, before any payload (seed defect 2)`,
      frames: (peer) => [peer.text("before"), header(peer, 2, length)],
      expected: fails(1009, ["text", "before"]),
    }),
  ),
  {
    name: "2^32 + 10 is not taken for 10",
    frames: (peer) => [header(peer, 1, 2n ** 32n + 10n), bytesOf("0123456789")],
    expected: fails(1009),
  },
]);
