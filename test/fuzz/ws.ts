import * as fc from "fast-check";
import * as ws from "ws";
import { same } from "../helpers/decoding.ts";
import type { Event } from "../helpers/outcome.ts";
import { Session } from "../helpers/session.ts";
import type { Peer } from "../helpers/wire.ts";
import { bytesOf, concat, frame, latin1, type Role } from "../helpers/wire.ts";
import type { Rules } from "./model.ts";
import { property } from "./property.ts";
import { anyCuts, anyRole, cutAt, streamFor } from "./streams.ts";

/** What one who receives has come to. */
export interface Verdict {
  /** Messages, Pings and Pongs. */
  readonly events: readonly Event[];
  readonly end: readonly ["open"] | readonly ["closed", number, string] | readonly ["failed", number];
  /** Why it failed. */
  readonly why: string;
}

export interface Input {
  readonly role: Role;
  readonly rules: Rules;
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
}

// Its types leave it out.
interface Receiver {
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): void;
  on(event: "ping" | "pong", listener: (data: Uint8Array) => void): void;
  on(event: "conclude", listener: (code: number, reason: Uint8Array) => void): void;
  /** What a stream's `write` does, without its queue. */
  _write(chunk: Buffer, encoding: string, done: (error?: Error) => void): void;
}
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Receiver };

/** What `ws` comes to; its receiver alone, which is where it keeps the rules of §5. */
export function verdictOfWs({ role, rules, bytes, cuts }: Input): Verdict {
  const events: Event[] = [];
  let end: Verdict["end"] = ["open"];
  let why = "";
  const { maxLength: maxPayload, maxFragments } = rules;
  const receiver = new Receiver({ isServer: role === "server", maxPayload, maxFragments });
  receiver.on("message", (data, isBinary) => {
    events.push(isBinary ? ["binary", latin1(data)] : ["text", data.toString()]);
  });
  receiver.on("ping", (data) => void events.push(["ping", latin1(data)]));
  receiver.on("pong", (data) => void events.push(["pong", latin1(data)]));
  receiver.on("conclude", (code, reason) => (end = ["closed", code, reason.toString()]));
  for (const chunk of cutAt(bytes, cuts)) {
    // It unmasks where the bytes lie.
    receiver._write(Buffer.from(chunk), "buffer", (error) => {
      if (!error) return;
      const key = Object.getOwnPropertySymbols(error).find(({ description }) => description === "status-code");
      end = ["failed", (error as unknown as Record<symbol, number>)[key!]!];
      why = error.message;
    });
    if (end[0] !== "open") break;
  }
  return { events, end, why };
}

/** What hybi comes to. */
export function verdictOfHybi({ role, rules, bytes, cuts }: Input): Verdict {
  const session = new Session(role, { limits: rules }).receive(cutAt(bytes, cuts));
  const { protocol, events } = session;
  // Gives its memory back.
  protocol.transportClosed();
  const last = events.at(-1);
  if (last?.[0] === "failed")
    return { events: events.slice(0, -1), end: ["failed", last[1]], why: session.errors[0]!.message };
  if (last?.[0] === "closeDone")
    return { events: events.slice(0, -1), end: ["closed", protocol.closeCode, protocol.closeReason], why: "" };
  return { events, end: ["open"], why: "" };
}

/** A way in which hybi and `ws` differ on purpose. */
export interface Difference {
  readonly name: string;
  readonly reason: string;
  /** Who can see it, if not both. */
  readonly role?: Role;
  /** Whether this is what sets these two apart. */
  readonly explains: (hybi: Verdict, ws: Verdict) => boolean;
  /** Bytes for the receiver of a role that show it. */
  readonly example: (peer: Peer) => { bytes: Uint8Array; rules?: Partial<Rules> };
}

const hasFailed = ({ end, why }: Verdict, code: number, text = ""): boolean =>
  end[0] === "failed" && end[1] === code && why.includes(text);
const isOpen = ({ end }: Verdict): boolean => end[0] === "open";

export const differences: readonly Difference[] = [
  {
    name: "a length that is not in its shortest form",
    reason: "§5.2: the minimal number of bytes MUST be used. ws takes any.",
    explains: (hybi) => hasFailed(hybi, 1002, "shortest form"),
    example: (peer) => ({ bytes: concat([peer.text("before"), peer.text("Hi", { form: 16 }), peer.ping("behind")]) }),
  },
  {
    name: "a text that is not UTF-8, before its message is whole",
    reason:
      "§8.1 lets a receiver fail at the first bad byte; ws looks at a message when it is whole, and so perhaps never.",
    explains: (hybi) => hasFailed(hybi, 1007, "text message"),
    example: (peer) => ({ bytes: concat([peer.text([0xff], { fin: false }), peer.ping("inside")]) }),
  },
  {
    name: "a length of 64 bits with the top bit set",
    reason: "§5.2: the bit MUST be 0, which is against the protocol; ws says that such a message is too long.",
    explains: (hybi, ws) => hasFailed(hybi, 1002, "top bit") && hasFailed(ws, 1009),
    example: (peer) => ({ bytes: peer.binary("", { announced: 2n ** 63n }) }),
  },
  {
    name: "more empty fragments in a row than 16",
    reason: "They cost a peer next to nothing; ws counts only fragments as such.",
    explains: (hybi) => hasFailed(hybi, 1008, "empty"),
    example: (peer) => ({ bytes: concat(peer.fragments(1, Array<string>(18).fill(""))) }),
  },
  {
    name: "a fragment too many whose payload is still to come",
    reason: "hybi counts a fragment by its header, ws once it is whole.",
    explains: (hybi, ws) => hasFailed(hybi, 1008, "maxFragments") && isOpen(ws),
    example: (peer) => ({
      bytes: concat([peer.text("a", { fin: false }), peer.continuation("bc").subarray(0, -1)]),
      rules: { maxFragments: 1 },
    }),
  },
  {
    name: "a Close frame of one byte that is still to come",
    reason: "ws knows by the header that the byte is no status code; hybi reads the frame first.",
    explains: (hybi, ws) => isOpen(hybi) && hasFailed(ws, 1002, "payload length 1"),
    example: (peer) => ({ bytes: peer.frame(8, [3]).subarray(0, -1) }),
  },
  {
    name: "a length past the limit, before the masking key",
    reason: "hybi judges a header when all of it is there.",
    role: "server",
    explains: (hybi, ws) => isOpen(hybi) && hasFailed(ws, 1009),
    example: () => ({ bytes: frame(2, bytesOf("~".repeat(200)), { key: [1, 2, 3, 4] }).subarray(0, 7) }),
  },
];

const inputs: fc.Arbitrary<Input> = anyRole.chain((role) =>
  fc.record({
    role: fc.constant(role),
    // To ws a maxPayload of 0 is none.
    rules: fc.record({ maxLength: fc.constantFrom(1, 10, 100, 1000, 0x3ffffff), maxFragments: fc.constantFrom(1, 2, 5, 65536) }), // prettier-ignore
    bytes: streamFor(role),
    cuts: anyCuts,
  }),
);

/** The same verdict, or a known difference, up to which both report the same. */
function check(input: Input): void {
  const hybi = verdictOfHybi(input);
  const other = verdictOfWs(input);
  const isExplained = differences.some(({ explains }) => explains(hybi, other));
  if (!isExplained) return same([hybi.events, hybi.end], [other.events, other.end], "hybi and ws");
  same(hybi.events, other.events.slice(0, hybi.events.length), "hybi and ws, up to where they differ");
}

export const besideWs = property("ws: the same verdict as its receiver, but for what is known", 1500, inputs, check);
