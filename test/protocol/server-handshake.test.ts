import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeadReader } from "../../src/protocol/head.ts";
import { HeaderFields } from "../../src/protocol/headers.ts";
import { RefusalError, writeRefusal } from "../../src/protocol/refusal.ts";
import { isWebSocket, readRequest, writeResponse } from "../../src/protocol/server-handshake.ts";
import type { OpeningRequest } from "../../src/protocol/server-handshake.ts";

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** RFC 6455 §1.3's example. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The fields of a good request; a change replaces one, undefined takes it away, an array repeats it. */
type Changes = Record<string, string | string[] | undefined>;
function fieldsWith(changes: Changes = {}): [string, string][] {
  const fields: Changes = {
    Host: "server.example.com",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    ...changes,
  };
  return Object.entries(fields).flatMap(([name, value]) =>
    (value === undefined ? [] : [value].flat()).map((one): [string, string] => [name, one]),
  );
}

/** Reads a request as a server does: bytes, then the head, then §4.2.1. */
function open(changes: Changes = {}, { method = "GET", target = "/chat" } = {}): OpeningRequest {
  const lines = fieldsWith(changes).map(([name, value]) => `${name}: ${value}\r\n`);
  const reader = new HeadReader("request");
  expect(reader.push(bytesOf(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`))).toHaveLength(0);
  return readRequest(reader.head);
}

function refusalOf(...args: Parameters<typeof open>): RefusalError {
  try {
    open(...args);
  } catch (error) {
    expect(error).toBeInstanceOf(RefusalError);
    expect((error as RefusalError).code).toBe("ERR_HANDSHAKE_REQUEST");
    return error as RefusalError;
  }
  throw new Error("The request was not refused.");
}

describe("RFC 6455 §4.2.1: an opening handshake that is taken", () => {
  it("gives what was asked for", () => {
    const request = open({
      Origin: "http://example.com",
      "Sec-WebSocket-Protocol": ["chat, superchat", "other"],
      "Sec-WebSocket-Extensions": ["a; b=1", "c"],
    });
    const { headers } = request;
    expect(request).toMatchObject({
      method: "GET",
      target: "/chat",
      path: "/chat",
      query: "",
      key: KEY,
      host: "server.example.com",
      subprotocols: ["chat", "superchat", "other"],
      extensions: [
        { name: "a", parameters: [["b", "1"]] },
        { name: "c", parameters: [] },
      ],
    });
    expect(headers).toBeInstanceOf(HeaderFields);
    expect(headers.get("origin")).toBe("http://example.com");
  });

  it("needs neither subprotocols nor extensions", () => {
    expect(open()).toMatchObject({ subprotocols: [], extensions: [] });
  });

  it.each<[string, Changes]>([
    ["§4.2.1, item 3: any case", { Upgrade: "WebSocket", Connection: "upgrade" }],
    ["seed defect 12: keep-alive, Upgrade", { Connection: "keep-alive, Upgrade" }],
    ["upgrade at the end of a list", { Connection: "keep-alive,\tx ,UPGRADE" }],
    ["two Connection fields", { Connection: ["keep-alive", "Upgrade"] }],
    ["RFC 9110 §7.8: websocket among other protocols", { Upgrade: "h2c, foo/1.0, websocket" }],
    ["RFC 9110 §5.6.1.2: empty elements", { Connection: ", Upgrade,," }],
    ["a content of no length", { "Content-Length": "0" }],
    ["§4.2.1, item 5: a key of any 16 bytes", { "Sec-WebSocket-Key": "/+AAAAAAAAAAAAAAAAAAAA==" }],
    ["§4.2.1, item 2: a port", { Host: "example.com:8080" }],
    ["an IPv6 address", { Host: "[2001:db8::1]:8080" }],
    ["obs-text in another field", { "X-Name": "\xe9" }],
    ["names of objects", { ["__proto__"]: "1", constructor: "2" }],
  ])("%s", (_, changes) => {
    expect(open(changes)).toMatchObject({ target: "/chat" });
  });

  it.each([
    ["/", "/", ""],
    ["/?", "/", ""],
    ["/a/b?c=d", "/a/b", "c=d"],
    ["/a?b?c=/d", "/a", "b?c=/d"],
    ["/a//b", "/a//b", ""],
    ["/?//b", "/", "//b"],
    ["/%2e%2E/%00", "/%2e%2E/%00", ""],
    ['/a\\b|^`{}<>"', '/a\\b|^`{}<>"', ""],
  ])("RFC 9112 §3.2.1: the target %s", (target, path, query) => {
    expect(open({}, { target })).toMatchObject({ target, path, query });
  });

  it("is read from Node's request as well", () => {
    const headers = Object.fromEntries(fieldsWith().map(([name, value]) => [name.toLowerCase(), value]));
    expect(readRequest({ method: "GET", target: "/", headers })).toMatchObject({ key: KEY, path: "/" });
  });
});

describe("RFC 6455 §4.2.1, §4.4: an opening handshake that is refused", () => {
  const upgrade = [
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
  ];
  const methods = ["POST", "HEAD", "OPTIONS", "CONNECT", "get", "GETT"];
  it.each(methods)("method %s: 405", (method) => {
    const error = refusalOf({}, { method });
    expect(error.status).toBe(405);
    expect(error.headers).toEqual([["Allow", "GET"]]);
  });

  it.each<[string, Changes]>([
    ["no Connection", { Connection: undefined }],
    ["an empty Connection", { Connection: "" }],
    ["no upgrade in Connection", { Connection: "keep-alive, close" }],
    ["upgrade as part of a token", { Connection: "xupgrade, upgrade2" }],
    ["no Upgrade", { Upgrade: undefined }],
    ["an empty Upgrade", { Upgrade: "" }],
    ["another protocol", { Upgrade: "h2c" }],
    ["a version of websocket", { Upgrade: "websocket/13" }],
    ["websocket as part of a token", { Upgrade: "websockets" }],
    ["no version", { "Sec-WebSocket-Version": undefined }],
    ["version 7", { "Sec-WebSocket-Version": "7" }],
    ["version 8", { "Sec-WebSocket-Version": "8" }],
    ["version 14", { "Sec-WebSocket-Version": "14" }],
    ["version 777", { "Sec-WebSocket-Version": "777" }],
    ["version 013", { "Sec-WebSocket-Version": "013" }],
    ["version 13,13", { "Sec-WebSocket-Version": "13,13" }],
    ["version 13 twice", { "Sec-WebSocket-Version": ["13", "13"] }],
    ["versions 13, 8", { "Sec-WebSocket-Version": "13, 8" }],
    ["a plain request", { Connection: undefined, Upgrade: undefined, "Sec-WebSocket-Key": undefined, "Sec-WebSocket-Version": undefined }], // prettier-ignore
  ])("%s: 426", (_, changes) => {
    const error = refusalOf(changes);
    expect(error.status).toBe(426);
    expect(error.headers).toEqual(upgrade);
  });

  it("HTTP/1.0 from another server's request: 426", () => {
    expect(() => readRequest({ method: "GET", target: "/", version: "1.0", headers: fieldsWith() })).toThrow(
      expect.objectContaining({ status: 426, headers: upgrade }),
    );
  });

  const list = (count: number): string => Array.from({ length: count }, (_, index) => `p${index}`).join(",");
  it.each<[string, Changes]>([
    ["a malformed Connection", { Connection: 'Upgrade, "x"' }],
    ["a Connection of 101 tokens", { Connection: `${list(100)}, Upgrade` }],
    ["a malformed Upgrade", { Upgrade: "websocket, a b" }],
    ["an Upgrade with no protocol but a version", { Upgrade: "websocket, /1" }],
    ["seed defect 7: no key", { "Sec-WebSocket-Key": undefined }],
    ["an empty key", { "Sec-WebSocket-Key": "" }],
    ["the key twice", { "Sec-WebSocket-Key": [KEY, KEY] }],
    ["the key twice in one field", { "Sec-WebSocket-Key": `${KEY}, ${KEY}` }],
    ["a key of 15 bytes", { "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" }],
    ["a key of 17 bytes", { "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA=" }],
    ["a key of 16 bytes without its padding", { "Sec-WebSocket-Key": KEY.slice(0, -2) }],
    ["a key in base64url", { "Sec-WebSocket-Key": "-_AAAAAAAAAAAAAAAAAAAA==" }],
    ["a key with a space inside", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j Q==" }],
    ["no Host", { Host: undefined }],
    ["an empty Host", { Host: "" }],
    ["Host twice", { Host: ["a", "a"] }],
    ["two hosts", { Host: "a b" }],
    ["a user in Host", { Host: "user@a" }],
    ["a path in Host", { Host: "a/b" }],
    ["a port that is none", { Host: "a:http" }],
    ["two ports", { Host: "a:1:2" }],
    ["an open bracket in Host", { Host: "[::1" }],
    ["a body", { "Content-Length": "5" }],
    ["an empty Content-Length", { "Content-Length": "" }],
    ["a negative Content-Length", { "Content-Length": "-0" }],
    ["two Content-Length", { "Content-Length": ["0", "0"] }],
    ["Transfer-Encoding", { "Transfer-Encoding": "chunked" }],
    ["Transfer-Encoding: identity", { "Transfer-Encoding": "identity" }],
    ["Content-Length with Transfer-Encoding", { "Content-Length": "0", "Transfer-Encoding": "chunked" }],
    ["an empty Sec-WebSocket-Protocol", { "Sec-WebSocket-Protocol": "" }],
    ["subprotocols that are no tokens", { "Sec-WebSocket-Protocol": "a b" }],
    ["a subprotocol twice", { "Sec-WebSocket-Protocol": "a, b, a" }],
    ["a subprotocol twice in two fields", { "Sec-WebSocket-Protocol": ["a", "a"] }],
    ["subprotocols and 8,000 spaces", { "Sec-WebSocket-Protocol": `a,${" ".repeat(8190)}b` }],
    ["101 subprotocols", { "Sec-WebSocket-Protocol": list(101) }],
    ["an empty Sec-WebSocket-Extensions", { "Sec-WebSocket-Extensions": "" }],
    ["a malformed extension", { "Sec-WebSocket-Extensions": "a; b=" }],
    ["an unclosed quote with thousands of \\c", { "Sec-WebSocket-Extensions": `a; b="${"\\c".repeat(5000)}` }],
  ])("%s: 400", (_, changes) => {
    const error = refusalOf(changes);
    expect(error.status).toBe(400);
    expect(error.headers).toEqual([]);
    expect(error.body).toBe(error.message);
  });

  it("hostile lists that come past another server's limits: 400, in linear time", () => {
    const read = (changes: Changes): OpeningRequest =>
      readRequest({ method: "GET", target: "/", headers: fieldsWith(changes) });
    const badRequest = expect.objectContaining({ code: "ERR_HANDSHAKE_REQUEST", status: 400 });
    const spaces = " ".repeat(5_000_000);
    for (const name of ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Connection", "Upgrade"]) {
      for (const value of [
        `a${spaces}b`,
        `a,${spaces}b`,
        ",".repeat(5_000_000),
        list(5000),
        `a;b="${"\\c".repeat(2_000_000)}`,
      ]) {
        expect(() => read({ [name]: value })).toThrow(badRequest);
      }
    }
    for (const name of ["Host", "Sec-WebSocket-Key", "Content-Length"]) {
      expect(() => read({ [name]: `0${spaces}b` })).toThrow(badRequest);
      expect(() => read({ [name]: `${"0".repeat(5_000_000)}@` })).toThrow(badRequest);
    }
  });

  it.each([
    ["absolute-form", "ws://server.example.com/chat"],
    ["absolute-form of another server", "http://evil.example/"],
    ["//host", "//evil.example/chat"],
    ["/\\host, which URL parsers take for //host", "/\\evil.example/chat"],
    ["authority-form", "server.example.com:80"],
    ["asterisk-form", "*"],
    ["no slash", "chat"],
    ["a query alone", "?a"],
    ["RFC 6455 §3: a fragment", "/chat#a"],
  ])("RFC 9112 §3.2: %s: 400", (_, target) => {
    expect(refusalOf({}, { target }).status).toBe(400);
  });

  it.each(["/a b", "/\r\nX: 1", "/é", "/\0", ""])("the target %o from another server's request: 400", (target) => {
    expect(() => readRequest({ method: "GET", target, headers: fieldsWith() })).toThrow(
      expect.objectContaining({ status: 400 }),
    );
  });

  it("the window bits that RFC 7692 forbids are the extension's to decline, not a bad request", () => {
    for (const bits of ["0", "7", "16", "08", "-1"]) {
      const value = `permessage-deflate; server_max_window_bits=${bits}`;
      expect(open({ "Sec-WebSocket-Extensions": value }).extensions).toHaveLength(1);
    }
    const names = open({ "Sec-WebSocket-Extensions": "constructor, __proto__; __proto__" }).extensions;
    expect(names.map(({ name }) => name)).toEqual(["constructor", "__proto__"]);
  });

  it("no fields throw anything but a RefusalError", () => {
    const changes = fc.dictionary(
      fc.constantFrom("Connection", "Upgrade", "Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length"), // prettier-ignore
      fc.string({ unit: fc.constantFrom(...'ab1,;=:"\\[]/ \xff'), maxLength: 12 }),
    );
    fc.assert(
      fc.property(changes, fc.string(), (fields, target) => {
        try {
          readRequest({ method: "GET", target, headers: fieldsWith(fields) });
        } catch (error) {
          expect(error).toBeInstanceOf(RefusalError);
        }
      }),
    );
  });
});

describe("seed S1: isWebSocket", () => {
  const good = { method: "GET", headers: fieldsWith() };
  it.each<[string, Parameters<typeof isWebSocket>[0], boolean]>([
    ["pairs", good, true],
    ["HeaderFields", { ...good, headers: new HeaderFields(fieldsWith()) }, true],
    ["a WHATWG Request", { method: "GET", headers: new Headers(fieldsWith()) }, true],
    ["Node's record", { ...good, headers: { upgrade: "WebSocket", connection: "keep-alive, Upgrade", "sec-websocket-version": "13" } }, true], // prettier-ignore
    ["no method", { headers: fieldsWith() }, true],
    ["POST", { ...good, method: "POST" }, false],
    ["no Upgrade", { ...good, headers: fieldsWith({ Upgrade: undefined }) }, false],
    ["h2c", { ...good, headers: fieldsWith({ Upgrade: "h2c" }) }, false],
    ["no Connection", { ...good, headers: fieldsWith({ Connection: undefined }) }, false],
    ["keep-alive", { ...good, headers: fieldsWith({ Connection: "keep-alive" }) }, false],
    ["version 8", { ...good, headers: fieldsWith({ "Sec-WebSocket-Version": "8" }) }, false],
    ["no version", { ...good, headers: fieldsWith({ "Sec-WebSocket-Version": undefined }) }, false],
    ["no headers", { headers: {} }, false],
    ["5 million commas", { headers: fieldsWith({ Connection: ",".repeat(5_000_000) }) }, false],
  ])("%s", (_, request, expected) => {
    expect(isWebSocket(request)).toBe(expected);
  });
});

describe("RFC 6455 §4.2.2: the response that opens", () => {
  it("is the shortest there is", () => {
    expect(textOf(writeResponse({ accept: ACCEPT }))).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
    );
  });

  it("says what was chosen", () => {
    const text = textOf(
      writeResponse({
        accept: ACCEPT,
        subprotocol: "chat",
        extensions: [{ name: "a", parameters: [["b", "1"]] }],
        headers: [["Set-Cookie", "c=d"]],
      }),
    );
    expect(text.split("\r\n").slice(4)).toEqual([
      "Sec-WebSocket-Protocol: chat",
      "Sec-WebSocket-Extensions: a; b=1",
      "Set-Cookie: c=d",
      "",
      "",
    ]);
  });

  it("lets no line break through", () => {
    const bad = expect.objectContaining({ name: "TypeError", code: "ERR_HEADER" });
    expect(() => writeResponse({ accept: "a\r\nb" })).toThrow(bad);
    expect(() => writeResponse({ accept: ACCEPT, subprotocol: "a\nb" })).toThrow(bad);
    expect(() => writeResponse({ accept: ACCEPT, headers: [["a", "b\r\nc: d"]] })).toThrow(bad);
  });
});

describe("RFC 6455 §4.2.2, §4.4: the response that refuses", () => {
  /** Reads it back with the reader that clients use. */
  const read = (...args: Parameters<typeof writeRefusal>) => {
    const reader = new HeadReader("response");
    const body = reader.push(writeRefusal(...args));
    const { status, reason, headers } = reader.head;
    return { line: `${status} ${reason}`, headers, body: Buffer.from(body ?? []).toString() };
  };

  it.each<[string, Parameters<typeof writeRefusal>[0], string, [string, string][]]>([
    ["400", { status: 400 }, "400 Bad Request", []],
    ["403 for a foreign origin", { status: 403 }, "403 Forbidden", []],
    ["404", { status: 404 }, "404 Not Found", []],
    ["405 with Allow", { status: 405 }, "405 Method Not Allowed", [["Allow", "GET"]]],
    ["408 at the deadline", { status: 408 }, "408 Request Timeout", []],
    ["414", { status: 414 }, "414 URI Too Long", []],
    ["431", { status: 431 }, "431 Request Header Fields Too Large", []],
    ["503 with Retry-After", { status: 503, headers: [["Retry-After", "5"]] }, "503 Service Unavailable", [["Retry-After", "5"]]], // prettier-ignore
    ["a redirection", { status: 301, headers: [["Location", "/b"]] }, "301 Moved Permanently", [["Location", "/b"]]],
    ["a status with no name", { status: 599 }, "599 ", []],
  ])("%s", (_, refusal, line, fields) => {
    const written = read(refusal);
    expect(written.line).toBe(line);
    expect([...written.headers]).toEqual([...fields, ["Content-Length", "0"], ["Connection", "close"]]);
    expect(written.body).toBe("");
  });

  it("says with a 426 what to upgrade to, and names Upgrade in Connection (RFC 9110 §7.8)", () => {
    expect([...read({ status: 426 }).headers]).toEqual([
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Content-Length", "0"],
      ["Connection", "close, Upgrade"],
    ]);
  });

  it("writes a RefusalError as it is, no field twice", () => {
    const written = read(refusalOf({ "Sec-WebSocket-Version": "8" }));
    expect(written.headers.getAll("upgrade")).toEqual(["websocket"]);
    expect(written.headers.getAll("sec-websocket-version")).toEqual(["13"]);
    expect(written.body).toBe("The version of the WebSocket protocol is 13.");
    expect(read(refusalOf({}, { method: "POST" })).headers.getAll("allow")).toEqual(["GET"]);
  });

  it("counts the body in bytes, and says that it is text unless the caller says more", () => {
    const text = "aé€😀\ud800";
    const written = read({ status: 400, body: text });
    expect(written.body).toBe("aé€😀\ufffd");
    expect(written.headers.get("content-length")).toBe("13");
    expect(written.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const json = read({
      status: 400,
      body: Uint8Array.of(0x7b, 0x7d),
      headers: [["content-type", "application/json"]],
    });
    expect(json.body).toBe("{}");
    expect(json.headers.getAll("content-type")).toEqual(["application/json"]);
  });

  it("encodes text as TextEncoder does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (body) => {
        expect(read({ status: 400, body }).body).toBe(Buffer.from(new TextEncoder().encode(body)).toString());
      }),
    );
  });

  it.each([0, 100, 101, 199, 200, 204, 299, 304, 600, 400.5, NaN])("is not one of %s", (status) => {
    expect(() => writeRefusal({ status })).toThrow(
      expect.objectContaining({ name: "RangeError", code: "ERR_OPTION_RANGE" }),
    );
  });

  it.each(["connection", "Content-Length", "transfer-encoding"])("keeps the framing to itself: %s", (name) => {
    expect(() => writeRefusal({ status: 400, headers: [[name, "5"]] })).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_HEADER" }),
    );
  });
});
