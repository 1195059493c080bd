import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeadError } from "../../src/protocol/errors.ts";
import { HeadReader, defaultHeadLimits } from "../../src/protocol/head.ts";
import type { HeadLimits } from "../../src/protocol/head.ts";
import { HeaderFields, writeHead } from "../../src/protocol/headers.ts";

type Kind = "request" | "response";

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** What came of a head, as plain data: the head and what followed it, or the failure and the chunk it came in. */
function outcome(kind: Kind, chunks: Iterable<Uint8Array>, limits?: HeadLimits): Record<string, unknown> {
  const reader = new HeadReader(kind, limits);
  let rest = "";
  let done = false;
  try {
    for (const chunk of chunks) {
      if (done) {
        rest += textOf(chunk);
        continue;
      }
      const copy = chunk.slice();
      const behind = reader.push(copy);
      if (Buffer.compare(copy, chunk) !== 0) throw new Error("The reader wrote to its chunk.");
      if (behind) {
        done = true;
        rest = textOf(behind);
      }
      // Whoever reads into one buffer overwrites it before the next chunk.
      copy.fill(0xee);
    }
  } catch (error) {
    if (!(error instanceof HeadError)) throw error;
    expect(error.code).toBe("ERR_HANDSHAKE_HEAD");
    expect(() => reader.push(bytesOf("more"))).toThrow(error);
    return { status: error.status, message: error.message };
  }
  if (!done) return { unfinished: true };
  const { headers, ...line } = reader.head;
  return { ...line, fields: [...headers], rest };
}

function* bytewise(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

/** Every way of cutting in two, short of the long vectors, which are cut around what may matter. */
function cuts(length: number): number[] {
  const all = Array.from({ length: length + 1 }, (_, at) => at);
  if (length <= 2000) return all;
  const limits = [0, 100, 8192, 16_384, length];
  const step = Math.max(997, length >> 7);
  return all.filter((at) => at % step === 0 || limits.some((limit) => Math.abs(at - limit) < 12));
}

function inEveryCut(kind: Kind, text: string, limits?: HeadLimits): Record<string, unknown> {
  const bytes = bytesOf(text);
  const whole = outcome(kind, [bytes], limits);
  for (const at of cuts(bytes.length)) {
    const cut = outcome(kind, [bytes.subarray(0, at), bytes.subarray(at)], limits);
    expect(cut, `cut at ${at}`).toEqual(whole);
  }
  expect(outcome(kind, bytewise(bytes), limits), "byte by byte").toEqual(whole);
  return whole;
}

/** How many bytes of the text it takes until the reader fails. */
function failsAfter(kind: Kind, text: string, limits?: HeadLimits): number {
  const reader = new HeadReader(kind, limits);
  for (let at = 0; at < text.length; at++) {
    try {
      reader.push(bytesOf(text[at] as string));
    } catch {
      return at + 1;
    }
  }
  return Infinity;
}

const GET = "GET / HTTP/1.1\r\n";
const OK = "HTTP/1.1 101 Switching Protocols\r\n";

describe("RFC 9112 §3, §5: a request head", () => {
  const cases: [string, string, object][] = [
    ["no fields", `${GET}\r\n`, { method: "GET", target: "/", fields: [] }],
    ["fields in order", `${GET}Host: a\r\nB: c d\r\n\r\n`, { fields: [["Host", "a"], ["B", "c d"]] }], // prettier-ignore
    ["bytes behind it", `${GET}Host: a\r\n\r\n\x81\x80\r\n\r\n`, { rest: "\x81\x80\r\n\r\n" }],
    ["space around a value", `${GET}A:\t b\t c \t\r\n\r\n`, { fields: [["A", "b\t c"]] }],
    ["no space before a value", `${GET}A:b\r\n\r\n`, { fields: [["A", "b"]] }],
    ["empty values", `${GET}A:\r\nB: \t \r\n\r\n`, { fields: [["A", ""], ["B", ""]] }], // prettier-ignore
    ["colons in a value", `${GET}Host: [::1]:80\r\n\r\n`, { fields: [["Host", "[::1]:80"]] }],
    ["obs-text in a value", `${GET}A: \xa0\xe9\xff\xa0\r\n\r\n`, { fields: [["A", "\xa0\xe9\xff\xa0"]] }],
    ["names as they are written", `${GET}x-A: 1\r\nX-a: 2\r\n\r\n`, { fields: [["x-A", "1"], ["X-a", "2"]] }], // prettier-ignore
    ["names of objects", `${GET}__proto__: 1\r\nconstructor: 2\r\n\r\n`, { fields: [["__proto__", "1"], ["constructor", "2"]] }], // prettier-ignore
    ["every character of a token", `${GET}!#$%&'*+-.^_\`|~09azAZ: 1\r\n\r\n`, { fields: [["!#$%&'*+-.^_`|~09azAZ", "1"]] }], // prettier-ignore
    ["another method", `PROPFIND * HTTP/1.1\r\n\r\n`, { method: "PROPFIND", target: "*" }],
    ["any visible target", `GET !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~ HTTP/1.1\r\n\r\n`, { target: `!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~` }], // prettier-ignore
  ];
  it.each(cases)("%s", (_, text, expected) => {
    expect(inEveryCut("request", text)).toMatchObject({ version: "1.1", rest: "", ...expected });
  });

  it("is not there before its last byte", () => {
    const bytes = bytesOf(`${GET}Host: a\r\n\r\n`);
    const reader = new HeadReader("request");
    expect(reader.push(bytes.subarray(0, -1))).toBeUndefined();
    expect(reader.push(new Uint8Array())).toBeUndefined();
    expect(() => reader.head).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
    expect(reader.push(bytes.subarray(-1))).toEqual(new Uint8Array());
    expect(reader.head.headers).toBeInstanceOf(HeaderFields);
    expect(() => reader.push(bytes)).toThrow(expect.objectContaining({ code: "ERR_STATE" }));
  });

  it("hands out what follows as a view of the chunk", () => {
    const chunk = bytesOf(`${GET}\r\nabc`);
    expect(new HeadReader("request").push(chunk)?.buffer).toBe(chunk.buffer);
  });
});

describe("RFC 9112 §4: a response head", () => {
  const cases: [string, string, object][] = [
    ["101", `${OK}\r\n`, { version: "1.1", status: 101, reason: "Switching Protocols", fields: [] }],
    ["an empty reason", `HTTP/1.1 404 \r\nA: b\r\n\r\nbody`, { status: 404, reason: "", fields: [["A", "b"]], rest: "body" }], // prettier-ignore
    ["a reason with tabs", `HTTP/1.1 500 a\tb: c\r\n\r\n`, { status: 500, reason: "a\tb: c" }],
    ["HTTP/1.0, as proxies answer", `HTTP/1.0 503 Busy\r\n\r\n`, { version: "1.0", status: 503 }],
    ["a status of no class", `HTTP/1.1 999 \r\n\r\n`, { status: 999 }],
  ];
  it.each(cases)("%s", (_, text, expected) => {
    expect(inEveryCut("response", text)).toMatchObject({ rest: "", ...expected });
  });
});

describe("a malformed request fails at the byte that breaks it", () => {
  // The bar marks that byte; what follows it must not be needed.
  const cases: [string, string, number][] = [
    ["RFC 9112 §2.2: bare LF after the request line", `GET / HTTP/1.1|\n`, 400],
    ["RFC 9112 §2.2: bare LF after a field", `${GET}A: b|\n\r\n`, 400],
    ["RFC 9112 §2.2: bare LF at the end", `${GET}A: b\r\n|\n`, 400],
    ["RFC 9112 §2.2: bare CR in a value", `${GET}A: b\r|c\r\n\r\n`, 400],
    ["RFC 9112 §2.2: bare CR at the end", `${GET}\r|A: b\r\n\r\n`, 400],
    ["RFC 9112 §2.2: CR CR LF", `${GET}A: b\r|\r\n\r\n`, 400],
    ["RFC 9112 §2.2: space before the first field", `${GET}| A: b\r\n\r\n`, 400],
    ["RFC 9112 §2.2: an empty line before the request line", `|\r\n${GET}\r\n`, 400],
    ["RFC 9112 §5.2: obs-fold by space", `${GET}A: b\r\n| c\r\n\r\n`, 400],
    ["RFC 9112 §5.2: obs-fold by tab", `${GET}A: b\r\n|\tc\r\n\r\n`, 400],
    ["RFC 9112 §5.1: space before the colon", `${GET}A| : b\r\n\r\n`, 400],
    ["RFC 9112 §5.1: tab before the colon", `${GET}A|\t: b\r\n\r\n`, 400],
    ["RFC 9112 §5: no colon", `${GET}A|\r\n\r\n`, 400],
    ["RFC 9112 §5: an empty name", `${GET}|: b\r\n\r\n`, 400],
    ["RFC 9110 §5.1: a name that is no token", `${GET}A|(b): c\r\n\r\n`, 400],
    ["RFC 9110 §5.1: a name with obs-text", `${GET}A|\xe9: c\r\n\r\n`, 400],
    ["RFC 9110 §5.5: NUL in a value", `${GET}A: b|\0c\r\n\r\n`, 400],
    ["RFC 9110 §5.5: NUL in a name", `${GET}A|\0: b\r\n\r\n`, 400],
    ["RFC 9110 §5.5: BEL in a value", `${GET}A: |\x07\r\n\r\n`, 400],
    ["RFC 9110 §5.5: DEL in a value", `${GET}A: |\x7f\r\n\r\n`, 400],
    ["RFC 9112 §3: an empty method", `| / HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §3: an empty target", `GET | HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §3: two spaces", `GET / | HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §3: a tab for a space", `GET|\t/ HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §3: space behind the version", `GET / HTTP/1.1| \r\n\r\n`, 400],
    ["RFC 9112 §3: a space in the target", `GET /a |b HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §3: no version", `GET /|\r\n\r\n`, 400],
    ["RFC 9112 §3: obs-text in the target", `GET /|\xe9 HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §3: NUL in the target", `GET /|\0 HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §3.1: a method that is no token", `G|@T / HTTP/1.1\r\n\r\n`, 400],
    ["RFC 9112 §2.3: lower case", `GET / |http/1.1\r\n\r\n`, 400],
    ["RFC 9112 §2.3: another protocol", `GET / HTTP|S/1.1\r\n\r\n`, 400],
    ["RFC 9112 §2.3: no minor version", `GET / HTTP/1|\r\n\r\n`, 400],
    ["RFC 9112 §2.3: a letter for a digit", `GET / HTTP/1.|x\r\n\r\n`, 400],
    ["RFC 9112 §2.3: two digits", `GET / HTTP/1.1|1\r\n\r\n`, 400],
    ["RFC 6455 §4.1: HTTP/1.0", `GET / HTTP/1.|0\r\n\r\n`, 426],
    ["RFC 9110 §15.6.6: HTTP/2 by prior knowledge", `PRI * HTTP/2.|0\r\n\r\nSM\r\n\r\n`, 505],
    ["RFC 9110 §15.6.6: HTTP/1.2", `GET / HTTP/1.|2\r\n\r\n`, 505],
    ["RFC 9110 §15.6.6: HTTP/0.9", `GET / HTTP/0.|9\r\n\r\n`, 505],
    ["TLS on the plaintext port", `|\x16\x03\x01\x02\x00`, 400],
    ["a method that nobody has", `${"A".repeat(32)}|A / HTTP/1.1\r\n\r\n`, 405],
  ];
  it.each(cases)("%s", (_, marked, status) => {
    const text = marked.replace(/\|(?!~)/, "");
    expect(inEveryCut("request", text)).toMatchObject({ status });
    expect(failsAfter("request", text)).toBe(marked.indexOf("|") + 1);
  });
});

describe("a malformed response fails at the byte that breaks it", () => {
  const cases: [string, string][] = [
    ["RFC 9112 §2.2: bare LF", `HTTP/1.1 101 x|\n\r\n`],
    ["RFC 9112 §2.2: an empty line before the status line", `|\r\n${OK}\r\n`],
    ["RFC 9112 §4: two digits", `HTTP/1.1 10| \r\n\r\n`],
    ["RFC 9112 §4: four digits", `HTTP/1.1 101|0 \r\n\r\n`],
    ["RFC 9112 §4: a letter in the status", `HTTP/1.1 1|x1 \r\n\r\n`],
    ["RFC 9112 §4: no space behind the status", `HTTP/1.1 101|\r\n\r\n`],
    ["RFC 9112 §4: a tab for a space", `HTTP/1.1|\t101 \r\n\r\n`],
    ["RFC 9112 §4: NUL in the reason", `HTTP/1.1 101 a|\0\r\n\r\n`],
    ["RFC 9112 §4: a request", `|GET / HTTP/1.1\r\n\r\n`],
    ["RFC 9112 §5.2: obs-fold", `${OK}A: b\r\n| c\r\n\r\n`],
    ["RFC 9112 §5.1: space before the colon", `${OK}A| : b\r\n\r\n`],
    ["HTTP/2", `HTTP/2.|0 101 x\r\n\r\n`],
    ["SSH", `|SSH-2.0-x\r\n`],
    ["CVE-2026-55517: the byte 0x80 in a value", `${OK}A: |\x80\r\n\r\n`],
    ["CVE-2026-55517: the byte 0xff in a value", `${OK}A: b|\xff\r\n\r\n`],
    ["CVE-2026-55517: the byte 0xe9 in the reason", `HTTP/1.1 404 |\xe9\r\n\r\n`],
  ];
  it.each(cases)("%s", (_, marked) => {
    const text = marked.replace("|", "");
    // A client answers nothing, so there is no status.
    expect(inEveryCut("response", text)).toMatchObject({ status: 0 });
    expect(failsAfter("response", text)).toBe(marked.indexOf("|") + 1);
  });
});

describe("limits", { timeout: 30_000 }, () => {
  it("has the documented defaults", () => {
    expect(defaultHeadLimits).toEqual({ maxHeadLength: 16_384, maxHeaders: 100, maxTargetLength: 8192 });
  });

  const headers = (count: number): string => `${GET}${"A: b\r\n".repeat(count)}\r\n`;
  const target = (length: number): string => `GET /${"a".repeat(length - 1)} HTTP/1.1\r\n\r\n`;
  const padded = (length: number): string => `${GET}A: ${"b".repeat(length - 23)}\r\n\r\n`;
  const cases: [string, string, number | undefined, number][] = [
    ["100 headers", headers(100), undefined, Infinity],
    ["101 headers", headers(101), 431, GET.length + 601],
    ["2,000 headers", headers(2000), 431, GET.length + 601],
    ["one header of 20 KiB", padded(20 * 1024), 431, 16_384],
    ["a header name of 20 KiB", `${GET}${"A".repeat(20 * 1024)}: b\r\n\r\n`, 431, 16_384],
    ["a head of 16 KiB", padded(16_384), undefined, Infinity],
    ["a head of 16 KiB and a byte", padded(16_385), 431, 16_384],
    ["a target of 8 KiB", target(8192), undefined, Infinity],
    ["a target of 8 KiB and a byte", target(8193), 414, 4 + 8193],
    ["a request line of 1 MiB", target(1024 * 1024), 414, 4 + 8193],
    ["a method of 1 MiB", `${"A".repeat(1024 * 1024)} / HTTP/1.1\r\n\r\n`, 405, 33],
  ];
  it.each(cases)("%s", (_, text, status, after) => {
    const result = inEveryCut("request", text);
    expect(result["status"]).toBe(status);
    if (status === undefined) expect(result["rest"]).toBe("");
    expect(failsAfter("request", text)).toBe(after);
  });

  it("hold at a client too, whose server never ends its head", () => {
    const endless = `${OK}${"A: b\r\n".repeat(5000)}`;
    expect(inEveryCut("response", endless)).toMatchObject({ status: 0, message: expect.stringContaining("100") });
    const long = `${OK}A: ${"b".repeat(100_000)}`;
    expect(inEveryCut("response", long)).toMatchObject({ status: 0, message: expect.stringContaining("16384") });
    expect(failsAfter("response", long)).toBe(16_384);
    expect(failsAfter("response", `HTTP/1.1 200 ${"b".repeat(100_000)}`)).toBe(16_384);
  });

  it("count the head alone, not what follows it in the same chunk", () => {
    const text = `${GET}\r\n${"x".repeat(100_000)}`;
    expect(inEveryCut("request", text, { maxHeadLength: GET.length + 2 })).toMatchObject({ target: "/" });
    expect(inEveryCut("request", text, { maxHeadLength: GET.length + 1 })).toMatchObject({ status: 431 });
  });

  it("can be chosen", () => {
    expect(inEveryCut("request", `${GET}A: b\r\n\r\n`, { maxHeaders: 1 })).toMatchObject({ fields: [["A", "b"]] });
    expect(inEveryCut("request", `${GET}A: b\r\nC: d\r\n\r\n`, { maxHeaders: 1 })).toMatchObject({ status: 431 });
    expect(inEveryCut("request", "GET /ab HTTP/1.1\r\n\r\n", { maxTargetLength: 3 })).toMatchObject({ target: "/ab" });
    expect(inEveryCut("request", "GET /abc HTTP/1.1\r\n\r\n", { maxTargetLength: 3 })).toMatchObject({ status: 414 });
    expect(inEveryCut("request", "GET /abc HTTP/1.1\r\n\r\n", { maxHeadLength: 6 })).toMatchObject({ status: 414 });
    expect(inEveryCut("request", padded(100_000), { maxHeadLength: 100_000 })).toMatchObject({ rest: "" });
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53 + 2])("refuse to be %s", (value) => {
    for (const name of Object.keys(defaultHeadLimits)) {
      expect(() => new HeadReader("request", { [name]: value })).toThrow(
        expect.objectContaining({ name: "RangeError", code: "ERR_OPTION_RANGE" }),
      );
    }
  });

  it("take time in proportion to the bytes, one at a time too", () => {
    // Keeping or rescanning the whole at every byte would take some 10^12 steps.
    const text = `${GET}A: ${"b".repeat(1_000_000)}\r\n\r\n`;
    const result = outcome("request", bytewise(bytesOf(text)), { maxHeadLength: 2_000_000 });
    expect((result["fields"] as string[][])[0]?.[1]).toHaveLength(1_000_000);
  });
});

describe("properties", () => {
  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
  const visible = fc.stringMatching(/^\/[!-~]{0,40}$/);
  const value = fc
    .string({ unit: fc.constantFrom(...'aZ09:,;="\\ \t~!\xa0\xff'), maxLength: 30 })
    .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
  const fields = fc.array(fc.tuple(token, value), { maxLength: 20 });
  const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 });

  function* inSizes(bytes: Uint8Array, lengths: number[]): Iterable<Uint8Array> {
    let at = 0;
    for (const length of lengths) yield bytes.subarray(at, (at += length));
    yield bytes.subarray(at);
  }

  it("what is written is what is read, in any chunks", () => {
    fc.assert(
      fc.property(token, visible, fields, fc.uint8Array(), sizes, (method, target, list, rest, lengths) => {
        const bytes = writeHead(`${method} ${target} HTTP/1.1`, list, rest);
        const expected = { method, target, version: "1.1", fields: list, rest: textOf(rest) };
        expect(outcome("request", inSizes(bytes, lengths))).toEqual(expected);
      }),
    );
  });

  it("no bytes throw anything but a HeadError, and chunks do not matter", () => {
    const fragments = [GET, OK, "GET ", "/", " HTTP/1.1", "\r\n", "\r", "\n", ":", " ", "\t", "A: b\r\n", "\0", "\xff"];
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.constantFrom(...fragments), { maxLength: 30 }).map((parts) => bytesOf(parts.join(""))),
    );
    fc.assert(
      fc.property(fc.constantFrom<Kind>("request", "response"), bytes, sizes, (kind, input, lengths) => {
        const limits = { maxHeadLength: 90, maxHeaders: 3, maxTargetLength: 10 };
        expect(outcome(kind, inSizes(input, lengths), limits)).toEqual(outcome(kind, [input], limits));
      }),
      { numRuns: 2000 },
    );
  });
});
