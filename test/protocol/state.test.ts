import { afterAll, describe, expect, it } from "vitest";
import { SLOT_COUNT } from "../../assembly/layout.ts";
import { ConnectionError } from "../../src/errors.ts";
import { Protocol } from "../../src/protocol/protocol.ts";
import { next, readyStateOf, type State, type Transition } from "../../src/protocol/state.ts";
import { codecs } from "../helpers/codecs.ts";
import { unlimited } from "../helpers/decoding.ts";
import { SlotDecoder } from "../helpers/slot-decoder.ts";
import { Session, defaultLimits, roles } from "../helpers/session.ts";
import { Peer, bytesOf, type Role } from "../helpers/wire.ts";

const states: readonly State[] = ["connecting", "open", "closeSent", "closeReceived", "closeDone", "failed", "closed"];
const transitions: readonly Transition[] = ["opened", "closeSent", "closeReceived", "failed", "transportClosed"];

/** What RFC 6455 lets a connection do, each with its section. */
const moves: readonly (readonly [from: State, transition: Transition, to: State, section: string])[] = [
  ["connecting", "opened", "open", "§4.1"],
  ["connecting", "failed", "failed", "§4.1: the client must _Fail the WebSocket Connection_"],
  ["open", "closeSent", "closeSent", "§7.1.2"],
  ["open", "closeReceived", "closeReceived", "§7.1.3"],
  ["open", "failed", "failed", "§7.1.7"],
  ["closeSent", "closeReceived", "closeDone", "§7.1.2: after both sending and receiving a Close"],
  ["closeSent", "failed", "failed", "§7.1.7"],
  ["closeReceived", "closeSent", "closeDone", "§5.5.1: the endpoint must send a Close in response"],
  // §7.1.4, and §7.1.1: the transport may go at any time
  ...states
    .filter((state) => state !== "closed")
    .map((state) => [state, "transportClosed", "closed", "§7.1.4"] as const),
];

describe("the table of states", () => {
  const every = states.flatMap((from) => transitions.map((transition) => ({ from, transition })));
  it.each(every)("$transition in $from moves as the RFC says, or throws", ({ from, transition }) => {
    const move = moves.find((each) => each[0] === from && each[1] === transition);
    if (move) expect(next(from, transition)).toBe(move[2]);
    else expect(() => next(from, transition)).toThrow(new RegExp(`${transition}.*${from}`));
  });

  it.each([
    ["connecting", "connecting"],
    ["open", "open"],
    // §7.1.3: closing, from the first Close frame or the failure on
    ["closeSent", "closing"],
    ["closeReceived", "closing"],
    ["closeDone", "closing"],
    ["failed", "closing"],
    ["closed", "closed"],
  ] as const)("%s is %s to the user", (state, readyState) => {
    expect(readyStateOf(state)).toBe(readyState);
  });
});

/** A protocol before its opening handshake is done. */
function connecting(role: Role, codec = codecs[0]!): { protocol: Protocol; events: string[] } {
  const events: string[] = [];
  const log = (name: string) => () => void events.push(name);
  const protocol = new Protocol(
    { role, codec, ...defaultLimits, maskingKey: role === "client" ? () => 1 : undefined },
    {
      message: log("message"),
      ping: log("ping"),
      pong: log("pong"),
      closeDone: log("closeDone"),
      failed: log("failed"),
    },
  );
  return { protocol, events };
}

describe.each(roles)("readyState at each step, as a %s", (role) => {
  const peer = new Peer(role);
  const reason = bytesOf("r");

  it("connecting: nothing is heard, sent or closed; it holds no slot", () => {
    const before = codecs[0]!.slotsTaken;
    const { protocol, events } = connecting(role);
    expect(protocol.readyState).toBe("connecting");
    expect(protocol.inputIsOver).toBe(false);
    protocol.receive(peer.text("too early"));
    protocol.close(1000, reason);
    protocol.fail(1002, "too early");
    expect(protocol).toMatchObject({ readyState: "connecting", closeCode: 1006, closeReason: "", wasClean: false });
    expect(protocol.outbox).toBeUndefined();
    expect(events).toEqual([]);
    expect(codecs[0]!.slotsTaken).toBe(before);
  });

  it("open, then closing and closed by this side", () => {
    const { protocol, events } = connecting(role);
    const before = codecs[0]!.slotsTaken;
    protocol.open();
    expect(protocol).toMatchObject({ readyState: "open", inputIsOver: false });
    expect(codecs[0]!.slotsTaken).toBe(before + 1);
    protocol.close(1000, reason);
    expect(protocol).toMatchObject({ readyState: "closing", inputIsOver: false, closeCode: 1006 });
    protocol.receive(peer.close(1000));
    expect(protocol).toMatchObject({ readyState: "closing", inputIsOver: true, closeCode: 1000, wasClean: false });
    protocol.transportClosed();
    expect(protocol).toMatchObject({ readyState: "closed", inputIsOver: true, closeCode: 1000, wasClean: true });
    expect(codecs[0]!.slotsTaken).toBe(before);
    protocol.transportClosed();
    expect(codecs[0]!.slotsTaken).toBe(before);
    expect(events).toEqual(["closeDone"]);
  });

  it("open, then closing by the peer", () => {
    const { protocol } = connecting(role);
    protocol.open();
    protocol.receive(peer.close(1001, "away"));
    expect(protocol).toMatchObject({ readyState: "closing", inputIsOver: true, closeCode: 1001, closeReason: "away" });
    protocol.transportClosed();
    expect(protocol).toMatchObject({ readyState: "closed", wasClean: true });
  });

  it("open, then failed", () => {
    const { protocol, events } = connecting(role);
    protocol.open();
    protocol.receive(peer.frame(3));
    expect(protocol).toMatchObject({ readyState: "closing", inputIsOver: true, closeCode: 1006 });
    protocol.transportClosed();
    expect(protocol).toMatchObject({ readyState: "closed", closeCode: 1006, wasClean: false });
    expect(events).toEqual(["failed"]);
  });

  it("closed before it was open", () => {
    const before = codecs[0]!.slotsTaken;
    const { protocol } = connecting(role);
    protocol.transportClosed();
    expect(protocol).toMatchObject({ readyState: "closed", closeCode: 1006, wasClean: false, inputIsOver: true });
    expect(codecs[0]!.slotsTaken).toBe(before);
  });

  it("it opens once: again, or once it is closed, throws and takes no slot", () => {
    const before = codecs[0]!.slotsTaken;
    const twice = connecting(role).protocol;
    twice.open();
    expect(() => twice.open()).toThrow("opened");
    expect(codecs[0]!.slotsTaken).toBe(before + 1);
    twice.receive(peer.text("still works"));
    expect(twice.readyState).toBe("open");
    twice.transportClosed();
    expect(codecs[0]!.slotsTaken).toBe(before);
    expect(() => twice.open()).toThrow("opened");
    expect(twice.readyState).toBe("closed");
    expect(codecs[0]!.slotsTaken).toBe(before);
  });

  it("abandoned, in any state: nothing is heard or sent any more, and it is not clean", () => {
    const steps: ((protocol: Protocol) => void)[] = [
      () => undefined,
      (protocol) => protocol.close(1000, reason),
      (protocol) => protocol.receive(peer.text("begun").subarray(0, 5)),
    ];
    for (const step of steps) {
      const { protocol, events } = connecting(role);
      protocol.open();
      step(protocol);
      protocol.outbox = undefined;
      protocol.abandon();
      expect(protocol).toMatchObject({ readyState: "closing", inputIsOver: true });
      protocol.receive(peer.close(1000));
      protocol.close(1000, reason);
      protocol.fail(1011, "too late");
      expect(protocol.outbox).toBeUndefined();
      protocol.transportClosed();
      expect(protocol).toMatchObject({ readyState: "closed", closeCode: 1006, wasClean: false });
      expect(events).toEqual([]);
    }
    // Once the closing handshake is complete there is nothing to give up.
    const done = new Session(role).receive([peer.close(1000)]);
    done.protocol.abandon();
    expect(done.end()).toMatchObject({ closeCode: 1000, wasClean: true });
  });
});

describe("when the codec has no slot left", () => {
  const codec = codecs[2]!;
  const others: SlotDecoder[] = [];
  afterAll(() => others.forEach((decoder) => decoder.free()));

  it.each(roles)("open throws ERR_NO_SLOT, and works once there is one (%s)", (role) => {
    while (codec.slotsTaken < SLOT_COUNT - 1) others.push(new SlotDecoder(codec, unlimited(role)));
    const { protocol, events } = connecting(role, codec);
    expect(() => protocol.open()).toThrow(ConnectionError);
    expect(() => protocol.open()).toThrow(expect.objectContaining({ code: "ERR_NO_SLOT" }) as Error);
    expect(protocol.readyState).toBe("connecting");
    others.pop()!.free();
    protocol.open();
    expect(protocol.readyState).toBe("open");
    protocol.receive(new Peer(role).text("hello"));
    expect(events).toEqual(["message"]);
    expect(codec.slotsTaken).toBe(SLOT_COUNT - 1);
    protocol.transportClosed();
    expect(codec.slotsTaken).toBe(SLOT_COUNT - 2);
  });
});
