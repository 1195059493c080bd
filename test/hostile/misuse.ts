import { expect } from "vitest";
import { misuses, refusals, type Misuse } from "../conformance/agent/misuse.mjs";
import { Peer, concat, latin1, readFrames, type Role, type WireFrame } from "../helpers/wire.ts";
import { roles } from "../helpers/session.ts";
import { noise } from "../helpers/bytes.ts";
import { proven } from "./proven.ts";
import { closeCodeOf, closeWell, delay, type Arena, type Opened, type Table } from "./arena.ts";
import { lastFrameStart } from "../conformance/raw.ts";
import { misused } from "./misused.ts";
import type { RowName } from "./rows.ts";

type Frames = (readonly [opcode: number, payload: string])[];

/** Has a connection do what it should not; it then goes on as if nothing had been. */
async function misuse(arena: Arena, role: Role, { name }: Misuse): Promise<unknown> {
  const key = arena.newKey();
  const script = [["attempt", name]] as const;
  const raw = arena.keep(await (role === "server" ? arena.openHeard(key, script) : arena.dialHeard(key, script)));
  const peer = new Peer(role);
  await raw.write(concat([peer.ping("still"), peer.close(1000)]));
  await raw.until(() => raw.hasEnded || closeCodeOf(lastOf(raw.bytes)) !== undefined);
  raw.end();
  const [log] = await arena.agent.finished(key);
  const frames: Frames = readFrames(raw.bytes).map(({ opcode, payload }) => [opcode, latin1(payload)]);
  return { log, frames };
}

/** The last of the frames that have come, if it is whole. There may be much before it, so that is not looked at. */
function lastOf(bytes: Buffer): WireFrame[] {
  const start = lastFrameStart(bytes);
  try {
    return readFrames(bytes.subarray(start));
  } catch {
    return [];
  }
}

const outcomeOf = ({ name, throws, sent }: Misuse): unknown => ({
  log: [
    ["open", "", ""],
    ["attempted", name, ...(throws ?? [])],
    ["ping", "still"],
    ["close", 1000, "", true],
  ],
  frames: [...(sent ? [sent] : []), [10, "still"], [8, "\x03\xe8"]],
});

/** What makes a connection emit its event, and what the peer is sent by it besides. */
const triggers: Readonly<Record<string, (opened: Opened) => unknown>> = {
  open: () => undefined,
  message: ({ raw, peer }) => raw.write(concat([peer.text("m"), peer.binary(noise(10))])),
  ping: ({ raw, peer }) => raw.write(concat([peer.ping("p"), peer.text("m")])),
  pong: ({ raw, peer }) => raw.write(concat([peer.pong("p"), peer.text("m")])),
  drain: () => undefined,
  error: ({ raw, peer }) => raw.write(concat([peer.text("m"), peer.frame(3), peer.text("n")])),
  close: ({ raw, peer }) => raw.write(concat([peer.close(3000), peer.text("n")])),
};
const events = Object.keys(triggers);
const isOver = (event: string): boolean => event === "error" || event === "close";

const failing = ["throw", "throw null", "throw an object without a text", "reject", "reject later"];
const calling = ["send", "sendPing", "sendPong", "close", "terminate", "pause"];

/** The code of the Close frame that comes of a deed inside a handler. */
function closeAfter(event: string, what: string): number | undefined {
  if (what === "terminate") return undefined;
  if (event === "error") return 1002;
  if (event === "close") return 3000;
  if (what === "close") return 4000;
  return failing.includes(what) ? 1011 : 1000;
}

const isHeard = (bytes: Buffer): boolean => lastOf(bytes).some(({ payload }) => latin1(payload) === "from inside");

/** Has a handler of `event` do something: its connection ends as told, and another one is unharmed. */
async function inside(arena: Arena, role: Role, event: string, what: string): Promise<void> {
  const fill = event === "drain" ? ([["upon", "open", "fill"]] as const) : [];
  const opened = await arena.open(role, { closeTimeout: 1000, ...(event === "drain" && { highWaterMark: 1 }) }, [
    ...fill,
    ["upon", event, what],
  ]);
  const other = await arena.open(role);
  const { raw, peer } = opened;
  const hasEnded = (): boolean => raw.hasEnded || closeCodeOf(lastOf(raw.bytes)) !== undefined;
  await triggers[event]!(opened);
  // There may be megabytes to come, which are not looked through at each chunk.
  const more = (): Promise<void> => (event === "drain" ? delay(30) : raw.more());
  // A promise is rejected a moment later, a peer catches up when it does, and it must not be the first to close.
  if (!isOver(event) && what !== "pause") while (!hasEnded() && !isHeard(raw.bytes)) await more();
  const from = event === "drain" ? lastFrameStart(raw.bytes) : 0;
  // What is left of it goes on.
  await raw.write(concat([peer.ping("on"), peer.close(1000)]));
  while (!hasEnded()) await more();
  raw.end();
  await raw.until(() => raw.hasEnded);
  const frames = what === "terminate" ? [] : readFrames(raw.bytes.subarray(from));
  expect(closeCodeOf(frames)).toBe(closeAfter(event, what));
  const payloads = frames.map(({ payload }) => latin1(payload));
  if (what.startsWith("send")) expect(payloads.includes("from inside")).toBe(!isOver(event));
  await closeWell(other);
}

async function inEach(arena: Arena, role: Role, what: string): Promise<void> {
  await Promise.all(events.map((event) => inside(arena, role, event, what)));
}

export const table: Table<RowName<"Misuse of the API">> = {
  "maxLength given as 0, 2^31, 2^32 + 5, Infinity, NaN, -1: honoured or refused": [
    ...proven(/maxLength, over all/),
    misused(
      "limits that are none, and options that there are not",
      refusals.filter(({ throws }) => !/URL|HEADER|SUBPROTOCOL/.test(throws![1])),
    ),
  ],
  "wrong arguments, shared, resizable and detached memory, getters that throw: TypeError, or exactly the bytes of the view":
    roles.map((role) => ({
      name: `as a ${role}: each of ${misuses.length}, and the connection goes on`,
      async play(arena: Arena): Promise<void> {
        const outcomes = await Promise.all(misuses.map(async (one) => [one.name, await misuse(arena, role, one)]));
        expect(Object.fromEntries(outcomes)).toEqual(
          Object.fromEntries(misuses.map((one) => [one.name, outcomeOf(one)])),
        );
      },
    })),
  "a handler that throws or rejects: 1011, and the others are unharmed": roles.flatMap((role) =>
    failing.map((what) => ({
      name: `as a ${role}, in a listener of each event: ${what}`,
      play: (arena) => inEach(arena, role, what),
      complaint: /listener for/,
    })),
  ),
  "send, ping, pong, close, pause or terminate inside any handler: defined": roles.flatMap((role) =>
    calling.map((what) => ({
      name: `as a ${role}, in a listener of each event: ${what}`,
      play: (arena) => inEach(arena, role, what),
    })),
  ),
};
