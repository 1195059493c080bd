import { expect } from "vitest";
import { acceptOf, switching } from "../helpers/raw-peer.ts";
import { Peer, concat } from "../helpers/wire.ts";
import { refusals } from "../conformance/agent/misuse.mjs";
import type { Failure, PartyOptions } from "../conformance/party.ts";
import { openingResponse, type Raw } from "../conformance/raw.ts";
import { untilGone, type Arena, type Attack, type Table } from "./arena.ts";
import { misused } from "./misused.ts";
import type { RowName } from "./rows.ts";

/** The error of `connect`: its code, and what it holds of the answer. */
type Expected = Pick<Failure, "code"> & Partial<Failure>;

const REFUSED = { name: "HandshakeError", code: "ERR_HANDSHAKE_REFUSED" };
const RESPONSE = { name: "HandshakeError", code: "ERR_HANDSHAKE_RESPONSE", status: 101 };
const HEAD = { name: "HeadError", code: "ERR_HANDSHAKE_HEAD" };
const TIMEOUT = { name: "ConnectionError", code: "ERR_HANDSHAKE_TIMEOUT" };
const CONNECT = { name: "ConnectionError", code: "ERR_CONNECT" };
const SOON: PartyOptions = { handshakeTimeout: 300 };

/** The server writes this, and nothing more. */
type Answer = string | ((raw: Raw) => string | Promise<void>);

async function answer(raw: Raw, reply: Answer): Promise<void> {
  const written = typeof reply === "string" ? reply : await reply(raw);
  if (written !== undefined) await raw.write(written);
}

/** Answered so, `connect` rejects with the error; and a client that nobody listens to costs nothing either. */
function rejects(name: string, reply: Answer, expected: Expected, options: PartyOptions = {}): Attack {
  return {
    name,
    async play(arena: Arena): Promise<void> {
      const [key, deafKey] = [arena.newKey(), arena.newKey()];
      const [failure] = await Promise.all([
        arena.agent.dial(arena.clients.url(key), options),
        arena.agent.dialDeaf(arena.clients.url(deafKey), options),
        ...[key, deafKey].map(async (one) => {
          const raw = arena.keep(await arena.clients.client(one));
          await answer(raw, reply);
          await untilGone(raw);
        }),
      ]);
      expect(failure).toMatchObject(expected);
      expect(failure!.bodyLength ?? 0).toBeLessThanOrEqual(65_536);
    },
  };
}

/** A 101 as it should be but for the fields that take the place of the others. */
const withAccept = (field: string): Answer =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${field}\r\n`;
const withField =
  (field: string): Answer =>
  (raw) =>
    openingResponse(raw, `${field}\r\n`);
const replaced =
  (from: string, to: string): Answer =>
  (raw) =>
    openingResponse(raw).replace(from, to);

/** Writes `more` behind `first` for as long as anybody is there. */
const endless =
  (first: string, more: string): Answer =>
  async (raw) => {
    await raw.write(first);
    while (!raw.hasEnded && !raw.error) {
      await raw.write(more);
      // Writes that the system takes at once would keep the loop from ever seeing the end.
      await new Promise(setImmediate);
    }
  };

const refusing = (status: string, fields = "", body = ""): string => `HTTP/1.1 ${status}\r\n${fields}\r\n${body}`;
const offered: PartyOptions = { acceptProtocols: ["v1", "v2"] };
const extended: PartyOptions = { extensions: ["reversing"] };
const long = (length: number): string => "a".repeat(length);

function redirect(status: number): Attack {
  return {
    name: `${status}`,
    async play(arena: Arena): Promise<void> {
      const [key, elsewhere] = [arena.newKey(), arena.newKey()];
      const url = arena.clients.url(key).replace("//", "//ann:secret@");
      const dialed = arena.agent.dial(url, { additionalHeaders: { Cookie: "session=1" } });
      const raw = arena.keep(await arena.clients.client(key));
      expect(raw.field("Authorization")).toMatch(/^Basic /);
      const location = arena.clients.url(elsewhere);
      await raw.write(refusing(`${status} Elsewhere`, `Location: ${location}\r\nContent-Length: 0\r\n`));
      const failure = await dialed;
      expect(failure).toMatchObject({ ...REFUSED, status });
      expect(failure!.headers).toContainEqual(["Location", location]);
      await untilGone(raw);
      // Whoever would follow has had the time by the end of another connection.
      await arena.check();
      expect(arena.clients.has(elsewhere)).toBe(false);
    },
  };
}

/** What comes behind a 101 is frames, whatever it was meant to be. */
async function bodyBehind101(arena: Arena): Promise<void> {
  const { raw, closed } = await arena.open("client");
  await raw.write("<html>this is no frame</html>");
  expect(await closed()).toBe(1002);
}

const everyHighByte = Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i));

export const table: Table<RowName<"Opening handshake, as a client">> = {
  "wrong or missing accept": [
    rejects("missing", withAccept(""), RESPONSE),
    rejects("empty", withAccept("Sec-WebSocket-Accept:\r\n"), RESPONSE),
    rejects("of another key", withAccept(`Sec-WebSocket-Accept: ${acceptOf("another")}\r\n`), RESPONSE),
    rejects("the key itself", (raw) => switching(raw.field("Sec-WebSocket-Key")), RESPONSE),
    rejects("in other letters", (raw) => switching(acceptOf(raw.field("Sec-WebSocket-Key")).toLowerCase()), RESPONSE),
    rejects(
      "twice",
      (raw) => openingResponse(raw, `Sec-WebSocket-Accept: ${acceptOf(raw.field("Sec-WebSocket-Key"))}\r\n`),
      RESPONSE,
    ),
    rejects("no Upgrade", replaced("Upgrade: websocket\r\n", ""), RESPONSE),
    rejects("Upgrade: h2c", replaced("websocket", "h2c"), RESPONSE),
    rejects("no Connection", replaced("Connection: Upgrade\r\n", ""), RESPONSE),
    rejects("Connection: close", replaced("Connection: Upgrade", "Connection: close"), RESPONSE),
    rejects("HTTP/1.0", replaced("HTTP/1.1", "HTTP/1.0"), RESPONSE),
    rejects("nothing but the end", (raw) => (raw.end(), Promise.resolve()), CONNECT),
    rejects("half of it, then the end", (raw) => raw.write("HTTP/1.1 101 Sw").then(() => raw.end()), CONNECT),
    rejects("half of it, then a reset", (raw) => raw.write("HTTP/1.1 101 Sw").then(() => void raw.socket.resetAndDestroy()), CONNECT), // prettier-ignore
  ],
  "a subprotocol or an extension that was not offered": [
    rejects("a subprotocol where none was offered", withField("Sec-WebSocket-Protocol: v1"), RESPONSE),
    rejects("another subprotocol", withField("Sec-WebSocket-Protocol: v3"), RESPONSE, offered),
    rejects("two subprotocols", withField("Sec-WebSocket-Protocol: v1, v2"), RESPONSE, offered),
    rejects("the same twice", withField("Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v1"), RESPONSE, offered),
    rejects("an empty subprotocol", withField("Sec-WebSocket-Protocol:"), RESPONSE, offered),
    rejects("no subprotocol where one was asked for", (raw) => openingResponse(raw), RESPONSE, offered),
    rejects("constructor for a subprotocol", withField("Sec-WebSocket-Protocol: constructor"), RESPONSE, offered),
    rejects("an extension where none was offered", withField("Sec-WebSocket-Extensions: x-reversing"), RESPONSE),
    rejects("another extension", withField("Sec-WebSocket-Extensions: x-other"), RESPONSE, extended),
    rejects(
      "the same extension twice",
      withField("Sec-WebSocket-Extensions: x-reversing, x-reversing"),
      RESPONSE,
      extended,
    ),
    rejects("__proto__ for an extension", withField("Sec-WebSocket-Extensions: __proto__"), RESPONSE, extended),
    rejects("extensions that are no list", withField("Sec-WebSocket-Extensions: x-reversing;"), RESPONSE, extended),
    rejects(
      "an unclosed quote",
      withField(`Sec-WebSocket-Extensions: x; b="${"\\c".repeat(4000)}`),
      RESPONSE,
      extended,
    ),
  ],
  "bad window bits": ["0", "7", "16", "08", "-1", "999999999999999999999", '""', "=15"].map((bits) =>
    rejects(bits, withField(`Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=${bits}`), RESPONSE),
  ),
  "bytes 0x80 to 0xFF in the fields of the reply": [
    ...["\x80", "\xa0", "\xe9", "\xff"].map((byte) =>
      rejects(`0x${byte.charCodeAt(0).toString(16)} in a value`, withField(`X-A: b${byte}c`), HEAD),
    ),
    rejects("all of them", withField(`X-A: ${everyHighByte.join("")}`), HEAD),
    rejects("UTF-8", withField("X-A: \xc3\xa9"), HEAD),
    rejects("in a name", withField("X-\xe9: b"), HEAD),
    rejects("in the reason", replaced("Switching", "Switch\xefng"), HEAD),
    rejects("in the subprotocol", withField("Sec-WebSocket-Protocol: v1\xa0"), HEAD, offered),
    rejects("in a refusal", refusing("403 Forbidden", "X-A: \xff\r\n"), HEAD),
  ],
  "endless headers": [
    rejects("fields without end", endless("HTTP/1.1 101 Switching Protocols\r\n", "X-A: b\r\n".repeat(1000)), HEAD),
    rejects("a value without end", endless("HTTP/1.1 101 Switching Protocols\r\nX-A: ", long(65_536)), HEAD),
    rejects("a name without end", endless("HTTP/1.1 101 Switching Protocols\r\n", long(65_536)), HEAD),
    rejects("a reason without end", endless("HTTP/1.1 200 ", long(65_536)), HEAD),
    rejects("a status without end", endless("HTTP/1.1 ", "2".repeat(65_536)), HEAD),
    rejects("line breaks without end", endless("", "\r\n".repeat(4096)), HEAD),
    rejects("no HTTP at all", "SSH-2.0-test\r\n\r\n", HEAD),
    rejects("a folded field", withField("X-A: b\r\n c"), HEAD),
    rejects("bare LF", (raw) => openingResponse(raw).replaceAll("\r\n", "\n"), HEAD),
    rejects("NUL in a value", withField("X-A: b\0c"), HEAD),
    rejects("a space before the colon", withField("X-A : b"), HEAD),
    rejects("interim responses without end", endless("", refusing("103 Early Hints").repeat(500)), TIMEOUT, SOON),
  ],
  "an endless body behind a 200": [
    rejects("to the end of the stream", endless(refusing("200 OK"), long(65_536)), { ...REFUSED, status: 200, bodyLength: 65_536 }), // prettier-ignore
    rejects("of an announced length", endless(refusing("200 OK", "Content-Length: 999999999999\r\n"), long(65_536)), { ...REFUSED, status: 200, bodyLength: 65_536 }), // prettier-ignore
    rejects("in chunks", endless(refusing("200 OK", "Transfer-Encoding: chunked\r\n"), "1000\r\n" + long(4096) + "\r\n"), { ...REFUSED, status: 200, bodyLength: 65_536 }), // prettier-ignore
    rejects("in a chunk of 2^60 bytes", endless(refusing("200 OK", "Transfer-Encoding: chunked\r\n") + "1000000000000000\r\n", long(65_536)), { ...REFUSED, status: 200, bodyLength: 65_536 }), // prettier-ignore
    rejects("in a chunk whose size has no end", endless(refusing("200 OK", "Transfer-Encoding: chunked\r\n"), "0".repeat(65_536)), { ...REFUSED, status: 200, bodyLength: 0 }), // prettier-ignore
    rejects("that stops", refusing("500 Oops", "Content-Length: 9\r\n", "part"), { ...REFUSED, status: 500, bodyLength: 4 }, SOON), // prettier-ignore
    rejects("that is short, and all of it", refusing("403 Forbidden", "Content-Length: 4\r\n", "Nope"), { ...REFUSED, status: 403, bodyLength: 4, headers: [["Content-Length", "4"]] }), // prettier-ignore
  ],
  "a 101 with a body": [
    rejects("Content-Length", withField("Content-Length: 5"), RESPONSE),
    rejects("Content-Length: 0, twice", withField("Content-Length: 0\r\nContent-Length: 0"), RESPONSE),
    rejects("Transfer-Encoding", withField("Transfer-Encoding: chunked"), RESPONSE),
    rejects("both", withField("Content-Length: 5\r\nTransfer-Encoding: chunked"), RESPONSE),
    { name: "and without a field that says so: 1002", play: bodyBehind101 },
    {
      name: "in the segment of the head: 1002",
      async play(arena: Arena): Promise<void> {
        const key = arena.newKey();
        await arena.agent.dialDeaf(arena.clients.url(key));
        const raw = arena.keep(await arena.clients.client(key));
        await raw.write(
          concat([Buffer.from(openingResponse(raw)), new Peer("client").ping("p"), Buffer.from("<html>")]),
        );
        await raw.until(() => raw.hasEnded);
        raw.end();
        expect([raw.bytes[0], raw.bytes[7]]).toEqual([0x8a, 0x88]);
      },
    },
  ],
  silence: [
    rejects("from the first byte on", (raw) => raw.until(() => raw.hasEnded), TIMEOUT, SOON),
    rejects("inside the head", "HTTP/1.1 101 Switching", TIMEOUT, SOON),
    rejects("behind a 103", refusing("103 Early Hints"), TIMEOUT, SOON),
    rejects(
      "broken by a byte now and then",
      async (raw) => {
        for (const byte of "HTTP/1.1 101 Switching Protocols\r\n" + "X-A: b\r\n".repeat(90)) {
          if (raw.hasEnded) return;
          await raw.write(byte);
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
      TIMEOUT,
      SOON,
    ),
  ],
  "CR, LF or NUL in URL, header or subprotocol: thrown before anything is sent": [
    misused(
      "each of them, at a client and at a server",
      refusals.filter(({ throws }) => /URL|HEADER|SUBPROTOCOL/.test(throws![1])),
    ),
  ],
  "redirects are not followed, and credentials stay": [301, 302, 303, 307, 308].map(redirect),
};
