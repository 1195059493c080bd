import { describe, expect, it } from "vitest";
import type { ExtensionSession } from "../../src/protocol/extension.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { Reversing } from "../conformance/agent/reversing.mjs";
import { codecs } from "../helpers/codecs.ts";
import { everyCut, same } from "../helpers/decoding.ts";
import { closes, fails, stays, type Event } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { Peer, concat, latin1 } from "../helpers/wire.ts";

const sessions = (): ExtensionSession[] => [new Reversing()];

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
