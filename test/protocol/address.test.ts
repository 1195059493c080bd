import { BlockList, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TrustedProxies, clientOf, networks } from "../../src/protocol/address.ts";

const v4 = fc.ipV4();
const v6 = fc.ipV6();

describe("networks", () => {
  it("hold what Node's BlockList says", () => {
    const network = fc.oneof(
      fc.tuple(v4, fc.integer({ min: 0, max: 32 })),
      fc.tuple(v6, fc.integer({ min: 0, max: 128 })),
    );
    fc.assert(
      fc.property(network, fc.oneof(v4, v6), ([base, length], address) => {
        const list = new BlockList();
        list.addSubnet(base, length, isIPv6(base) ? "ipv6" : "ipv4");
        const expected = list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
        expect(new TrustedProxies([`${base}/${length}`]).has(address)).toBe(expected);
        expect(new TrustedProxies([`${base}/${length}`]).has(base)).toBe(true);
      }),
      { seed: 20_26, numRuns: 1000 },
    );
  });

  it("take IPv4 for what it is inside IPv6, and leave out what marks the interface", () => {
    const proxies = new TrustedProxies(["10.0.0.0/8", "fe80::1"]);
    for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "::FFFF:0a01:0203", "fe80::1%eth0"])
      expect(proxies.has(address)).toBe(true);
    for (const address of ["11.1.2.3", "::ffff:11.1.2.3", "::10.1.2.3", "fe80::2", "", "x", "10.1.2", undefined])
      expect(proxies.has(address)).toBe(false);
    expect(new TrustedProxies(["unix"]).has(undefined)).toBe(true);
  });

  it.each([
    "",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "0x0a.0.0.1",
    "10.0.0.1.",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "::/129",
    "::1/",
    ":::1",
    "1::2::3",
    "[::1]",
    "::1]",
    "::1/64/3",
    "localhost",
    1,
  ])("%j is none", (text) => {
    expect(() => networks([text], "trustedProxies")).toThrow(expect.objectContaining({ code: "ERR_OPTION_TYPE" }));
  });
});

describe("the client's address", () => {
  const proxies = new TrustedProxies(["10.0.0.0/8", "192.168.1.1"]);
  it.each<[remote: string | undefined, forwarded: string | undefined, client: string | undefined]>([
    ["1.2.3.4", undefined, "1.2.3.4"],
    ["::ffff:1.2.3.4", undefined, "1.2.3.4"],
    ["2001:db8::1", undefined, "2001:db8::1"],
    [undefined, "1.2.3.4", undefined],
    // Who is not trusted may say what it likes.
    ["1.2.3.4", "5.6.7.8", "1.2.3.4"],
    ["10.0.0.1", "5.6.7.8", "5.6.7.8"],
    ["10.0.0.1", "9.9.9.9, 5.6.7.8", "5.6.7.8"],
    ["10.0.0.1", "9.9.9.9, 5.6.7.8, 192.168.1.1,10.3.3.3", "5.6.7.8"],
    ["10.0.0.1", "10.0.0.2", "10.0.0.2"],
    ["10.0.0.1", undefined, "10.0.0.1"],
    ["10.0.0.1", "", "10.0.0.1"],
    ["10.0.0.1", "unknown", "10.0.0.1"],
    ["10.0.0.1", "5.6.7.8, unknown, 10.0.0.2", "10.0.0.2"],
    ["10.0.0.1", "5.6.7.8:1234", "5.6.7.8"],
    ["10.0.0.1", "[2001:db8::1]:1234", "2001:db8::1"],
    ["10.0.0.1", "[2001:db8::1]", "2001:db8::1"],
    ["10.0.0.1", "2001:db8::1", "2001:db8::1"],
    ["::ffff:10.0.0.1", "5.6.7.8", "5.6.7.8"],
  ])("from %s with %j is %s", (remote, forwarded, client) => {
    expect(proxies.clientAddress(remote, forwarded)).toBe(client);
  });

  it("of IPv6 counts by its network of 64 bits", () => {
    expect(clientOf("2001:db8:1:2::1")).toBe(clientOf("2001:db8:1:2:ffff::9"));
    expect(clientOf("2001:db8:1:2::1")).not.toBe(clientOf("2001:db8:1:3::1"));
    expect(clientOf("::ffff:1.2.3.4")).toBe(clientOf("1.2.3.4"));
    expect(clientOf("1.2.3.4")).not.toBe(clientOf("1.2.3.5"));
  });
});
