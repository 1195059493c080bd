import { describe, expect, it } from "vitest";
import { codecs } from "../helpers/codecs.ts";
import { same } from "../helpers/decoding.ts";
import { fails, stays } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { judge, malformed, validTexts } from "../helpers/utf8.ts";
import { Peer, bytesOf, concat } from "../helpers/wire.ts";

const part = { fin: false };

describe("§8.1: the bad byte is told at once", () => {
  /** The first bytes of a text whose frame announces more than will come. */
  const announced = (peer: Peer, text: Uint8Array, fragmented: boolean): Uint8Array => {
    const whole = peer.frame(fragmented ? 0 : 1, concat([text, new Uint8Array(100)]));
    return whole.subarray(0, whole.length - 100);
  };

  describe.each(roles)("as a %s", (role) => {
    it.each(malformed)("%s", (_, bad) => {
      let turn = 0;
      for (const head of ["", "plain text of more than sixteen bytes ", "é€😀"]) {
        const text = concat([bytesOf(head), Uint8Array.from(bad), bytesOf("!")]);
        const badAt = judge(text).badAt!;
        for (const fragmented of [false, true]) {
          const codec = codecs[turn++ % codecs.length]!;
          const peer = new Peer(role);
          const session = new Session(role, { codec });
          if (fragmented) session.receive([peer.text("ü", part), peer.ping()]);
          const bytes = announced(peer, text, fragmented);
          const start = bytes.length - text.length;
          const clone = [...bytes];
          session.receive([bytes.subarray(0, start)]);
          for (let i = 0; i < text.length; i++) {
            const what = `${codec.build}, byte ${i}, behind ${JSON.stringify(head)}, ${fragmented}`;
            session.receive([Uint8Array.of(clone[start + i]!)]);
            same(session.protocol.readyState, i < badAt ? "open" : "closing", what);
          }
          const expected = fragmented ? fails(1007, ["ping", ""]) : fails(1007);
          same(session.end(), expected, codec.build);
        }
      }
    });

    it("in the very chunk that holds it, though the frame goes on", () => {
      for (const codec of codecs) {
        for (const [name, bad] of malformed) {
          const session = new Session(role, { codec });
          session.receive([announced(new Peer(role), concat([bytesOf("fine €"), Uint8Array.from(bad)]), false)]);
          same(session.end(), fails(1007), `${codec.build}, ${name}`);
        }
      }
    });

    it("and a valid prefix never fails, wherever it ends", () => {
      for (const codec of codecs) {
        for (const text of validTexts) {
          const bytes = bytesOf(text);
          for (let kept = 0; kept <= bytes.length; kept++) {
            const session = new Session(role, { codec });
            session.receive([announced(new Peer(role), bytes.subarray(0, kept), false)]);
            same(session.end(), stays(), `${codec.build}, ${kept} bytes of ${text}`);
          }
        }
      }
    });
  });
});

describe("long texts", () => {
  it.each(roles)("a bad byte anywhere in 100,000 is found in its chunk (%s)", (role) => {
    const text = bytesOf("aé€😀".repeat(10_000));
    for (const [i, at] of [0, 1, 15, 16, 17, 4095, 65_535, 65_536, 65_537, 99_999].entries()) {
      const bytes = text.slice();
      bytes[at] = 0xff;
      const session = new Session(role, { codec: codecs[i % codecs.length]! });
      session.receive([new Peer(role).text(bytes)]);
      same(session.end(), fails(1007), `at ${at}`);
    }
    const session = new Session(role);
    session.receive([new Peer(role).text(text)]);
    expect(session.messages[0] === Buffer.from(text).toString()).toBe(true);
    session.end();
  });
});
