import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUrl } from "../../src/protocol/url.ts";
import type { Endpoint } from "../../src/protocol/url.ts";

const badUrl = expect.objectContaining({ name: "TypeError", code: "ERR_URL" });

describe("RFC 6455 §3: ws: and wss:", () => {
  const cases: [string, Partial<Endpoint>][] = [
    ["ws://a", { secure: false, hostname: "a", port: 80, host: "a", target: "/" }],
    ["wss://a", { secure: true, hostname: "a", port: 443, host: "a", target: "/" }],
    ["ws://a:80/", { port: 80, host: "a" }],
    ["wss://a:443/", { port: 443, host: "a" }],
    ["ws://a:443/", { port: 443, host: "a:443" }],
    ["wss://a:80/", { port: 80, host: "a:80" }],
    ["ws://a:8080/b/c?d=e&f", { port: 8080, host: "a:8080", target: "/b/c?d=e&f" }],
    ["ws://a?b", { target: "/?b" }],
    ["ws://a/?", { target: "/" }],
    ["ws://a/b/../c/./d", { target: "/c/d" }],
    ["ws://a/%20é", { target: "/%20%C3%A9" }],
    ["ws://a//b", { target: "//b" }],
    ["WS://EXAMPLE.com/A", { secure: false, hostname: "example.com", host: "example.com", target: "/A" }],
    ["http://a/b", { secure: false, port: 80, host: "a", target: "/b" }],
    ["https://a:443/b", { secure: true, port: 443, host: "a", target: "/b" }],
    ["ws://127.0.0.1:1", { hostname: "127.0.0.1", port: 1, host: "127.0.0.1:1" }],
    ["ws://[::1]/", { hostname: "::1", port: 80, host: "[::1]" }],
    ["wss://[2001:DB8::0:1]:8443/", { hostname: "2001:db8::1", port: 8443, host: "[2001:db8::1]:8443" }],
    ["ws://bücher.example/", { hostname: "xn--bcher-kva.example", host: "xn--bcher-kva.example" }],
  ];
  it.each(cases)("%s", (url, expected) => {
    const endpoint = parseUrl(url);
    expect(endpoint).toMatchObject(expected);
    expect(endpoint).not.toHaveProperty("unix");
    expect(endpoint).not.toHaveProperty("credentials");
  });

  it("takes a URL object, and anything with an href", () => {
    expect(parseUrl(new URL("ws://a/b"))).toEqual(parseUrl("ws://a/b"));
    expect(parseUrl({ href: "ws://a/b" })).toEqual(parseUrl("ws://a/b"));
  });

  it.each<[string, unknown]>([
    ["another scheme", "ftp://a/"],
    ["javascript:", "javascript:alert(1)"],
    ["file:", "file:///a"],
    ["a scheme named like an object's", "constructor://a"],
    ["no scheme", "a/b"],
    ["a path", "/chat"],
    ["nothing", ""],
    ["no host", "ws://"],
    ["a host that is none", "ws://a<b/"],
    ["a port that is none", "ws://a:b/"],
    ["a port above 65535", "ws://a:65536/"],
    ["port 0", "ws://a:0/"],
    ["§3: a fragment", "ws://a/#b"],
    ["§3: an empty fragment", "ws://a/#"],
    ["a fragment of a socket", "ws+unix:/a.sock:/b#c"],
    ["a fragment in a URL object", new URL("ws://a/#b")],
    ["an empty fragment in a URL object", new URL("ws://a/#")],
    ["null", null],
    ["undefined", undefined],
    ["a number", 5],
    ["an object", {}],
  ])("refuses %s", (_, url) => {
    expect(() => parseUrl(url as string)).toThrow(badUrl);
  });

  const controls = [0, 9, 10, 13, 31, 32, 127, 0x80, 0x85, 0x9f].map((code) => String.fromCharCode(code));
  it.each(controls)("CVE-2026-1527: refuses %o, which URL parsers drop or encode", (character) => {
    for (const url of ["ws://a/b", "ws://user:secret@a/", "wss://a:80/?b", "ws+unix:/a.sock:/b"]) {
      for (let at = 0; at <= url.length; at++) {
        expect(() => parseUrl(url.slice(0, at) + character + url.slice(at))).toThrow(badUrl);
      }
    }
  });
});

describe("RFC 7617: credentials", () => {
  it.each([
    ["ws://user:secret@a/", "user:secret"],
    ["ws://user@a/", "user:"],
    ["ws://:secret@a/", ":secret"],
    ["ws://user:a:b@a/", "user:a:b"],
    ["ws://us%40er:%E2%82%AC%20%25@a/", "us@er:€ %"],
    ["ws://üser:é@a/", "üser:é"],
    ["https://user:secret@a/", "user:secret"],
  ])("%s", (url, credentials) => {
    expect(parseUrl(url)).toMatchObject({ credentials, hostname: "a", host: "a", target: "/" });
  });

  it("are none when both are empty", () => {
    expect(parseUrl("ws://:@a/")).not.toHaveProperty("credentials");
  });

  it.each([
    ["a colon in the user", "ws://us%3Aer:secret@a/"],
    ["CR LF", "ws://user:%0D%0A@a/"],
    ["NUL", "ws://us%00er@a/"],
    ["DEL", "ws://user:%7F@a/"],
    ["bytes that are not UTF-8", "ws://user:%FF@a/"],
    ["a percent sign by itself", "ws://user:100%@a/"],
  ])("refuse %s", (_, url) => {
    expect(() => parseUrl(url)).toThrow(badUrl);
  });

  it("stay out of the error of a malformed URL", () => {
    expect(() => parseUrl("ws://user:s3cret@a:b/")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cret") }),
    );
  });
});

describe("ws+unix:", () => {
  it.each<[string, string, string]>([
    ["ws+unix:/tmp/a.sock:/b/c?d=e", "/tmp/a.sock", "/b/c?d=e"],
    ["ws+unix:/tmp/a.sock", "/tmp/a.sock", "/"],
    ["ws+unix:/tmp/a.sock:", "/tmp/a.sock", "/"],
    ["ws+unix:/tmp/a.sock?d", "/tmp/a.sock", "/?d"],
    ["ws+unix:/tmp/a.sock:?d", "/tmp/a.sock", "/?d"],
    ["ws+unix:/tmp/a.sock?d=:e", "/tmp/a.sock", "/?d=:e"],
    ["ws+unix:/tmp/a.sock:/b:c", "/tmp/a.sock", "/b:c"],
    ["ws+unix:///tmp/a.sock:/b", "/tmp/a.sock", "/b"],
    ["WS+UNIX:/Tmp/A.sock:/b", "/Tmp/A.sock", "/b"],
    ["ws+unix:/tmp/a%20b%3A.sock:/é%20", "/tmp/a b:.sock", "/%C3%A9%20"],
    ["ws+unix:/tmp/ü.sock", "/tmp/ü.sock", "/"],
    // The request's dots do not climb into the socket's path.
    ["ws+unix:/tmp/a.sock:/../../b", "/tmp/a.sock", "/b"],
  ])("%s", (url, unix, target) => {
    expect(parseUrl(url)).toEqual({ secure: false, unix, hostname: "localhost", port: 80, host: "localhost", target });
  });

  it("speaks TLS as wss+unix:", () => {
    expect(parseUrl("wss+unix:/a.sock:/b")).toMatchObject({ secure: true, unix: "/a.sock", port: 443, target: "/b" });
  });

  it("is read alike from a URL object", () => {
    expect(parseUrl(new URL("ws+unix:/tmp/a.sock:/b?c"))).toEqual(parseUrl("ws+unix:/tmp/a.sock:/b?c"));
  });

  it.each([
    ["no path", "ws+unix:"],
    ["the root", "ws+unix:/"],
    ["a relative path", "ws+unix:a.sock:/b"],
    ["a host", "ws+unix://host/a.sock:/b"],
    ["no slash in the request", "ws+unix:/a.sock:b"],
    ["NUL in the path", "ws+unix:/a%00.sock:/b"],
    ["a path that is not UTF-8", "ws+unix:/%FF.sock"],
    ["http+unix:", "http+unix:/a.sock:/b"],
  ])("refuses %s", (_, url) => {
    expect(() => parseUrl(url)).toThrow(badUrl);
  });
});

describe("properties", () => {
  it("any text gives an endpoint or ERR_URL, and a target that fits into a request line", () => {
    const text = fc.oneof(
      fc.string(),
      fc.webUrl({ withQueryParameters: true }),
      fc.string({ unit: fc.constantFrom(..."ws+unix:/@?[]%.a\\é|") }).map((rest) => `ws:${rest}`),
      fc.string({ unit: fc.constantFrom(..."/:?%.a\\é|") }).map((rest) => `ws+unix:/${rest}`),
    );
    fc.assert(
      fc.property(text, (url) => {
        let endpoint;
        try {
          endpoint = parseUrl(url);
        } catch (error) {
          expect(error).toEqual(badUrl);
          return;
        }
        expect(endpoint.target).toMatch(/^\/[!"$-~]*$/);
        expect(endpoint.host).toMatch(/^[!-~]+$/);
        expect(endpoint.port).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});
