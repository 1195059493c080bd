import { describe, expect, it } from "vitest";
import { isInterim, readResponse, writeRequest } from "../../src/protocol/client-handshake.ts";
import type { ClientRequest } from "../../src/protocol/client-handshake.ts";
import { HybiError } from "../../src/errors.ts";
import { HandshakeError } from "../../src/protocol/errors.ts";
import { negotiate } from "../../src/protocol/extension.ts";
import type { Extension, ExtensionSession } from "../../src/protocol/extension.ts";
import { HeadReader } from "../../src/protocol/head.ts";
import type { ResponseHead } from "../../src/protocol/head.ts";
import { headerList } from "../../src/protocol/headers.ts";
import { writeRefusal } from "../../src/protocol/refusal.ts";
import { readRequest, writeResponse } from "../../src/protocol/server-handshake.ts";
import { selectSubprotocol } from "../../src/protocol/subprotocol.ts";
import { parseUrl } from "../../src/protocol/url.ts";

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** RFC 6455 §1.3's example. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const session: ExtensionSession = { rsv: 0x40, encode: () => undefined, decode: (_opcode, data) => data, close() {} };

/** Stands for permessage-deflate: window bits of 8 to 15 and nothing else. */
const deflate: Extension = {
  name: "permessage-deflate",
  offer: () => [{ name: "permessage-deflate", parameters: [["client_max_window_bits", true]] }],
  accept: ([first]) => first && { response: { name: first.name, parameters: [] }, session },
  confirm({ parameters }) {
    if (parameters.every(([, bits]) => /^(?:[89]|1[0-5])$/.test(String(bits)))) return session;
    throw new HybiError("ERR_HANDSHAKE_RESPONSE", "The window bits are not 8 to 15.");
  },
};

describe("RFC 6455 §4.1: the client's request", () => {
  const request: ClientRequest = { target: "/chat", host: "server.example.com", key: KEY };
  const lines = (changes: Partial<ClientRequest> = {}): string[] =>
    textOf(writeRequest({ ...request, ...changes })).split("\r\n");

  it("is the shortest there is", () => {
    expect(lines()).toEqual([
      "GET /chat HTTP/1.1",
      "Host: server.example.com",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${KEY}`,
      "Sec-WebSocket-Version: 13",
      "",
      "",
    ]);
  });

  it("says what is offered and what the user adds", () => {
    const offers = [
      { name: "a", parameters: [["b", true]] as [string, true][] },
      { name: "a", parameters: [] },
    ];
    const changes = {
      origin: "https://o",
      subprotocols: ["x", "y"],
      extensions: offers,
      headers: [["X-A", "é"]] as const,
    };
    expect(lines(changes).slice(6)).toEqual([
      "Origin: https://o",
      "Sec-WebSocket-Protocol: x, y",
      "Sec-WebSocket-Extensions: a; b, a",
      "X-A: é",
      "",
      "",
    ]);
    expect(lines({ subprotocols: [], extensions: [], headers: [] })).toEqual(lines());
  });

  it("takes a host and an origin from the user's headers, each once", () => {
    const written = lines({ headers: [["X-A", "1"], ["hOst", "other"], ["Origin", "null"]] }); // prettier-ignore
    expect(written[1]).toBe("hOst: other");
    expect(written.filter((line) => /^host:/i.test(line))).toHaveLength(1);
    expect(written.slice(6)).toEqual(["X-A: 1", "Origin: null", "", ""]);
    expect(() => lines({ origin: "a", headers: [["origin", "b"]] })).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_HEADER" }),
    );
  });

  const injections: [string, Partial<ClientRequest>, string][] = [
    ["CR LF in the target", { target: "/\r\nX: 1" }, "ERR_URL"],
    ["a space in the target", { target: "/ HTTP/1.1" }, "ERR_URL"],
    ["NUL in the target", { target: "/\0" }, "ERR_URL"],
    ["obs-text in the target", { target: "/é" }, "ERR_URL"],
    ["a fragment in the target", { target: "/#a" }, "ERR_URL"],
    ["no slash in the target", { target: "chat" }, "ERR_URL"],
    ["CR LF in the host", { host: "a\r\nX: 1" }, "ERR_HEADER"],
    ["LF in the origin", { origin: "a\nX: 1" }, "ERR_HEADER"],
    ["CR in a subprotocol", { subprotocols: ["a\rb"] }, "ERR_HEADER"],
    ["CR LF in an extension", { extensions: [{ name: "a\r\nb", parameters: [] }] }, "ERR_HEADER"],
    ["LF in a header", { headers: [["a", "b\nX: 1"]] }, "ERR_HEADER"],
    ["a colon in a header's name", { headers: [["a: b\r\nc", "d"]] }, "ERR_HEADER"],
    ["U+010A, whose low byte is LF", { headers: [["a", "b\u010aX: 1"]] }, "ERR_HEADER"],
  ];
  it.each(injections)("CVE-2026-1527: %s throws before anything is sent", (_, changes, code) => {
    expect(() => lines(changes)).toThrow(expect.objectContaining({ name: "TypeError", code }));
  });
});

type Changes = Record<string, string | string[] | undefined>;

/** The head of a good response with some fields changed. */
function responseWith(changes: Changes = {}, statusLine = "HTTP/1.1 101 Switching Protocols"): ResponseHead {
  const fields: Changes = { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": ACCEPT, ...changes };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    (value === undefined ? [] : [value].flat()).map((one) => `${name}: ${one}\r\n`),
  );
  const reader = new HeadReader("response");
  reader.push(bytesOf(`${statusLine}\r\n${lines.join("")}\r\n`));
  return reader.head;
}

const expected = { accept: ACCEPT, subprotocols: ["chat", "superchat"], extensions: [deflate] };
const chat = { "Sec-WebSocket-Protocol": "chat" };

describe("RFC 6455 §4.1: a response that opens", () => {
  it("gives what the server chose", () => {
    const head = responseWith({
      "Sec-WebSocket-Protocol": "superchat",
      "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=15",
      "X-A": "b",
    });
    const response = readResponse(head, expected);
    expect(response).toEqual({ subprotocol: "superchat", sessions: [session], status: 101, headers: head.headers });
  });

  it.each<[string, Changes]>([
    ["without extensions", {}],
    ["in any case", { Upgrade: "WebSocket", Connection: "upgrade" }],
    ["with more in Connection", { Connection: "keep-alive, Upgrade" }],
    ["with two Connection fields", { Connection: ["keep-alive", "Upgrade"] }],
    ["saying that it has no content, as Firefox does", { "Content-Length": "0" }],
  ])("%s", (_, changes) => {
    expect(readResponse(responseWith({ ...chat, ...changes }), expected)).toMatchObject({ subprotocol: "chat" });
  });

  it("needs no subprotocol when none was offered", () => {
    expect(readResponse(responseWith(), { accept: ACCEPT })).toMatchObject({ subprotocol: undefined, sessions: [] });
    expect(readResponse(responseWith(), { ...expected, subprotocols: [] }).subprotocol).toBeUndefined();
  });
});

describe("RFC 6455 §4.1: a response that does not open", () => {
  function failure(head: ResponseHead, options = expected): HandshakeError {
    try {
      readResponse(head, options);
    } catch (error) {
      expect(error).toBeInstanceOf(HandshakeError);
      return error as HandshakeError;
    }
    throw new Error("The response was taken.");
  }

  it.each([200, 204, 301, 400, 401, 403, 404, 426, 500, 503, 100, 102, 999])("status %i is a refusal", (status) => {
    // Everything else is as it has to be, so that the status alone decides.
    const head = responseWith({ ...chat, "X-A": "b" }, `HTTP/1.1 ${status} So it is`);
    const error = failure(head);
    expect(error).toMatchObject({ code: "ERR_HANDSHAKE_REFUSED", status, body: undefined });
    expect(error.message).toContain(`${status} So it is`);
    expect(error.headers.get("x-a")).toBe("b");
    error.body = bytesOf("why");
  });

  it("a refusal by HTTP/1.0 tells its status too", () => {
    expect(failure(responseWith({}, "HTTP/1.0 503 "))).toMatchObject({ code: "ERR_HANDSHAKE_REFUSED", status: 503 });
  });

  it.each<[string, Changes]>([
    ["no Upgrade", { Upgrade: undefined }],
    ["another Upgrade", { Upgrade: "h2c" }],
    ["a list of Upgrade", { Upgrade: "websocket, h2c" }],
    ["two Upgrade fields", { Upgrade: ["websocket", "websocket"] }],
    ["no Connection", { Connection: undefined }],
    ["no upgrade in Connection", { Connection: "keep-alive" }],
    ["upgrade as part of a token", { Connection: "upgraded" }],
    ["a malformed Connection", { Connection: 'Upgrade, "' }],
    ["no accept", { "Sec-WebSocket-Accept": undefined }],
    ["an empty accept", { "Sec-WebSocket-Accept": "" }],
    ["another accept", { "Sec-WebSocket-Accept": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" }],
    ["the accept in another case", { "Sec-WebSocket-Accept": ACCEPT.toLowerCase() }],
    ["the accept twice", { "Sec-WebSocket-Accept": [ACCEPT, ACCEPT] }],
    ["a second, wrong accept", { "Sec-WebSocket-Accept": [ACCEPT, "x"] }],
    ["the key for the accept", { "Sec-WebSocket-Accept": KEY }],
    ["seed S6: no subprotocol", { "Sec-WebSocket-Protocol": undefined }],
    ["an empty subprotocol", { "Sec-WebSocket-Protocol": "" }],
    ["a subprotocol that was not offered", { "Sec-WebSocket-Protocol": "other" }],
    ["a subprotocol in another case", { "Sec-WebSocket-Protocol": "Chat" }],
    ["two subprotocols", { "Sec-WebSocket-Protocol": "chat, superchat" }],
    ["two subprotocol fields", { "Sec-WebSocket-Protocol": ["chat", "superchat"] }],
    ["the subprotocol twice", { "Sec-WebSocket-Protocol": ["chat", "chat"] }],
    ["an extension that was not offered", { "Sec-WebSocket-Extensions": "x-other" }],
    ["an extension twice", { "Sec-WebSocket-Extensions": "permessage-deflate, permessage-deflate" }],
    ["an extension in two fields", { "Sec-WebSocket-Extensions": ["permessage-deflate", "permessage-deflate"] }],
    ["CVE-2026-2229: window bits of 7", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=7" }],
    ["CVE-2026-2229: window bits of 1000", { "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=1000" }], // prettier-ignore
    ["an extension named constructor", { "Sec-WebSocket-Extensions": "constructor" }],
    ["malformed extensions", { "Sec-WebSocket-Extensions": 'permessage-deflate; a="' }],
    ["empty extensions", { "Sec-WebSocket-Extensions": "" }],
    ["a body", { "Content-Length": "5" }],
    ["a length that is none", { "Content-Length": "0, 0" }],
    ["RFC 9110 §6.4.1: Transfer-Encoding", { "Transfer-Encoding": "chunked" }],
  ])("%s", (_, changes) => {
    const head = responseWith({ ...chat, ...changes });
    const error = failure(head);
    expect(error).toMatchObject({ name: "HandshakeError", code: "ERR_HANDSHAKE_RESPONSE", status: 101 });
    expect(error.headers).toBe(head.headers);
  });

  it("HTTP/1.0", () => {
    expect(failure(responseWith(chat, "HTTP/1.0 101 "))).toMatchObject({ code: "ERR_HANDSHAKE_RESPONSE" });
  });

  it("a subprotocol when none was offered, and an extension when none was", () => {
    const none = { accept: ACCEPT, subprotocols: [], extensions: [] };
    expect(failure(responseWith(chat), none).code).toBe("ERR_HANDSHAKE_RESPONSE");
    const head = responseWith({ "Sec-WebSocket-Extensions": "permessage-deflate" });
    expect(failure(head, none).code).toBe("ERR_HANDSHAKE_RESPONSE");
  });

  it("keeps the extension's own error as the cause, and lets a broken extension through as it is", () => {
    const head = responseWith({ ...chat, "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=7" });
    expect(failure(head).cause).toMatchObject({ message: "The window bits are not 8 to 15." });
    const bug = new Error("a bug");
    const broken: Extension = {
      ...deflate,
      confirm() {
        throw bug;
      },
    };
    expect(() => readResponse(head, { ...expected, extensions: [broken] })).toThrow(bug);
  });
});

describe("RFC 9110 §15.2: interim responses", () => {
  it("are all of 1xx but 101", () => {
    const interim = Array.from({ length: 1000 }, (_, status) => status).filter(isInterim);
    expect(interim).toEqual(Array.from({ length: 100 }, (_, index) => 100 + index).filter((status) => status !== 101));
  });
});

describe("a client and a server", () => {
  /** One handshake from URL to session, every byte of it by itself. */
  function handshake(url: string, subprotocols: string[], accepted: string[]) {
    const endpoint = parseUrl(url);
    const requestBytes = writeRequest({
      ...endpoint,
      key: KEY,
      subprotocols,
      extensions: deflate.offer(),
      headers: headerList({ "X-Name": "é", Cookie: "a=b" }, "client"),
      origin: "https://o",
    });
    const requestReader = new HeadReader("request");
    let behind: Uint8Array | undefined;
    for (const byte of requestBytes) behind = requestReader.push(Uint8Array.of(byte));
    expect(behind).toHaveLength(0);
    const request = readRequest(requestReader.head);

    const { responses, sessions } = negotiate(request.extensions, [deflate]);
    const responseBytes = writeResponse({
      accept: ACCEPT,
      subprotocol: selectSubprotocol(request.subprotocols, accepted),
      extensions: responses,
      headers: headerList([["Set-Cookie", "c=d"]], "server"),
    });
    expect(sessions).toHaveLength(1);
    const responseReader = new HeadReader("response");
    for (const byte of responseBytes) behind = responseReader.push(Uint8Array.of(byte));
    expect(behind).toHaveLength(0);
    return {
      request,
      response: readResponse(responseReader.head, { accept: ACCEPT, subprotocols, extensions: [deflate] }),
    };
  }

  it("agree", () => {
    const { request, response } = handshake("ws://[::1]:8080/a b?c=é".replace(" ", "%20"), ["x", "y"], ["y", "x"]);
    expect(request).toMatchObject({ host: "[::1]:8080", target: "/a%20b?c=%C3%A9", path: "/a%20b", query: "c=%C3%A9" });
    expect(request.headers.get("x-name")).toBe("é");
    expect(response).toMatchObject({ subprotocol: "x", sessions: [session], status: 101 });
    expect(response.headers.get("set-cookie")).toBe("c=d");
  });

  it("do not agree on a subprotocol that the server lacks", () => {
    expect(() => handshake("ws://a/", ["x"], ["y"])).toThrow(
      expect.objectContaining({ code: "ERR_HANDSHAKE_RESPONSE" }),
    );
  });

  it("hand over a refusal with its text", () => {
    const reader = new HeadReader("response");
    const body = reader.push(writeRefusal({ status: 503, headers: [["Retry-After", "5"]], body: "later" }));
    expect(textOf(body ?? new Uint8Array())).toBe("later");
    try {
      readResponse(reader.head, { accept: ACCEPT });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_HANDSHAKE_REFUSED", status: 503 });
      expect((error as HandshakeError).headers.get("retry-after")).toBe("5");
    }
  });
});
