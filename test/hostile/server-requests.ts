import { request } from "../helpers/raw-peer.ts";
import type { Attack } from "./arena.ts";
import { BAD, NOT_GET, UPGRADE, VERSION, changed, refused, tokens, type Rows } from "./server-answers.ts";

const withMethod = (method: string): Attack => refused(method, request({}, `${method} / HTTP/1.1`), NOT_GET);
/** A field as it stands, among the others of a good request. */
const withLine = (name: string, line: string): Attack =>
  refused(name, request().replace("\r\nConnection", `\r\n${line}\r\nConnection`), BAD);

const long = (length: number): string => "a".repeat(length);
const fields = (count: number): string => Array.from({ length: count }, (_, i) => `X-${i}: ${i}\r\n`).join("");

/** Requests that are none, or not of this protocol. */
export const requests = {
  "method other than GET: 405 with Allow": [
    ...["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get", "GETS", "PRI"].map(withMethod),
    refused("a method without end", long(20_000), NOT_GET),
  ],
  "HTTP/1.0, no upgrade in Connection, no websocket in Upgrade: 426 with Upgrade, or 400 when malformed": [
    refused("HTTP/1.0", request({}, "GET / HTTP/1.0"), UPGRADE),
    refused("HTTP/0.9", "GET /\r\n\r\n", BAD),
    refused("HTTP/2.0", request({}, "GET / HTTP/2.0"), [505]),
    refused("HTTP/1.1 in small letters", request({}, "GET / http/1.1"), BAD),
    refused("HTTP/1.10", request({}, "GET / HTTP/1.10"), BAD),
    refused("a web page", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", UPGRADE),
    changed("no Connection", { Connection: undefined }, UPGRADE),
    changed("Connection: keep-alive", { Connection: "keep-alive" }, UPGRADE),
    changed("Connection: a word with upgrade in it", { Connection: "upgraded, no-upgrade" }, UPGRADE),
    changed("Connection: no list of tokens", { Connection: "Upgrade; q=1" }, BAD),
    changed("Connection: 5,000 tokens", { Connection: `${tokens(1000)},Upgrade` }, BAD),
    changed("no Upgrade", { Upgrade: undefined }, UPGRADE),
    changed("Upgrade: h2c", { Upgrade: "h2c" }, UPGRADE),
    changed("Upgrade: a word with websocket in it", { Upgrade: "websockets" }, UPGRADE),
    changed("Upgrade: no list of protocols", { Upgrade: "websocket / 13" }, BAD),
    changed("no Host", { Host: undefined }, BAD),
    changed("two Hosts", { Host: ["localhost", "evil.example"] }, BAD),
    changed("a Host with a path", { Host: "localhost/evil" }, BAD),
    changed("a Host with a user", { Host: "ann@localhost" }, BAD),
  ],
  "version absent, 7, 8, 14, 13 twice, 777: 426 with Sec-WebSocket-Version: 13": [
    changed("absent", { "Sec-WebSocket-Version": undefined }, VERSION),
    ...["", "0", "7", "8", "14", "13,13", "13, 8", "777", "013", "13.0", "+13", "thirteen", "-13"].map((version) =>
      changed(`"${version}"`, { "Sec-WebSocket-Version": version }, VERSION),
    ),
    changed("two fields", { "Sec-WebSocket-Version": ["13", "13"] }, VERSION),
  ],
  "key missing, twice, not of 16 bytes: 400": [
    changed("missing", { "Sec-WebSocket-Key": undefined }, BAD),
    changed("twice", { "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="] }, BAD),
    ...Object.entries({
      empty: "",
      "of 15 bytes": Buffer.alloc(15).toString("base64"),
      "of 17 bytes": Buffer.alloc(17).toString("base64"),
      "without padding": "dGhlIHNhbXBsZSBub25jZQ",
      "with too much of it": "dGhlIHNhbXBsZSBub25jZQ===",
      "of another alphabet": "dGhlIHNhbXBsZSBub25jZ_==",
      "with a space": "dGhlIHNhbXBsZSBub25j Q==",
      "no base64": "!!!!!!!!!!!!!!!!!!!!!!==",
      "of 8,000 characters": long(8000),
    }).map(([name, key]) => changed(name, { "Sec-WebSocket-Key": key }, BAD)),
  ],
  "2,000 headers, one of 20 KiB, a request line of 1 MiB: 431, 431, 414": [
    refused("2,000 headers", request().replace("\r\n\r\n", `\r\n${fields(2000)}\r\n`), [431]),
    refused("101 headers", request().replace("\r\n\r\n", `\r\n${fields(96)}\r\n`), [431]),
    refused(
      "2,000 headers of one name",
      request().replace("\r\n\r\n", `\r\n${"Upgrade: x\r\n".repeat(2000)}\r\n`),
      [431],
    ),
    changed("a value of 20 KiB", { "X-Long": long(20_480) }, [431]),
    refused("a name of 20 KiB", request().replace("\r\n\r\n", `\r\n${long(20_480)}: x\r\n\r\n`), [431]),
    refused("a name without end", `GET / HTTP/1.1\r\n${long(1 << 20)}`, [431]),
    refused("a request line of 1 MiB", `GET /${long(1 << 20)} HTTP/1.1\r\n\r\n`, [414]),
    refused("a target of 8 KiB and a byte", request({}, `GET /${long(8192)} HTTP/1.1`), [414]),
    refused("1 MiB of spaces", `GET / HTTP/1.1\r\nX-A:${" ".repeat(1 << 20)}\r\n\r\n`, [431]),
    refused("1 MiB of nothing but line breaks", "\r\n".repeat(1 << 19), BAD),
  ],
  "obs-fold, bare LF, NUL, space before the colon, two framings, a body: 400": [
    withLine("a folded line", "X-A: b\r\n folded"),
    withLine("a folded line with a tab", "X-A: b\r\n\tfolded"),
    refused("a folded first field", request().replace("\r\nHost", "\r\n Host"), BAD),
    refused("bare LF everywhere", request().replaceAll("\r\n", "\n"), BAD),
    withLine("a bare LF", "X-A: b\nX-B: c"),
    withLine("a bare CR", "X-A: b\rX-B: c"),
    withLine("CR CR LF", "X-A: b\r"),
    ...Object.entries({ NUL: "\0", BEL: "\x07", ESC: "\x1b", DEL: "\x7f" }).flatMap(([name, byte]) => [
      withLine(`${name} in a value`, `X-A: b${byte}c`),
      withLine(`${name} in a name`, `X-A${byte}: b`),
      refused(`${name} in the target`, request({}, `GET /a${byte}b HTTP/1.1`), BAD),
    ]),
    withLine("a space before the colon", "X-A : b"),
    withLine("a tab before the colon", "X-A\t: b"),
    withLine("no name", ": b"),
    withLine("no colon", "X-A"),
    withLine("a name that is no token", "X(A): b"),
    withLine("a name that is not ASCII", "X-\xe9: b"),
    refused("two spaces in the request line", request({}, "GET  / HTTP/1.1"), BAD),
    refused("a space in the target", request({}, "GET /a b HTTP/1.1"), BAD),
    refused("bytes above 0x7F in the target", request({}, "GET /\xe9 HTTP/1.1"), BAD),
    refused("a line break in front", `\r\n${request()}`, BAD),
    refused("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BAD),
    refused("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    withLine("Content-Length with Transfer-Encoding", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
    withLine("Transfer-Encoding", "Transfer-Encoding: chunked"),
    withLine("Transfer-Encoding that nobody knows", "Transfer-Encoding: xchunked"),
    withLine("a body", "Content-Length: 5"),
    withLine("two lengths", "Content-Length: 0\r\nContent-Length: 5"),
    withLine("two lengths of nothing", "Content-Length: 0\r\nContent-Length: 0"),
    withLine("a list of lengths", "Content-Length: 0, 0"),
    withLine("a negative length", "Content-Length: -1"),
    withLine("a length with a sign", "Content-Length: +0"),
    withLine("a length in another base", "Content-Length: 0x0"),
  ],
} satisfies Rows;
