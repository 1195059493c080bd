import { describe, expect, it } from "vitest";
import type { ExtensionSession } from "../../../src/protocol/extension.ts";
import { ProtocolError } from "../../../src/protocol/errors.ts";
import { codecs } from "../../helpers/codecs.ts";
import { everyCut, same } from "../../helpers/decoding.ts";
import { Session, closes, conform, fails, roles, stays, type Case, type Event } from "../../helpers/conformance.ts";
import { Peer, concat, latin1 } from "../../helpers/wire.ts";

const allRsv = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70];
const bits = (rsv: number): string => [0x40, 0x20, 0x10].map((bit, i) => (rsv & bit ? `RSV${i + 1}` : "")).join("");

conform("RFC 6455 §5.2: reserved bits without an extension for them", [
  ...allRsv.flatMap((rsv): Case[] => [
    ...[1, 2, 8, 9, 10].map((opcode): Case => ({
      name: `${bits(rsv)} on opcode ${opcode}: 1002`,
      frames: (peer) => [peer.frame(opcode, "", { rsv })],
      expected: fails(1002),
    })),
    {
      name: `${bits(rsv)} on a text with a payload`,
      frames: (peer) => [peer.text("Hello", { rsv })],
      expected: fails(1002),
    },
    {
      name: `${bits(rsv)} behind a valid message and a ping, and in front of others`,
      frames: (peer) => [peer.text("é"), peer.ping("p"), peer.binary("x", { rsv }), peer.text("never"), peer.ping()],
      expected: fails(1002, ["text", "é"], ["ping", "p"]),
    },
    {
      name: `${bits(rsv)} on a continuation`,
      frames: (peer) => [peer.text("a", { fin: false }), peer.continuation("b", { rsv })],
      expected: fails(1002),
    },
    {
      name: `${bits(rsv)} on a ping between fragments`,
      frames: (peer) => [peer.text("a", { fin: false }), peer.ping("", { rsv }), peer.continuation("b")],
      expected: fails(1002),
    },
  ]),
]);

/** An extension that turns payloads round, and marks them with its bits. */
class Reversing implements ExtensionSession {
  readonly rsv: number;
  readonly #log: string[];
  readonly #name: string;
  constructor(rsv = 0x40, name = "reversing", log: string[] = []) {
    this.rsv = rsv;
    this.#name = name;
    this.#log = log;
  }
  encode(opcode: number, data: Uint8Array): Uint8Array | undefined {
    this.#log.push(`${this.#name} encodes ${opcode}`);
    return data.length === 0 ? undefined : data.slice().reverse();
  }
  decode(opcode: number, data: Uint8Array, maxLength: number): Uint8Array {
    this.#log.push(`${this.#name} decodes ${opcode} up to ${maxLength}`);
    return data.slice().reverse();
  }
  close(): void {
    this.#log.push(`${this.#name} closes`);
  }
}

const reversed = (text: string): Uint8Array => new Uint8Array(Buffer.from(text).reverse());
const sessions = (): ExtensionSession[] => [new Reversing()];

conform("§5.2, §9: reserved bits that an extension has taken", [
  {
    name: "its bit on a text, a binary, and neither",
    frames: (peer) => [
      peer.text(reversed("Grüße"), { rsv: 0x40 }),
      peer.binary([1, 2], { rsv: 0x40 }),
      peer.text("plain"),
    ],
    expected: stays(["text", "Grüße"], ["binary", "\u0002\u0001"], ["text", "plain"]),
    sessions,
  },
  {
    name: "its bit on the first fragment counts for the message; control frames come between",
    frames: (peer) => {
      const bytes = reversed("é€😀");
      return [
        peer.text(bytes.subarray(0, 2), { fin: false, rsv: 0x40 }),
        peer.ping("now"),
        peer.continuation(bytes.subarray(2, 5), { fin: false }),
        peer.continuation(bytes.subarray(5)),
      ];
    },
    expected: stays(["ping", "now"], ["text", "é€😀"]),
    sessions,
  },
  {
    name: "its bit on an empty message",
    frames: (peer) => [peer.text("", { rsv: 0x40 })],
    expected: stays(["text", ""]),
    sessions,
  },
  {
    name: "its bit on a continuation: 1002",
    frames: (peer) => [peer.text("", { fin: false, rsv: 0x40 }), peer.continuation("b", { rsv: 0x40 })],
    expected: fails(1002),
    sessions,
  },
  ...[8, 9, 10].map((opcode): Case => ({
    name: `its bit on the control frame ${opcode}: 1002`,
    frames: (peer) => [peer.frame(opcode, "", { rsv: 0x40 })],
    expected: fails(1002),
    sessions,
  })),
  ...[0x10, 0x20, 0x30, 0x50, 0x60, 0x70].map((rsv): Case => ({
    name: `${bits(rsv)}, of which it has not taken all: 1002`,
    frames: (peer) => [peer.text("x", { rsv })],
    expected: fails(1002),
    sessions,
  })),
  {
    name: "§8.1: what it decodes must be UTF-8: 1007",
    frames: (peer) => [peer.text("fine"), peer.text([0x28, 0xc3], { rsv: 0x40 }), peer.text("never")],
    expected: fails(1007, ["text", "fine"]),
    sessions,
  },
  {
    name: "what is not decoded yet need not be UTF-8, in fragments either",
    frames: (peer) => [
      peer.text([0xa9], { fin: false, rsv: 0x40 }),
      peer.continuation([0xc3]),
      peer.text([0xac, 0x82, 0xe2], { rsv: 0x40 }),
    ],
    expected: stays(["text", "é"], ["text", "€"]),
    sessions,
  },
]);

describe("§9.1: several extensions", () => {
  it.each(roles)("a message received passes them in reverse, one sent in order; each is closed once (%s)", (role) => {
    const log: string[] = [];
    const session = new Session(role, {
      sessions: [new Reversing(0x40, "a", log), new Reversing(0x20, "b", log)],
      limits: { maxLength: 77 },
    });
    const peer = new Peer(role);
    session.receive([peer.text("both", { rsv: 0x60 }), peer.binary("ab", { rsv: 0x20 }), peer.binary("plain")]);
    expect(session.events).toEqual([["text", "both"], ["binary", "ba"], ["binary", "plain"]]); // prettier-ignore
    session.protocol.sendText("out");
    session.protocol.sendBytes(2, Uint8Array.of(1, 2));
    session.protocol.sendBytes(2, new Uint8Array(0));
    expect(session.takeSent()).toEqual([[0x80 | 0x60 | 1, "out"], [0x80 | 0x60 | 2, "\u0001\u0002"], [0x82, ""]]); // prettier-ignore
    session.end();
    session.protocol.transportClosed();
    const encoded = [1, 2, 2].flatMap((opcode) => [`a encodes ${opcode}`, `b encodes ${opcode}`]);
    const decoded = ["b decodes 1 up to 77", "a decodes 1 up to 77", "b decodes 2 up to 77"];
    expect(log).toEqual([...decoded, ...encoded, "a closes", "b closes"]);
  });

  it.each(roles)("what one cannot decode fails the connection with 1007, or the code it names (%s)", (role) => {
    const peer = new Peer(role);
    const throwing = (error: Error): ExtensionSession => ({
      rsv: 0x40,
      encode: () => undefined,
      decode: () => {
        throw error;
      },
      close: () => undefined,
    });
    const errors: [Error, 1007 | 1009][] = [
      [new Error("garbage"), 1007],
      [new ProtocolError("ERR_TOO_LONG", "a bomb", 1009), 1009],
    ];
    for (const [error, code] of errors) {
      for (const codec of codecs) {
        for (const [cut, chunks] of everyCut(concat([peer.text("x", { rsv: 0x40 }), peer.text("never")]))) {
          const session = new Session(role, { codec, sessions: [throwing(error)] });
          same(session.receive(chunks).end(), fails(code), `${codec.build}, ${cut}`);
        }
      }
    }
  });

  it.each(roles)("a message sent in fragments is left alone (%s)", (role) => {
    const session = new Session(role, { sessions: sessions() });
    session.protocol.sendFragment(1, Uint8Array.of(0x61, 0x62), false);
    session.protocol.sendFragment(0, Uint8Array.of(0x63, 0x64), true);
    session.protocol.sendControl(9, Uint8Array.of(1, 2));
    expect(session.takeSent()).toEqual([[1, "ab"], [0x80, "cd"], [0x89, "\u0001\u0002"]]); // prettier-ignore
    session.end();
  });
});

const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];

conform("§5.2, §11.8: reserved opcodes", [
  ...reserved.flatMap((opcode): Case[] => [
    { name: `${opcode} alone: 1002`, frames: (peer) => [peer.frame(opcode)], expected: fails(1002) },
    { name: `${opcode} with a payload: 1002`, frames: (peer) => [peer.frame(opcode, "hi")], expected: fails(1002) },
    {
      name: `${opcode} between valid messages`,
      frames: (peer) => [peer.text("Hello"), peer.frame(opcode, "x"), peer.text("never"), peer.ping("never")],
      expected: fails(1002, ["text", "Hello"]),
    },
    {
      name: `${opcode} as a fragment, and inside a message`,
      frames: (peer) => [peer.text("a", { fin: false }), peer.frame(opcode, "x", { fin: false })],
      expected: fails(1002),
    },
  ]),
]);

describe("every first byte", () => {
  it.each(roles)("comes to what §5.2, §5.4 and §5.5 say of it (%s)", (role) => {
    for (let first = 0; first < 256; first++) {
      const [fin, rsv, opcode] = [first >= 0x80, first & 0x70, first & 0x0f];
      const bytes = new Peer(role).frame(opcode, "", { fin, rsv });
      const known: Record<number, Event> = { 1: ["text", ""], 2: ["binary", ""], 9: ["ping", ""], 10: ["pong", ""] };
      const isRefused = rsv !== 0 || opcode === 0 || reserved.includes(opcode) || (opcode >= 8 && !fin);
      const expected = isRefused
        ? fails(1002)
        : opcode === 8
          ? closes(undefined)
          : stays(...(fin && known[opcode] ? [known[opcode]] : []));
      for (const codec of codecs)
        same(new Session(role, { codec }).receive([bytes]).end(), expected, `${codec.build}, ${latin1(bytes)}`);
    }
  });
});
