import { reference, unlimited } from "../helpers/decoding.ts";
import type { Event } from "../helpers/outcome.ts";
import { latin1, type Role } from "../helpers/wire.ts";
import { model } from "./model.ts";

/** Something that was observed, and what it should have been. */
export interface Finding {
  readonly what: string;
  readonly actual: unknown;
  readonly expected: unknown;
}

/** What went over and what was told of it. What is sent here begins with a number, each higher than the one before. */
export interface DriverRecord {
  readonly role: Role;
  /** The peer's frames. */
  readonly fromPeer: Uint8Array;
  /** What the peer was sent. */
  readonly frames: Uint8Array;
  /** By listeners. */
  readonly heard: readonly Event[];
  /** By those who read. */
  readonly taken: readonly (readonly Event[])[];
  /** The numbers of the sends whose callbacks say that they left. */
  readonly sentCallbacks: readonly number[];
  /** The numbers of the Pings whose callbacks say that they were answered. */
  readonly pingCallbacks: readonly number[];
  /** The highest number among the Pings that were answered. */
  readonly answered: number;
}

export const otherOf = (role: Role): Role => (role === "server" ? "client" : "server");

const isMessage = ([type]: Event): boolean => type === "text" || type === "binary";
const isSame = (a: Event, b: Event): boolean => a[0] === b[0] && a[1] === b[1];

const peerEvents = ({ role, fromPeer }: DriverRecord): readonly Event[] =>
  model(role, fromPeer, { maxLength: 0x3ffffff, maxFragments: 65536 }).events;

/** What came in is the beginning of what the peer's bytes hold. */
export function receivedFindings(record: DriverRecord): Finding[] {
  const findings: Finding[] = [];
  const events = peerEvents(record);
  for (const [what, isOne] of [
    ["pings", ([type]: Event) => type === "ping"],
    ["pongs", ([type]: Event) => type === "pong"],
    ["messages", isMessage],
  ] as const) {
    const heard = record.heard.filter(isOne);
    findings.push({ what: `the ${what} heard`, actual: heard, expected: events.filter(isOne).slice(0, heard.length) });
  }
  // Between two reads a listener is alone, so that those who read may miss some.
  const messages = events.filter(isMessage);
  for (const taken of record.taken)
    findings.push({
      what: "the messages read, in their order",
      actual: inOrder(taken, messages, isSame),
      expected: true,
    });
  return findings;
}

/** Whether all of `some` stand in `all`, one behind the other. */
function inOrder<T>(some: readonly T[], all: readonly T[], isOne: (a: T, b: T) => boolean): boolean {
  let at = 0;
  for (const one of some) {
    while (at < all.length && !isOne(one, all[at]!)) at++;
    if (at++ === all.length) return false;
  }
  return true;
}

const numbersIn = (text: string): number[] => [...text.matchAll(/(\d+):/g)].map((match) => Number(match[1]));

/** What went out is a stream of frames, with what was sent in its order, and nothing behind the Close frame. */
export function sentFindings(record: DriverRecord): Finding[] {
  const { role, frames, sentCallbacks, pingCallbacks, answered } = record;
  const findings: Finding[] = [];
  const other = otherOf(role);
  const outcome = model(other, frames, unlimited(other));
  const isBroken = outcome.events.at(-1)?.[0] === "failed";
  findings.push({ what: "the frames sent", actual: isBroken ? latin1(frames) : "valid", expected: "valid" });
  const messages = outcome.events
    .filter(isMessage)
    .map((event) => event[1])
    .join("");
  findings.push({ what: "the messages sent", actual: /^(\d+:~*)*$/.test(messages), expected: true });
  const numbers = numbersIn(messages);
  findings.push({ what: "the order of what was sent", actual: numbers, expected: numbers.toSorted((a, b) => a - b) });
  // With those whose message is not finished.
  const payloads = reference(frames, unlimited(other)).events.map(({ data }) => data);
  const sent = numbersIn(payloads.join(" "));
  for (const number of sentCallbacks)
    findings.push({ what: `${number} was sent, as its callback says`, actual: sent.includes(number), expected: true });
  for (const number of pingCallbacks)
    findings.push({
      what: `Ping ${number} was answered, as its callback says`,
      actual: number <= answered,
      expected: true,
    });
  // Each Pong answers a Ping, in their order, but for those that were asked for here.
  const pongs = outcome.events.filter(([type, payload]) => type === "pong" && !/^\d+:~*$/.test(payload));
  const pings = peerEvents(record).filter(([type]) => type === "ping");
  const areAnswers = inOrder(pongs, pings, (pong, ping) => pong[1] === ping[1]);
  findings.push({ what: "Pongs, each for a Ping", actual: areAnswers, expected: true });

  const close = outcome.sent[0];
  if (isBroken || close?.[0] !== "close") return findings;
  const length = close[1] === undefined ? 0 : 2 + Buffer.byteLength(close[2]);
  const start = frames.length - length - (role === "client" ? 6 : 2);
  const header = [0x88, (role === "client" ? 0x80 : 0) | length];
  const actual = [...frames.subarray(start, start + 2)];
  findings.push({ what: "the Close frame, with nothing behind it", actual, expected: header });
  return findings;
}
