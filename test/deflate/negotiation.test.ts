// RFC 7692 §5 and §7.1: offers, responses, and what becomes of them.
import { describe, expect, it } from "vitest";
import { Budget, permessageDeflate, type PermessageDeflateOptions } from "../../src/deflate/index.ts";
import { confirmExtensions, negotiate, parseExtensions, serializeExtensions } from "../../src/protocol/extension.ts";

const roomy = (): Budget => new Budget(2 ** 30);
const full = (): Budget => new Budget(0);

/** What a server with these options answers to a header; "" when it declines. Its clients may have any window. */
function answer(header: string, options: PermessageDeflateOptions = { peerWindowBits: 15 }): string {
  const { responses, sessions } = negotiate(parseExtensions(header)!, [
    permessageDeflate({ budget: roomy(), ...options }),
  ]);
  for (const session of sessions) session.close();
  return serializeExtensions(responses);
}

const offer = (options: PermessageDeflateOptions = {}): string =>
  serializeExtensions(permessageDeflate({ budget: roomy(), ...options }).offer());

/** Whether a client with these options takes a response. */
function confirm(header: string, options: PermessageDeflateOptions = {}): void {
  const sessions = confirmExtensions(parseExtensions(header)!, [permessageDeflate({ budget: roomy(), ...options })]);
  for (const session of sessions) session.close();
}

const P = "permessage-deflate";

describe("RFC 7692 §7.1: what a server answers", () => {
  it.each<[string, string, PermessageDeflateOptions?]>([
    // What browsers offer.
    [P, P],
    [`${P}; client_max_window_bits`, P],
    // §7.1.1.1, §7.1.1.2
    [`${P}; server_no_context_takeover`, `${P}; server_no_context_takeover`],
    [`${P}; client_no_context_takeover`, `${P}; client_no_context_takeover`],
    [P, `${P}; server_no_context_takeover`, { contextTakeover: false, peerWindowBits: 15 }],
    [P, `${P}; client_no_context_takeover`, { peerContextTakeover: false }],
    // §7.1.2.1: never more than was offered, and said only to whoever asked
    [`${P}; server_max_window_bits=8`, `${P}; server_max_window_bits=8`],
    [`${P}; server_max_window_bits=15`, `${P}; server_max_window_bits=15`],
    [`${P}; server_max_window_bits=15`, `${P}; server_max_window_bits=11`, { windowBits: 11, peerWindowBits: 15 }],
    [`${P}; server_max_window_bits=10`, `${P}; server_max_window_bits=10`, { windowBits: 11, peerWindowBits: 15 }],
    [P, P, { windowBits: 11, peerWindowBits: 15 }],
    // §7.1.2.2: only to a client that knows it
    [`${P}; client_max_window_bits`, `${P}; client_max_window_bits=10`, { peerWindowBits: 10 }],
    [`${P}; client_max_window_bits=9`, `${P}; client_max_window_bits=9`, { peerWindowBits: 10 }],
    [`${P}; client_max_window_bits=8`, `${P}; client_max_window_bits=8`],
    [`${P}; client_max_window_bits=15`, P],
    // What it asks for by default, so that a connection costs little.
    [`${P}; client_max_window_bits`, `${P}; client_max_window_bits=12`, {}],
    [`${P}; client_max_window_bits=10`, `${P}; client_max_window_bits=10`, {}],
    [P, `${P}; client_no_context_takeover`, {}],
    // A client that cannot limit its window has none.
    [P, `${P}; client_no_context_takeover`, { peerWindowBits: 10 }],
    // §5.1: the first that is acceptable, whatever stands before it
    [`${P}; client_max_window_bits=7, ${P}; server_max_window_bits=10`, `${P}; server_max_window_bits=10`],
    [`x-webkit-deflate-frame, ${P}; server_no_context_takeover, ${P}`, `${P}; server_no_context_takeover`],
    // Quoted, as RFC 6455 §9.1 lets it be.
    [`${P}; server_max_window_bits="10"`, `${P}; server_max_window_bits=10`],
  ])("to %s: %s", (header, response, options) => {
    expect(answer(header, options)).toBe(response);
  });

  it.each([
    ...["7", "16", "08", "+9", "0", "1000", "9.0", "0x9", "nine"].flatMap((bits) => [
      `server_max_window_bits=${bits}`,
      `client_max_window_bits=${bits}`,
    ]),
    "server_max_window_bits",
    "server_no_context_takeover=1",
    "client_no_context_takeover=true",
    "server_no_context_takeover; server_no_context_takeover",
    "client_max_window_bits; client_max_window_bits=10",
    "server_max_window_bits=10; server_max_window_bits=10",
    "foo",
    "foo=bar",
    "Server_No_Context_Takeover",
    "__proto__",
    "constructor",
  ])("declines an offer with %s", (parameters) => {
    expect(answer(`${P}; ${parameters}`)).toBe("");
    expect(answer(`${P}; ${parameters}, ${P}`), "and goes on to the next").toBe(P);
  });

  it("keeps no windows once they would take more than the budget", () => {
    const budget = new Budget(3 * 2 ** 15);
    const extension = permessageDeflate({ budget, takeoverBits: 15, peerWindowBits: 15 });
    const take = (): ReturnType<typeof negotiate> => negotiate(parseExtensions(P)!, [extension]);
    const first = take();
    const second = take();
    expect(serializeExtensions(first.responses)).toBe(P);
    expect(serializeExtensions(second.responses)).toBe(`${P}; server_no_context_takeover; client_no_context_takeover`);
    expect(budget.used).toBe(2 * 2 ** 15);
    for (const { sessions } of [first, second]) sessions[0]!.close();
    expect(budget.used).toBe(0);
    const third = take();
    expect(serializeExtensions(third.responses)).toBe(P);
    third.sessions[0]!.close();
  });
});

describe("RFC 7692 §7.1: what a client offers", () => {
  it.each<[PermessageDeflateOptions, string]>([
    [{}, `${P}; client_max_window_bits`],
    [{ windowBits: 10 }, `${P}; client_max_window_bits=10`],
    [{ contextTakeover: false }, `${P}; client_no_context_takeover; client_max_window_bits`],
    [{ peerContextTakeover: false }, `${P}; server_no_context_takeover; client_max_window_bits`],
    [
      { peerWindowBits: 12 },
      `${P}; server_max_window_bits=12; client_max_window_bits, ${P}; server_no_context_takeover; client_max_window_bits`,
    ],
    [{ budget: full() }, `${P}; server_no_context_takeover; client_no_context_takeover; client_max_window_bits`],
  ])("%o: %s", (options, header) => {
    expect(offer(options)).toBe(header);
  });
});

describe("RFC 7692 §7.1: what a client takes", () => {
  it.each<[string, PermessageDeflateOptions?]>([
    [P],
    [
      `${P}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=8`,
    ],
    [`${P}; client_max_window_bits=15`, { windowBits: 10 }],
    // Not asked for, but §7.1.2.1 lets a server say it.
    [`${P}; server_max_window_bits=12`],
    [`${P}; server_max_window_bits=11`, { peerWindowBits: 12 }],
    [`${P}; server_no_context_takeover`, { peerWindowBits: 12 }],
    [`${P}; server_no_context_takeover`, { peerContextTakeover: false }],
  ])("%s", (header, options) => {
    expect(() => confirm(header, options)).not.toThrow();
  });

  it.each<[string, PermessageDeflateOptions?]>([
    ...["7", "16", "08", "0", "1000"].flatMap((bits): [string][] => [
      [`${P}; server_max_window_bits=${bits}`],
      [`${P}; client_max_window_bits=${bits}`],
    ]),
    [`${P}; server_max_window_bits`],
    [`${P}; client_max_window_bits`],
    [`${P}; client_no_context_takeover=1`],
    [`${P}; server_no_context_takeover; server_no_context_takeover`],
    [`${P}; foo`],
    [`${P}, ${P}`],
    // What the offer asked for, and the response does not grant.
    [P, { peerWindowBits: 12 }],
    [`${P}; server_max_window_bits=13`, { peerWindowBits: 12 }],
    [P, { peerContextTakeover: false }],
  ])("not %s", (header, options) => {
    expect(() => confirm(header, options)).toThrow(expect.objectContaining({ code: "ERR_HANDSHAKE_RESPONSE" }));
  });
});

describe("any client of ours and any server of ours", () => {
  const sides: PermessageDeflateOptions[] = [];
  for (const windowBits of [9, 15])
    for (const peerWindowBits of [9, 15])
      for (const contextTakeover of [true, false])
        for (const peerContextTakeover of [true, false])
          for (const budget of [roomy(), full()])
            sides.push({ windowBits, peerWindowBits, contextTakeover, peerContextTakeover, budget });

  it("agree, and give back what they took", () => {
    for (const atClient of sides)
      for (const atServer of sides) {
        const offered = parseExtensions(offer(atClient))!;
        const { responses, sessions } = negotiate(offered, [permessageDeflate(atServer)]);
        expect(responses).toHaveLength(1);
        expect(atServer.budget!.used).toBeLessThanOrEqual(atServer.budget!.limit);
        confirm(serializeExtensions(responses), atClient);
        sessions[0]!.close();
        expect([atServer.budget!.used, atClient.budget!.used]).toEqual([0, 0]);
      }
  });
});

describe("the options", () => {
  it.each<[object, string]>([
    [{ levels: 1 }, "ERR_OPTION_UNKNOWN"],
    [{ level: 10 }, "ERR_OPTION_RANGE"],
    [{ level: "best" }, "ERR_OPTION_TYPE"],
    [{ threshold: -1 }, "ERR_OPTION_RANGE"],
    [{ windowBits: 8 }, "ERR_OPTION_RANGE"],
    [{ peerWindowBits: 16 }, "ERR_OPTION_RANGE"],
    [{ contextTakeover: 1 }, "ERR_OPTION_TYPE"],
    [{ budget: 1000 }, "ERR_OPTION_TYPE"],
    [{ module: {} }, "ERR_OPTION_TYPE"],
  ])("%o are refused with %s", (options, code) => {
    expect(() => permessageDeflate(options as PermessageDeflateOptions)).toThrow(expect.objectContaining({ code }));
  });
});
