import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HybiError } from "../../src/errors.ts";
import { confirmExtensions, negotiate, parseExtensions, serializeExtensions } from "../../src/protocol/extension.ts";
import type { Extension, ExtensionOffer, ExtensionSession } from "../../src/protocol/extension.ts";

const offer = (name: string, ...parameters: ExtensionOffer["parameters"]): ExtensionOffer => ({ name, parameters });

describe("RFC 6455 §9.1: the grammar of Sec-WebSocket-Extensions", () => {
  it.each<[string, ExtensionOffer[]]>([
    ["foo", [offer("foo")]],
    ["foo, bar; baz=2", [offer("foo"), offer("bar", ["baz", "2"])]],
    ["foo;a;b=c;a", [offer("foo", ["a", true], ["b", "c"], ["a", true])]],
    [" \tfoo\t ; a\t=\t1 ,bar ", [offer("foo", ["a", "1"]), offer("bar")]],
    ['foo; a="b"', [offer("foo", ["a", "b"])]],
    ['foo; a = "b" ; c', [offer("foo", ["a", "b"], ["c", true])]],
    ['foo; a="\\b\\c"', [offer("foo", ["a", "bc"])]],
    ["foo, foo; a", [offer("foo"), offer("foo", ["a", true])]],
    ["__proto__; constructor=1, toString", [offer("__proto__", ["constructor", "1"]), offer("toString")]],
    // RFC 9110 §5.6.1.2: a recipient passes over empty elements.
    [",foo,, bar,", [offer("foo"), offer("bar")]],
    [
      "permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate",
      [offer("permessage-deflate", ["client_max_window_bits", true], ["server_max_window_bits", "10"]), offer("permessage-deflate")], // prettier-ignore
    ],
  ])("%o", (value, expected) => {
    expect(parseExtensions(value)).toEqual(expected);
  });

  it("keeps parameters in lists, where no name reaches a prototype", () => {
    const [first] = parseExtensions("foo; __proto__=x; __proto__") ?? [];
    expect(first?.parameters).toEqual([["__proto__", "x"], ["__proto__", true]]); // prettier-ignore
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["spaces", "  "],
    ["commas", ", ,"],
    ["a semicolon", ";"],
    ["a parameter of nothing", "; a"],
    ["an empty parameter", "foo;"],
    ["an empty parameter inside", "foo;;a"],
    ["an empty value", "foo; a="],
    ["an empty quoted value", 'foo; a=""'],
    ["a value of nothing", "foo; =a"],
    ["a value of the extension", "foo=a"],
    ["a quoted name", '"foo"'],
    ["two tokens", "foo bar"],
    ["two values", "foo; a=b c"],
    ["a quoted value with a comma", 'foo; a="b,c"'],
    ["a quoted value with a space", 'foo; a=" b"'],
    ["a quoted value with an escaped quote", 'foo; a="\\""'],
    ["a token behind a quoted value", 'foo; a="b"c'],
    ["an unclosed quote", 'foo; a="b'],
    ["an unclosed quote behind an escape", 'foo; a="b\\"'],
    ["an escape at the end", 'foo; a="b\\'],
    ["NUL", "foo\0"],
    ["obs-text", "f\xe9"],
    ["obs-text in quotes", 'foo; a="\xe9"'],
    ["a character above U+00FF", "\u0141"],
    ["CVE-2020-7662: an unclosed quote with thousands of \\c", `foo; a="${"\\c".repeat(4000)}`],
    ["CVE-2020-7662: an unclosed quote with millions of \\c", `foo; a="${"\\c".repeat(5_000_000)}`],
    ["NSP-550: 8,000 spaces and no end", `foo;${" ".repeat(8000)}=`],
    ["101 extensions", "foo,".repeat(100) + "foo"],
    ["101 empty elements", ",".repeat(100) + "foo"],
    ["100 parameters", `foo${";a".repeat(100)}`],
    ["more than 8 KiB", `foo; a=${"b".repeat(8192)}`],
  ])("refuses %s", (_, value) => {
    expect(parseExtensions(value)).toBeUndefined();
  });

  it("takes up to 100 extensions and parameters", () => {
    expect(parseExtensions("foo,".repeat(99) + "foo")).toHaveLength(100);
    expect(parseExtensions(`foo${";a".repeat(99)}`)?.[0]?.parameters).toHaveLength(99);
    expect(parseExtensions(`foo; a="${"\\c".repeat(4000)}"`)).toEqual([offer("foo", ["a", "c".repeat(4000)])]);
  });

  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,10}$/);
  const offers = fc.array(
    fc.record({
      name: token,
      parameters: fc.array(fc.tuple(token, fc.oneof(token, fc.constant(true as const))), { maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 15 },
  );

  it("reads what it writes", () => {
    fc.assert(
      fc.property(offers, (list) => {
        expect(parseExtensions(serializeExtensions(list))).toEqual(list);
      }),
    );
  });

  it("never throws, and gives tokens alone", () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab;,= \t"\\\0\xe9'), maxLength: 30 });
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (value) => {
        const list = parseExtensions(value);
        // Serialising checks every token.
        if (list) expect(parseExtensions(serializeExtensions(list))).toEqual(list);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, ExtensionOffer]>([
    ["an empty name", offer("")],
    ["CR LF in a name", offer("a\r\nb")],
    ["a comma in a parameter", offer("a", ["b,c", true])],
    ["a space in a value", offer("a", ["b", "c d"])],
    ["an empty value", offer("a", ["b", ""])],
  ])("does not write %s", (_, bad) => {
    expect(() => serializeExtensions([bad])).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_HEADER" }),
    );
  });
});

/** An extension that takes an offer whose parameter `n` is 1 to 9, and tells when its session is closed. */
function numbered(name: string, rsv: number, closed: string[] = []): Extension {
  const session: ExtensionSession = {
    rsv,
    encode: () => undefined,
    decode: (_opcode, data) => data,
    close: () => void closed.push(name),
  };
  const fits = ({ parameters }: ExtensionOffer): boolean =>
    parameters.every(([key, value]) => key === "n" && value !== true && /^[1-9]$/.test(value));
  return {
    name,
    offer: () => [offer(name)],
    accept(offers) {
      const response = offers.find(fits);
      return response && { response, session };
    },
    confirm(response) {
      if (!fits(response)) throw new HybiError("ERR_HANDSHAKE_RESPONSE", "The parameter n is not 1 to 9.");
      return session;
    },
  };
}

const negotiated = (value: string, extensions: Extension[]): string => {
  const { responses, sessions } = negotiate(parseExtensions(value) ?? [], extensions);
  expect(sessions).toHaveLength(responses.length);
  return serializeExtensions(responses);
};

describe("RFC 6455 §9.1, §4.2.2: what a server takes", () => {
  const extensions = [numbered("a", 0x40), numbered("b", 0x20), numbered("constructor", 0)];

  it.each([
    ["nothing that it does not have", "x, y; n=1, toString", ""],
    ["what it has", "x, a", "a"],
    ["all that fit together, in the client's order", "b; n=2, x, a", "b; n=2, a"],
    ["the first of several offers that fits", "a; n=0, a; m, a; n=3, a; n=4, b, a", "a; n=3, b"],
    ["nothing of what fits no offer", "a; n=0, a; n=16, a; n=08, a; n=-1, a; n", ""],
    ["a name of an object's", "constructor", "constructor"],
  ])("is %s", (_, value, expected) => {
    expect(negotiated(value, extensions)).toBe(expected);
  });

  it("is nothing when nothing is configured", () => {
    expect(negotiated("a", [])).toBe("");
  });

  it("is not a second extension with the same reserved bit", () => {
    const closed: string[] = [];
    const clashing = [numbered("a", 0x40, closed), numbered("b", 0x60, closed), numbered("c", 0x20, closed)];
    expect(negotiated("a, b, c", clashing)).toBe("a, c");
    expect(closed).toEqual(["b"]);
    expect(negotiated("b, a, c", clashing)).toBe("b");
    expect(closed).toEqual(["b", "a", "c"]);
  });

  it("keeps no session open when an extension breaks", () => {
    const closed: string[] = [];
    const broken: Extension = {
      ...numbered("b", 0x20),
      accept() {
        throw new Error("broken");
      },
    };
    expect(() => negotiated("a, b", [numbered("a", 0x40, closed), broken])).toThrow("broken");
    expect(closed).toEqual(["a"]);
  });
});

describe("RFC 6455 §4.1, §9.1: what a client confirms", () => {
  const closed: string[] = [];
  const extensions = [numbered("a", 0x40, closed), numbered("b", 0x20, closed), numbered("c", 0x40, closed)];
  const confirmed = (value: string): number[] =>
    confirmExtensions(parseExtensions(value) ?? [], extensions).map((session) => session.rsv);

  it.each<[string, string, number[]]>([
    ["one", "a", [0x40]],
    ["two in the server's order", "b, a; n=1", [0x20, 0x40]],
  ])("is %s", (_, value, bits) => {
    expect(confirmed(value)).toEqual(bits);
    expect(confirmExtensions([], extensions)).toEqual([]);
  });

  it.each([
    ["one that was not offered", "a, x", ["a"]],
    ["a name of an object's", "constructor", []],
    ["one that is given twice", "a, a", ["a"]],
    ["parameters that do not fit", "b, a; n=16", ["b"]],
    ["two with one reserved bit", "a, c", ["a", "c"]],
  ])("is not %s", (_, value, freed) => {
    closed.length = 0;
    expect(() => confirmed(value)).toThrow(
      expect.objectContaining({ name: "HybiError", code: "ERR_HANDSHAKE_RESPONSE" }),
    );
    expect(closed).toEqual(freed);
  });
});
