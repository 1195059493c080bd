import { describe, expect, it } from "vitest";
import { HeaderFields } from "../../src/protocol/headers.ts";
import { allowsOrigin, originPolicy, type OriginPolicy } from "../../src/protocol/origin.ts";

const allows = (policy: OriginPolicy, host: string, ...origins: string[]): boolean =>
  allowsOrigin(policy, { host, headers: new HeaderFields(origins.map((origin) => ["Origin", origin])) });

describe("the policy `same`", () => {
  it.each([
    ["example.com", "http://example.com"],
    ["example.com", "https://example.com"],
    ["EXAMPLE.com", "https://example.com"],
    ["example.com:443", "https://example.com"],
    ["example.com:80", "http://example.com"],
    ["example.com:8080", "http://example.com:8080"],
    ["127.0.0.1:5000", "http://127.0.0.1:5000"],
    ["[::1]:5000", "http://[::1]:5000"],
    ["[0:0::1]:5000", "http://[::1]:5000"],
  ])("lets a page on %s in from %s", (host, origin) => expect(allows("same", host, origin)).toBe(true));

  it.each([
    ["example.com", "https://evil.example"],
    ["example.com", "https://example.com.evil.example"],
    ["example.com", "https://evil.example/example.com"],
    ["example.com", "https://example.com@evil.example"],
    ["example.com", "https://sub.example.com"],
    ["sub.example.com", "https://example.com"],
    ["example.com", "https://example.com:8443"],
    ["example.com:443", "http://example.com"],
    ["example.com", "null"],
    ["example.com", ""],
    ["example.com", "example.com"],
    ["example.com", "file://example.com"],
    ["example.com", "chrome-extension://example.com"],
    ["example.com@evil.example", "https://other.example"],
  ])("does not let a page on %s in from %s", (host, origin) => expect(allows("same", host, origin)).toBe(false));

  it("lets in who has no Origin, and not who has two", () => {
    expect(allows("same", "example.com")).toBe(true);
    expect(allows("same", "example.com", "https://example.com", "https://example.com")).toBe(false);
  });
});

describe("other policies", () => {
  it("`any` lets every page in", () => {
    for (const origin of ["https://evil.example", "null", "", "x"]) expect(allows("any", "a", origin)).toBe(true);
  });

  it("a list lets in those in it, to the letter, and who has no Origin", () => {
    const list = ["https://a.example", "http://b.example:8080", "null", "app://local"];
    for (const origin of list) expect(allows(list, "c.example", origin)).toBe(true);
    for (const origin of ["https://a.example:444", "http://a.example", "https://c.example", "https://A.example", ""])
      expect(allows(list, "c.example", origin)).toBe(false);
    expect(allows([], "c.example", "https://c.example")).toBe(false);
    expect(allows([], "c.example")).toBe(true);
  });

  it.each([["*"], ["https://*.a.example"], ["https://a.example/"], ["HTTPS://a.example"], ["a.example"], [""], [1]])(
    "a list with %j is refused",
    (entry) => {
      expect(() => originPolicy([entry], "origins")).toThrow(expect.objectContaining({ code: "ERR_OPTION_TYPE" }));
    },
  );
});
