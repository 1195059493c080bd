// RFC 7692 §7.2: what a connection sends and takes, held against zlib.
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { messages } from "../../bench/corpus.mjs";
import { permessageDeflate, type PermessageDeflateOptions } from "../../src/deflate/index.ts";
import { parseExtensions, type ExtensionSession } from "../../src/protocol/extension.ts";
import { noise } from "../helpers/bytes.ts";
import { bytesOf, concat } from "../helpers/wire.ts";

const TEXT = 1;
const CONTINUATION = 0;
const TAIL = Uint8Array.of(0, 0, 0xff, 0xff);
const log = messages(40);
const bare = "permessage-deflate";

/** A server's session for a client that offers this. */
const sessionFor = (offer = bare, options: PermessageDeflateOptions = {}): ExtensionSession =>
  permessageDeflate({ threshold: 0, peerWindowBits: 15, ...options }).accept(parseExtensions(offer)!)!.session;

/** What zlib reads of messages, one behind the other in one window. */
function inflated(sent: readonly Uint8Array[], windowBits = 15): Uint8Array {
  const stream = concat(sent.flatMap((message) => [message, TAIL]));
  return new Uint8Array(inflateRawSync(stream, { finishFlush: constants.Z_SYNC_FLUSH, windowBits }));
}

const deflated = (data: Uint8Array): Uint8Array =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

describe("what is sent", () => {
  it("is one stream for all messages, and shorter for it", () => {
    const session = sessionFor();
    const sent = log.map((message) => session.encode(TEXT, message)!);
    expect(inflated(sent)).toEqual(concat(log));
    const alone = log.reduce((sum, message) => sum + deflated(message).length, 0);
    expect(concat(sent).length).toBeLessThan(alone);
  });

  it("is a stream for each message without context takeover", () => {
    for (const [offer, options] of [
      [`${bare}; server_no_context_takeover`, {}],
      [bare, { contextTakeover: false }],
    ] as const) {
      const session = sessionFor(offer, options);
      for (const message of log) expect(inflated([session.encode(TEXT, message)!])).toEqual(message);
    }
  });

  it.each([8, 9, 10, 12, 15])("looks back no further than 2^%d", (bits) => {
    const session = sessionFor(`${bare}; server_max_window_bits=${bits}`);
    // What comes again does so just inside the window, and just outside.
    const far = [2 ** bits, 2 ** bits + 1, 2 ** bits - 100].map((distance) => noise(distance, distance));
    const sent = far.flatMap((part) => {
      const message = concat([part, part.subarray(0, 40)]);
      const encoded = session.encode(2, message);
      return encoded ? [[message, encoded] as const] : [];
    });
    const text = bytesOf("again and again, ".repeat(4000));
    sent.push([text, session.encode(TEXT, text)!]);
    const plain = concat(sent.map(([message]) => message));
    // zlib knows no window of 8 bits in raw streams; a client of ours does.
    if (bits > 8) {
      expect(inflated(sent.map(([, bytes]) => bytes), bits)).toEqual(plain); // prettier-ignore
    }
    const client = permessageDeflate().confirm({ name: bare, parameters: [["server_max_window_bits", String(bits)]] });
    for (const [message, bytes] of sent) expect(client.decode(TEXT, bytes, Infinity)).toEqual(message);
  });

  it("is left as it is when it is short, or does not get shorter, and then is not in the window", () => {
    const session = sessionFor(bare, { threshold: 100 });
    const [first, second] = [log[0]!, log[1]!];
    const random = noise(5000);
    const sent = [
      session.encode(TEXT, first)!,
      session.encode(TEXT, second.subarray(0, 99)),
      session.encode(2, random),
      session.encode(2, concat([random, random])),
      session.encode(TEXT, second.subarray(0, 100))!,
    ];
    expect(sent.map((bytes) => bytes === undefined)).toEqual([false, true, true, false, false]);
    expect(inflated(sent.filter((bytes) => bytes !== undefined))).toEqual(
      concat([first, random, random, second.subarray(0, 100)]),
    );
  });

  it("is what the sender says", () => {
    const session = sessionFor(bare, { threshold: 1000 });
    const secret = bytesOf("token=0123456789abcdef0123456789abcdef; ".repeat(30));
    expect(session.encode(TEXT, secret, false)).toBeUndefined();
    // Nothing that follows tells of it: who guesses it right sends as much as who does not.
    const guess = session.encode(TEXT, bytesOf("token=0123456789abcdef0123456789abcdef"), true);
    const wrong = sessionFor(bare).encode(TEXT, bytesOf("token=fedcba9876543210fedcba9876543210"), true);
    expect(guess?.length).toBe(wrong?.length);
    const again = bytesOf("short and short and short");
    expect(session.encode(TEXT, again)).toBeUndefined();
    expect(session.encode(TEXT, again, true)!.length).toBeLessThan(again.length);
  });

  it("is an empty message of one byte (§7.2.3.6), if it is to be compressed at all", () => {
    const session = sessionFor();
    expect(session.encode(TEXT, new Uint8Array(0))).toBeUndefined();
    expect(session.encodeFragment!(TEXT, bytesOf("Hello"), false)).toBeDefined();
    const last = session.encodeFragment!(CONTINUATION, new Uint8Array(0), true);
    expect(last).toEqual(Uint8Array.of(0));
  });

  it.each([true, false])("in fragments is one stream, with context takeover: %s", (contextTakeover) => {
    const session = sessionFor(bare, { contextTakeover });
    const whole = session.encode(TEXT, log[0]!)!;
    const parts = [log[1]!, noise(300), new Uint8Array(0), log[2]!];
    const fragments = parts.map((part, i) =>
      session.encodeFragment!(i === 0 ? TEXT : CONTINUATION, part, i === parts.length - 1),
    );
    const message = concat(fragments.map((fragment) => fragment!));
    const after = session.encode(TEXT, log[3]!)!;
    if (contextTakeover) expect(inflated([whole, message, after])).toEqual(concat([log[0]!, ...parts, log[3]!]));
    else expect(inflated([message])).toEqual(concat(parts));
    expect(inflated(contextTakeover ? [whole, message, after] : [after]).subarray(-log[3]!.length)).toEqual(log[3]);
  });

  it("in fragments is left alone when the first is short, or the sender says so", () => {
    const session = sessionFor(bare, { threshold: 100 });
    const parts = [log[1]!.subarray(0, 99), log[2]!];
    for (const [first, compress] of [
      [log[1]!.subarray(0, 99), undefined],
      [log[1]!, false],
    ] as const) {
      expect(session.encodeFragment!(TEXT, first, false, compress)).toBeUndefined();
      expect(session.encodeFragment!(CONTINUATION, parts[1]!, true)).toBeUndefined();
    }
    expect(session.encodeFragment!(TEXT, parts[0]!, false, true)).toBeDefined();
  });
});

describe("a broadcast", () => {
  it("is compressed once for all that share their parameters and have no context takeover", () => {
    const extension = permessageDeflate({ threshold: 0 });
    const accept = (offer: string): ExtensionSession => extension.accept(parseExtensions(offer)!)!.session;
    const forgetful = [1, 2, 3].map(() => accept(`${bare}; server_no_context_takeover`));
    const narrow = accept(`${bare}; server_no_context_takeover; server_max_window_bits=9`);
    const keeping = accept(bare);
    const [one, two] = [log[0]!.slice(), log[1]!];
    const [first, ...others] = forgetful.map((session) => session.encode(TEXT, one.slice())!);
    for (const other of others) expect(other).toBe(first);
    expect(keeping.encode(TEXT, one)).not.toBe(first);
    expect(narrow.encode(TEXT, one)).not.toBe(first);
    expect(inflated([first!])).toEqual(one);
    // Another message, and the same array with other content, are not mistaken for it.
    expect(inflated([forgetful[0]!.encode(TEXT, two)!])).toEqual(two);
    for (const again of [one, Buffer.from(one)]) {
      forgetful[0]!.encode(TEXT, again);
      again[500]! ^= 1;
      expect(inflated([forgetful[1]!.encode(TEXT, again)!])).toEqual(new Uint8Array(again));
    }
  });
});

describe("what is received", () => {
  it("may be of one window or of one for each message, as was agreed", () => {
    for (const offer of [bare, `${bare}; client_no_context_takeover`]) {
      const session = sessionFor(offer);
      for (const message of log) expect(session.decode(TEXT, deflated(message), 2000)).toEqual(message);
    }
  });

  it("may not refer to the message before it when the peer said that it would not", () => {
    const session = sessionFor(`${bare}; client_no_context_takeover`);
    const other = sessionFor(bare);
    const [first, second] = [other.encode(TEXT, log[0]!)!, other.encode(TEXT, log[0]!)!];
    session.decode(TEXT, first, 2000);
    expect(() => session.decode(TEXT, second, 2000)).toThrow(expect.objectContaining({ code: "ERR_INVALID_DATA" }));
  });

  it("may not reach back further than was agreed", () => {
    const far = concat([noise(600), noise(600)]);
    const wide = deflated(far);
    const session = sessionFor(`${bare}; client_max_window_bits=9`);
    expect(() => session.decode(2, wide, 2000)).toThrow(expect.objectContaining({ code: "ERR_INVALID_DATA" }));
    expect(sessionFor(`${bare}; client_max_window_bits=10`).decode(2, wide, 2000)).toEqual(far);
  });

  it("of many connections in turn is not confused", () => {
    const sessions = Array.from({ length: 20 }, (_, i) => ({
      client: permessageDeflate({ threshold: 0 }).confirm({ name: bare, parameters: [] }),
      server: sessionFor(i % 3 === 0 ? `${bare}; server_max_window_bits=10` : bare),
      words: messages(20, i + 1),
    }));
    for (let turn = 0; turn < 20; turn++)
      for (const { client, server, words } of sessions) {
        const message = words[turn]!;
        expect(server.decode(TEXT, client.encode(TEXT, message)!, 5000)).toEqual(message);
        expect(client.decode(TEXT, server.encode(TEXT, message)!, 5000)).toEqual(message);
      }
  });
});
