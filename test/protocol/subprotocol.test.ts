import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSubprotocols, parseSubprotocols, selectSubprotocol } from "../../src/protocol/subprotocol.ts";

const hostile: [string, string][] = [
  ["32,000 spaces", " ".repeat(32_000)],
  ["CVE-2021-32640: 32,000 spaces inside", `a${" ".repeat(32_000)}b`],
  ["32,000 spaces between two elements", `a,${" ".repeat(32_000)}b`],
  ["5,000 tokens", Array.from({ length: 5000 }, (_, index) => `p${index}`).join(",")],
  ["10 million spaces", `a${" ".repeat(10_000_000)}b`],
  ["10 million commas", ",".repeat(10_000_000)],
  ["101 tokens", Array.from({ length: 101 }, (_, index) => `p${index}`).join(",")],
];

describe("RFC 6455 §11.3.4: Sec-WebSocket-Protocol", () => {
  it.each<[string, string[]]>([
    ["chat", ["chat"]],
    ["chat, superchat", ["chat", "superchat"]],
    ["chat,superchat", ["chat", "superchat"]],
    [" \tchat\t ,  superchat ", ["chat", "superchat"]],
    ["chat, Chat", ["chat", "Chat"]],
    ["v1.example!#$%&'*+-.^_`|~", ["v1.example!#$%&'*+-.^_`|~"]],
    ["__proto__, constructor", ["__proto__", "constructor"]],
    // RFC 9110 §5.6.1.2: a recipient passes over empty elements.
    [",a,, b,", ["a", "b"]],
  ])("%o", (value, expected) => {
    expect(parseSubprotocols(value)).toEqual(expected);
  });

  it.each([
    ["nothing", ""],
    ["commas only", " , ,"],
    ["a duplicate", "a, b, a"],
    ["a space inside", "a b"],
    ["a quoted string", '"a"'],
    ["a parameter", "a;b"],
    ["a slash", "a/b"],
    ["obs-text", "\xe9"],
    ["a no-break space around a token", "\xa0a"],
    ["NUL", "a\0"],
    ...hostile,
  ])("refuses %s", (_, value) => {
    expect(parseSubprotocols(value)).toBeUndefined();
  });

  it("reads what a client writes", () => {
    const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/);
    fc.assert(
      fc.property(fc.uniqueArray(token, { minLength: 1, maxLength: 100 }), (list) => {
        expect(parseSubprotocols(checkSubprotocols(list).join(", "))).toEqual(list);
      }),
    );
  });
});

describe("the option", () => {
  it("gives a copy of the list", () => {
    const list = ["b", "a"];
    expect(checkSubprotocols(list)).toEqual(list);
    expect(checkSubprotocols(list)).not.toBe(list);
    expect(checkSubprotocols([])).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["an empty string", [""]],
    ["a space", ["a b"]],
    ["a comma", ["a,b"]],
    ["CR LF", ["a\r\nX-Evil: 1"]],
    ["LF at the end", ["a\n"]],
    ["NUL", ["a\0"]],
    ["obs-text", ["é"]],
    ["a duplicate", ["a", "a"]],
    ["a number", [1]],
    ["a bigint", [1n]],
    ["undefined", [undefined]],
    ["a hole", new Array(1)],
    ["a string for the list", "chat"],
    ["null for the list", null],
  ])("refuses %s", (_, list) => {
    expect(() => checkSubprotocols(list as string[])).toThrow(
      expect.objectContaining({ name: "TypeError", code: "ERR_SUBPROTOCOL" }),
    );
  });
});

describe("RFC 6455 §4.2.2, seed S5: the server's choice", () => {
  it.each<[string[], string[], string | undefined]>([
    [["a", "b"], ["b", "a"], "a"],
    [["c", "b", "a"], ["a", "b"], "b"],
    [["a"], ["A"], undefined],
    [["a"], [], undefined],
    [[], ["a"], undefined],
    [["toString"], ["a"], undefined],
  ])("of %o by one that accepts %o is %o", (offered, accepted, selected) => {
    expect(selectSubprotocol(offered, accepted)).toBe(selected);
  });
});
