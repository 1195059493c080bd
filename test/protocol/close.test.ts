import { describe, expect, it } from "vitest";
import { closeCodes, isCloseCode } from "../../src/codec/close-codes.ts";
import { decodeClose, encodeClose } from "../../src/protocol/close.ts";
import { codecs } from "../helpers/codecs.ts";
import { everyCut, same } from "../helpers/decoding.ts";
import { WHY, closes, fails, stays, type Outcome } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { Peer, bytesOf, closePayload, concat } from "../helpers/wire.ts";

const validCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];

describe("§7.4.2: which codes a Close frame may carry", () => {
  /** As the section's ranges, and the registry of §11.7, have it. */
  const mayBeSent = (code: number): boolean => {
    if (code < 1000 || code > 4999) return false;
    if (code >= 3000) return true;
    return validCodes.includes(code);
  };

  it("holds for every number of two bytes", () => {
    for (let code = 0; code < 65536; code++) {
      if (isCloseCode(code) !== mayBeSent(code)) expect.fail(`${code}`);
      // At every border, and here and there between them.
      if (code % 1000 > 20 && code % 1000 < 998 && code % 97) continue;
      const decoded = decodeClose(closePayload(code, "x"));
      same(decoded, mayBeSent(code) ? { code, reason: bytesOf("x") } : undefined, `${code}`);
      same(encodeClose(code, bytesOf("why")), closePayload(code, "why"), `${code}`);
    }
  });

  it.each([NaN, Infinity, -1000, 1000.5, 65536 + 1000])("%d is none", (code) => {
    expect(isCloseCode(code)).toBe(false);
  });
});

describe("§11.7: the names of close codes", () => {
  const named = Object.keys(closeCodes).map(Number);

  it("are there for all that §7.4.1 and the registry define", () => {
    expect(validCodes.filter((code) => code < 3000 && closeCodes[code] === undefined)).toEqual([]);
    expect(closeCodes[1009]).toBe("message too big");
    expect(closeCodes[4000]).toBe(undefined);
  });

  it("are there also for those that no Close frame carries", () => {
    expect(named.filter((code) => !isCloseCode(code))).toEqual([1004, 1005, 1006, 1015]);
  });
});

/** Has the peer send `bytes` to a connection that `act` has brought into some state; over every build and cut. */
function inState(act: (session: Session) => void, bytes: (peer: Peer) => Uint8Array[], expected: Outcome): void {
  for (const role of roles) {
    for (const codec of codecs) {
      for (const [cut, chunks] of everyCut(concat(bytes(new Peer(role))))) {
        const session = new Session(role, { codec });
        act(session);
        same(session.receive(chunks).end(), expected, `${role}, ${codec.build}, ${cut}`);
      }
    }
  }
}

const sent = (code: number | undefined, reason = ""): Outcome["sent"] => [["close", code, reason]];
const closing = { ...stays(), readyState: "closing" as const };

describe("§7.1.2: closing from this side", () => {
  const close = (session: Session): void => session.protocol.close(1000, bytesOf("bye"));

  it("sends one Close frame, and waits (seed defect 6)", () => {
    inState(close, () => [], { ...closing, sent: sent(1000, "bye") });
  });

  it("sends an empty one without a code", () => {
    inState((session) => session.protocol.close(undefined, new Uint8Array(0)), () => [], { ...closing, sent: sent(undefined) }); // prettier-ignore
  });

  it("the answer completes it: §7.1.4 clean, §7.1.5 the peer's code, §7.1.6 the peer's reason", () => {
    const done = { ...closing, sent: sent(1000, "bye"), events: [["closeDone"]] as const, wasClean: true };
    inState(close, (peer) => [peer.close(1000, "bye")], { ...done, closeCode: 1000, closeReason: "bye" });
    inState(close, (peer) => [peer.close(4000, "other")], { ...done, closeCode: 4000, closeReason: "other" });
    inState(close, (peer) => [peer.close()], { ...done, closeCode: 1005 });
  });

  it("what the peer sends before its answer is still heard, and pings too", () => {
    inState(close, (peer) => [peer.text("on its way"), peer.ping("p"), ...peer.fragments(2, ["a", "b"]), peer.close(1000)], {
      ...closing,
      sent: sent(1000, "bye"),
      events: [["text", "on its way"], ["ping", "p"], ["binary", "ab"], ["closeDone"]],
      closeCode: 1000,
      wasClean: true,
    }); // prettier-ignore
  });

  it("what comes behind the answer is not: data, a ping, a second Close, garbage", () => {
    const late = (peer: Peer): Uint8Array[] => [
      peer.close(1000),
      peer.text("late"),
      peer.ping("late"),
      peer.close(1001, "again"),
      Uint8Array.of(0xff, 0xff),
    ];
    inState(close, late, {
      ...closing,
      sent: sent(1000, "bye"),
      events: [["closeDone"]],
      closeCode: 1000,
      wasClean: true,
    });
  });

  it("a violation now fails the connection, but no second Close frame is sent (seed defect 6)", () => {
    const failed = (code: number, name: string): Outcome => ({
      ...closing,
      sent: sent(1000, "bye"),
      events: [["failed", code, name]],
    });
    inState(close, (peer) => [peer.frame(3), peer.close(1000)], failed(1002, "ERR_PROTOCOL"));
    inState(close, (peer) => [peer.text([0xff]), peer.close(1000)], failed(1007, "ERR_INVALID_DATA"));
    inState(close, (peer) => [peer.close(1005)], failed(1002, "ERR_PROTOCOL"));
    inState(close, (peer) => [peer.close(1000, [0xff])], failed(1007, "ERR_INVALID_DATA"));
  });

  it("a second call does nothing, nor does one behind the peer's Close or a failure", () => {
    const twice = (session: Session): void => {
      close(session);
      session.protocol.close(4000, bytesOf("again"));
    };
    inState(twice, () => [], { ...closing, sent: sent(1000, "bye") });
    for (const role of roles) {
      const peer = new Peer(role);
      const answered = new Session(role).receive([peer.close(1001)]);
      close(answered);
      answered.protocol.fail(1011, "too late");
      same(answered.end(), closes(1001), role);
      const failed = new Session(role).receive([peer.frame(3)]);
      close(failed);
      failed.protocol.fail(1011, "too late");
      same(failed.end(), fails(1002), role);
      close(failed);
      expect(failed.takeSent()).toEqual([]);
    }
  });

  it("a close code of 1000 to 4999 is written in two bytes, high first", () => {
    for (const code of validCodes) {
      const session = new Session("server");
      session.protocol.close(code, bytesOf("r"));
      expect(session.takeFrames()[0]?.payload).toEqual(closePayload(code, "r"));
      session.end();
    }
  });
});

describe("§5.5.1: both sides close at once", () => {
  it.each([1000, 3001])("each has the other's code, and sends one Close frame (%d)", (code) => {
    const server = new Session("server");
    const client = new Session("client");
    server.protocol.close(code, bytesOf("server's"));
    client.protocol.close(4999, bytesOf("client's"));
    const [fromServer, fromClient] = [server, client].map(({ protocol }) => concat(protocol.outbox?.take() ?? [])) as [
      Uint8Array,
      Uint8Array,
    ];
    server.receive([fromClient]);
    client.receive([fromServer]);
    const done = { ...closing, events: [["closeDone"]] as const, wasClean: true };
    expect(server.end()).toEqual({ ...done, closeCode: 4999, closeReason: "client's" });
    expect(client.end()).toEqual({ ...done, closeCode: code, closeReason: "server's" });
  });

  it("a whole closing handshake between two of ours, begun by either", () => {
    for (const [first, second] of [
      ["server", "client"],
      ["client", "server"],
    ] as const) {
      // prettier-ignore
      const [opener, answerer] = [new Session(first), new Session(second)];
      opener.protocol.close(1001, bytesOf("leaving"));
      answerer.receive(opener.protocol.outbox?.take() ?? []);
      expect(answerer.protocol.inputIsOver).toBe(true);
      expect(opener.protocol.inputIsOver).toBe(false);
      opener.receive(answerer.protocol.outbox?.take() ?? []);
      expect(opener.protocol.inputIsOver).toBe(true);
      for (const session of [opener, answerer])
        expect(session.end()).toMatchObject({ closeCode: 1001, closeReason: "leaving", wasClean: true, sent: [] });
    }
  });
});

describe("§7.1.7: failing the connection", () => {
  it("sends the code and the reason in one Close frame, and tells why", () => {
    for (const role of roles) {
      const session = new Session(role);
      session.protocol.fail(1008, "patience is at its end", "ERR_POLICY");
      expect(session.errors[0]).toMatchObject({ closeCode: 1008, code: "ERR_POLICY" });
      expect(session.errors[0]?.message).toContain("patience is at its end");
      same(session.end(), fails(1008), role);
    }
  });

  it.each([
    [1002, "ERR_PROTOCOL"],
    [1007, "ERR_INVALID_DATA"],
    [1008, "ERR_POLICY"],
    [1009, "ERR_TOO_LONG"],
    [1011, "ERR_PROTOCOL"],
  ])("%d is told as %s unless the caller says otherwise", (closeCode, code) => {
    const session = new Session("server");
    session.protocol.fail(closeCode, "why");
    expect(session.end()).toMatchObject({ events: [["failed", closeCode, code]], sent: [["close", closeCode, WHY]] });
  });

  it("a reason that does not fit is left out, not cut inside a character (seed defect 9)", () => {
    for (const [text, fits] of [
      ["é".repeat(61), true],
      ["é".repeat(61) + "x", true],
      ["é".repeat(62), false],
    ] as const) {
      // prettier-ignore
      const session = new Session("client");
      session.protocol.fail(1002, text);
      expect(session.takeFrames()[0]?.payload).toEqual(closePayload(1002, fits ? text : ""));
      session.end();
    }
  });

  it("what is in the same chunk, and what comes later, is discarded, never parsed (seed defect 4)", () => {
    const failed = fails(1002, ["text", "before"]);
    inState(() => undefined, (peer) => [peer.text("before"), peer.frame(3), peer.text("never"), peer.close(1000), peer.ping()], failed); // prettier-ignore
  });

  it("from inside a handler it stops the chunk there", () => {
    for (const role of roles) {
      const peer = new Peer(role);
      const session = new Session(role);
      session.onMessage = () => session.protocol.fail(1008, "enough");
      session.receive([concat([peer.text("a"), peer.text("b"), peer.ping()])]);
      same(session.end(), fails(1008, ["text", "a"]), role);
    }
  });

  it("closing from inside a handler does not: the peer's data is heard until its Close", () => {
    for (const role of roles) {
      const peer = new Peer(role);
      const session = new Session(role);
      session.onMessage = () => session.protocol.close(1000, bytesOf(""));
      session.receive([concat([peer.text("a"), peer.text("b"), peer.close(1000), peer.text("c")])]);
      expect(session.end()).toEqual({ ...closes(1000, "", ["text", "a"], ["text", "b"]) });
    }
  });

  it("the transport gone inside a handler ends it all: the slot is freed, the rest is dropped", () => {
    for (const role of roles) {
      const peer = new Peer(role);
      const session = new Session(role);
      const taken = codecs[0]!.slotsTaken;
      session.onMessage = () => session.protocol.transportClosed();
      session.receive([concat([peer.text("a"), peer.text("b"), peer.frame(3)])]);
      expect(session.events).toEqual([["text", "a"]]);
      expect(session.protocol.readyState).toBe("closed");
      expect(codecs[0]!.slotsTaken).toBe(taken - 1);
    }
  });
});

describe("§7.1.4 to §7.1.6: a transport that closes on its own", () => {
  it.each(roles)("is not clean: 1006 and no reason (%s)", (role) => {
    const peer = new Peer(role);
    const untouched = new Session(role);
    expect(untouched.end()).toEqual(stays());
    const inMessage = new Session(role).receive([peer.text("a", { fin: false })]);
    expect(inMessage.end()).toEqual(stays());
    const unanswered = new Session(role);
    unanswered.protocol.close(1000, bytesOf("bye"));
    expect(unanswered.end()).toEqual({ ...closing, sent: sent(1000, "bye") });
    // A Close frame that is cut never came.
    const cut = new Session(role).receive([peer.close(1000, "reason").subarray(0, 7)]);
    expect(cut.end()).toEqual(stays());
  });

  it.each(roles)("nothing moves it any more (%s)", (role) => {
    const session = new Session(role);
    session.end();
    session.protocol.close(1000, bytesOf(""));
    session.protocol.fail(1011, "no");
    session.protocol.transportClosed();
    session.receive([new Peer(role).close(1000)]);
    expect(session.protocol).toMatchObject({ readyState: "closed", closeCode: 1006, wasClean: false });
    expect(session.takeSent()).toEqual([]);
    expect(session.events).toEqual([]);
  });
});
