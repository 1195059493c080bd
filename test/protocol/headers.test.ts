import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HeaderFields,
  headerList,
  isToken,
  listElements,
  maxListElements,
  maxListLength,
  tokenList,
  trimSpace,
  writeHead,
} from "../../src/protocol/headers.ts";
import type { HeaderField, HeadersInput } from "../../src/protocol/headers.ts";

const typeErrorWith = (text: string | RegExp): unknown =>
  expect.objectContaining({ name: "TypeError", code: "ERR_HEADER", message: expect.stringMatching(text) });

const list: readonly HeaderField[] = [
  ["Host", "a"],
  ["X-Many", "1"],
  ["__proto__", "p"],
  ["x-many", "2"],
  ["constructor", "c"],
  ["X-MANY", ""],
];

const headOf = (fields: readonly HeaderField[]): string =>
  ["GET / HTTP/1.1", ...fields.map(([name, value]) => `${name}:\t${value} `), "", ""].join("\r\n");

describe.each([
  ["a list", new HeaderFields(list)],
  ["a head", HeaderFields.ofHead(headOf(list))],
])("RFC 9110 §5: HeaderFields of %s", (_, fields) => {
  it.each([
    ["host", "a"],
    ["HOST", "a"],
    ["X-Many", "1, 2, "],
    ["__proto__", "p"],
    ["Constructor", "c"],
    ["toString", undefined],
    ["hasOwnProperty", undefined],
    ["", undefined],
  ])("get(%o) is %o", (name, value) => {
    expect(fields.get(name)).toBe(value);
    expect(fields.has(name)).toBe(value !== undefined);
  });

  it("gives all values of a name, as an array of the caller's own", () => {
    expect(fields.getAll("X-Many")).toEqual(["1", "2", ""]);
    fields.getAll("x-many").push("3");
    expect(fields.getAll("x-many")).toEqual(["1", "2", ""]);
    expect(fields.getAll("none")).toEqual([]);
  });

  it("iterates in the order of the wire, with names as they are written", () => {
    expect([...fields].map(([name]) => name)).toEqual([
      "Host",
      "X-Many",
      "__proto__",
      "x-many",
      "constructor",
      "X-MANY",
    ]);
    expect(fields.size).toBe(6);
    expect([...new HeaderFields()]).toEqual([]);
  });
});

describe("RFC 9110 §5: HeaderFields", () => {
  it("are each their own, in whatever order they are asked", () => {
    const heads = ["a", "b"].map((value) => HeaderFields.ofHead(headOf([["Host", value]])));
    expect([0, 1, 1, 0, 1].map((i) => heads[i]!.get("host"))).toEqual(["a", "b", "b", "a", "b"]);
  });

  it("keeps no hold of the list it was made from", () => {
    const list: [string, string][] = [["a", "b"]];
    const made = new HeaderFields(list);
    list.push(["c", "d"]);
    expect(made.size).toBe(1);
  });

  it.each<[string, HeadersInput]>([
    ["a WHATWG Headers", new Headers([["b", "2"], ["a", "1"]])], // prettier-ignore
    ["a Map", new Map([["a", "1"], ["b", "2"]])], // prettier-ignore
    ["pairs", [["a", "1"], ["b", "2"]]], // prettier-ignore
    ["Node's record", { a: "1", b: ["2"], c: undefined }],
    ["HeaderFields", new HeaderFields([["a", "1"], ["b", "2"]])], // prettier-ignore
  ])("is made from %s", (_, input) => {
    expect([...HeaderFields.from(input)]).toEqual([["a", "1"], ["b", "2"]]); // prettier-ignore
  });

  it("is made from itself without a copy, and from a record with several values of a name", () => {
    const fields = new HeaderFields(list);
    expect(HeaderFields.from(fields)).toBe(fields);
    expect(HeaderFields.from({ "set-cookie": ["a", "b"] }).getAll("Set-Cookie")).toEqual(["a", "b"]);
  });

  it("takes 200,000 fields of one name in time proportional to them", () => {
    const many = new HeaderFields(Array.from({ length: 200_000 }, () => ["a", "b"] as const));
    expect(many.getAll("a")).toHaveLength(200_000);
  });
});

describe("seed S7: headers that a user adds", () => {
  it.each<[string, HeadersInput]>([
    ["a WHATWG Headers", new Headers({ "x-a": "1" })],
    ["pairs", [["x-a", "1"]]],
    ["a record", { "x-a": "1" }],
    ["a record of arrays", { "x-a": ["1"] }],
    ["HeaderFields", new HeaderFields([["x-a", "1"]])],
    ["a value with space around it", { "x-a": " \t1\t " }],
  ])("are taken from %s", (_, init) => {
    expect(headerList(init, "client")).toEqual([["x-a", "1"]]);
    expect(headerList(init, "server")).toEqual([["x-a", "1"]]);
  });

  it("keep their order and their case, and may repeat", () => {
    const init = { "X-B": ["1", "2"], "x-a": "" };
    expect(headerList(init, "client")).toEqual([["X-B", "1"], ["X-B", "2"], ["x-a", ""]]); // prettier-ignore
  });

  const badValues: [string, string][] = [
    ["CR LF and a field", "a\r\nX-Evil: 1"],
    ["CR", "a\rb"],
    ["LF", "a\nb"],
    ["LF at the end", "a\n"],
    ["NUL", "a\0"],
    ["BEL", "\x07"],
    ["DEL", "\x7f"],
    ["U+0100", "\u0100"],
    ["U+010D, whose low byte is CR", "\u010d\u010aX-Evil: 1"],
    ["an emoji", "😀"],
  ];
  it.each(badValues)("RFC 9110 §5.5: a value may not hold %s", (_, value) => {
    for (const role of ["client", "server"] as const) {
      expect(() => headerList({ "x-a": value }, role)).toThrow(typeErrorWith("x-a"));
      expect(() => headerList([["x-a", value]], role)).toThrow(typeErrorWith("x-a"));
    }
  });

  it("never repeat a value in an error: it may be a secret", () => {
    expect(() => headerList({ authorization: "Bearer s3cret\n" }, "client")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cret") }),
    );
  });

  it("may hold obs-text towards a server, not towards a client, which would refuse it", () => {
    expect(headerList({ "x-a": "\x80é\xff" }, "client")).toEqual([["x-a", "\x80é\xff"]]);
    expect(() => headerList({ "x-a": "é" }, "server")).toThrow(typeErrorWith("U\\+00E9"));
  });

  it.each(["", " ", "a b", "a:", "a\r\nb", "a\0", "é", "a(b)", 'a"', "\u212a"])(
    "RFC 9110 §5.1: %o is no name",
    (name) => {
      expect(() => headerList([[name, "1"]], "client")).toThrow(typeErrorWith("not an HTTP token"));
    },
  );

  const owned: [string, string][] = [
    ["Upgrade", "websocket"],
    ["CONNECTION", "Upgrade"],
    ["Sec-WebSocket-Key", "fresh"],
    ["sec-websocket-accept", "computed"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Protocol", "acceptProtocols"],
    ["Sec-WebSocket-Extensions", "extensions"],
    ["Content-Length", "no content"],
    ["Transfer-Encoding", "no content"],
  ];
  it.each(owned)("RFC 6455 §4: %s belongs to the handshake", (name, instead) => {
    for (const role of ["client", "server"] as const) {
      expect(() => headerList({ [name]: "1" }, role)).toThrow(typeErrorWith(instead));
    }
  });

  it("may name the host once, at a client", () => {
    expect(headerList({ Host: "a" }, "client")).toEqual([["Host", "a"]]);
    expect(() => headerList({ Host: "a", host: "b" }, "client")).toThrow(typeErrorWith("only once"));
    expect(() => headerList({ Host: "a" }, "server")).toThrow(typeErrorWith("request"));
  });

  const wrong: [string, unknown][] = [
    ["a string", "a: b"],
    ["null", null],
    ["undefined", undefined],
    ["a number", 1],
    ["a flat list", ["a", "b"]],
    ["triples", [["a", "b", "c"]]],
    ["strings of two", ["ab"]],
    ["a number for a value", { a: 1 }],
    ["a list with a number", { a: ["1", 2] }],
    ["undefined for a value", { a: undefined }],
    ["null for a value", [["a", null]]],
    ["a number for a name", [[1, "a"]]],
    ["a bigint for a name", [[1n, "a"]]],
    ["a symbol for a name", [[Symbol("a"), "a"]]],
  ];
  it.each(wrong)("are not taken from %s", (_, init) => {
    expect(() => headerList(init as HeadersInput, "client")).toThrow(typeErrorWith(""));
  });
});

describe("RFC 9110 §5.6.1: lists", () => {
  it.each<[string, string[]]>([
    ["", []],
    [" \t ", []],
    [",,", []],
    ["a", ["a"]],
    [" a ,\tb c\t,, d,", ["a", "b c", "d"]],
    ["\xa0a\xa0", ["\xa0a\xa0"]],
  ])("%o", (value, elements) => {
    expect(listElements(value)).toEqual(elements);
  });

  it.each<[string, string[] | undefined]>([
    ["", []],
    ["a, !#$%&'*+-.^_`|~", ["a", "!#$%&'*+-.^_`|~"]],
    ["a b", undefined],
    ["a, b/c", undefined],
    ["a;b", undefined],
    ["é", undefined],
    ['"a"', undefined],
  ])("of tokens: %o", (value, elements) => {
    expect(tokenList(value)).toEqual(elements);
  });

  it("are bounded in length and in elements", () => {
    expect(maxListElements).toBe(100);
    expect(maxListLength).toBe(8192);
    expect(listElements("a,".repeat(99))).toHaveLength(99);
    expect(listElements("a,".repeat(100))).toBeUndefined();
    expect(listElements(",".repeat(100))).toBeUndefined();
    expect(listElements("a".repeat(8192))).toHaveLength(1);
    expect(listElements("a".repeat(8193))).toBeUndefined();
  });

  it("are trimmed in time proportional to the text", () => {
    const spaces = " \t".repeat(2_000_000);
    expect(trimSpace(`${spaces}a${spaces}b${spaces}`)).toHaveLength(4_000_002);
    expect(trimSpace(spaces)).toBe("");
  });

  it("know what a token is", () => {
    const tokens = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).filter(isToken);
    expect(tokens.join("")).toBe("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
    expect(isToken("a\n")).toBe(false);
  });
});

describe("RFC 9112 §2.1: writing a head", () => {
  const written = (...args: Parameters<typeof writeHead>): string => Buffer.from(writeHead(...args)).toString("latin1");

  it("puts line by line, one byte a character, the body behind", () => {
    expect(written("A B C", [["a", "b"], ["c", "é\xff"], ["d", ""]])).toBe("A B C\r\na: b\r\nc: é\xff\r\nd: \r\n\r\n"); // prettier-ignore
    expect(written("A", [], Uint8Array.of(0x31, 0x80))).toBe("A\r\n\r\n1\x80");
  });

  it.each(["\r", "\n", "\0", "\x1f", "\x7f", "\u010d", "\u010a", "\ud800"])("lets no %o through", (character) => {
    expect(() => writeHead(`A${character}`, [])).toThrow(typeErrorWith("U\\+"));
    expect(() => writeHead("A", [["a", `b${character}`]])).toThrow(typeErrorWith("U\\+"));
    expect(() => writeHead("A", [[`a${character}`, "b"]])).toThrow(typeErrorWith("token"));
  });

  it("writes as many line breaks as it has lines, whatever the fields are", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (pairs) => {
        let list;
        try {
          list = headerList(pairs, "client");
        } catch (error) {
          expect(error).toMatchObject({ name: "TypeError", code: "ERR_HEADER" });
          return;
        }
        expect(written("A", list).split(/\r|\n/)).toHaveLength((list.length + 2) * 2 + 1);
      }),
    );
  });
});
