import { expect } from "vitest";
import { WHY, type Outcome, type Sent } from "../helpers/outcome.ts";
import { Peer, concat, latin1, readFrames, type Role } from "../helpers/wire.ts";
import { shown } from "./agent/data.mjs";
import { answersOf, extensionNames, followed, type Case } from "./case.ts";
import type { Agent, Log } from "./party.ts";
import type { RawServer } from "./raw.ts";
import { Raw, openingRequest, openingResponse } from "./raw.ts";

/** How the bytes are cut; the first segment begins with the opening handshake where it says so. */
interface Cut {
  readonly name: string;
  readonly segments: readonly Uint8Array[];
  readonly isWithHandshake?: boolean;
}

function cutsOf(bytes: Uint8Array): Cut[] {
  const third = Math.ceil(bytes.length / 3);
  const cuts: Cut[] = [
    { name: "whole", segments: [bytes] },
    { name: "behind the handshake in one segment", segments: [bytes], isWithHandshake: true },
    { name: "in three", segments: [0, 1, 2].map((i) => bytes.subarray(i * third, (i + 1) * third)) },
  ];
  if (bytes.length <= 48) cuts.push({ name: "byte by byte", segments: [...bytes].map((byte) => Uint8Array.of(byte)) });
  return cuts;
}

/** What the agent's log has to be. */
function logOf({ events, closeCode, closeReason, wasClean }: Outcome, extension: string): Log {
  const happened = events
    .filter(([kind]) => kind !== "closeDone")
    .map((event) => (event[0] === "failed" ? event : ([event[0], shown(event[1]!)] as const)));
  return [["open", "", extension], ...happened, ["close", closeCode, closeReason, wasClean]];
}

function framesOf(role: Role, bytes: Uint8Array): Sent[] {
  return readFrames(bytes).map(({ fin, rsv, opcode, key, payload }): Sent => {
    if ((key !== undefined) !== (role === "client")) expect.fail("A frame is masked, or not, against §5.1.");
    if (opcode !== 8 || !fin || rsv || payload.length === 1) return [(fin ? 0x80 : 0) | rsv | opcode, latin1(payload)];
    if (payload.length === 0) return ["close", undefined, ""];
    return ["close", payload[0]! * 256 + payload[1]!, Buffer.from(payload.subarray(2)).toString()];
  });
}

let lastKey = 0;

/** Plays a case with an agent, however its bytes are cut, all at once. */
export async function play(agent: Agent, role: Role, clients: RawServer, one: Case): Promise<void> {
  const peer = new Peer(role);
  const frames = one.frames(peer);
  const { late, outcome } = followed(peer, one);
  const cuts = cutsOf(concat(frames));
  const keys = cuts.map(() => `${++lastKey}`);
  const raws = await Promise.all(
    cuts.map((cut, i) => playCut(agent, role, clients, one, cut, keys[i]!, concat(late), outcome)),
  );
  const logs = await agent.finished(...keys);
  for (const [i, { name }] of cuts.entries()) {
    const raw = raws[i]!;
    const [failed] = logs[i]!.filter(([kind]) => kind === "failed");
    // The reason it gives is its own affair, as long as it tells both sides the same.
    const log = logs[i]!.map((entry) => (entry === failed ? entry.slice(0, 3) : entry));
    const sent = framesOf(role, raw.bytes).map((frame): Sent => {
      const isWhy = frame[0] === "close" && failed && frame[2] !== "" && String(failed[3]).includes(frame[2]);
      return isWhy ? ["close", frame[1], WHY] : frame;
    });
    expect({ log, sent, error: raw.error }, name).toEqual({
      log: logOf(outcome, one.extension ? extensionNames[one.extension] : ""),
      sent: answersOf(outcome),
      error: undefined,
    });
    raw.socket.destroy();
  }
}

async function playCut(
  agent: Agent,
  role: Role,
  clients: RawServer,
  { limits, extension }: Case,
  { segments, isWithHandshake = false }: Cut,
  key: string,
  late: Uint8Array,
  { readyState, wasClean }: Outcome,
): Promise<Raw> {
  const options = { ...limits, ...(extension && { extensions: [extension] }) };
  let raw: Raw;
  let handshake: string;
  const field = extension ? { "Sec-WebSocket-Extensions": extensionNames[extension] } : {};
  if (role === "server") {
    const { port } = await agent.serve(options);
    raw = Raw.connect(port);
    handshake = openingRequest(key, field);
  } else {
    await agent.connect(key, clients.url(key), { options });
    raw = await clients.client(key);
    handshake = openingResponse(raw, extension ? `Sec-WebSocket-Extensions: ${extensionNames[extension]}\r\n` : "");
  }
  if (isWithHandshake) {
    const [first, ...others] = segments;
    await raw.write(concat([Buffer.from(handshake, "latin1"), first!]), ...others);
  } else {
    await raw.write(handshake);
  }
  if (role === "server" && !(await raw.readHead()).startsWith("HTTP/1.1 101 ")) expect.fail(raw.head);
  if (!isWithHandshake) await raw.write(...segments);
  await raw.write(late);
  // §7.1.1: the server ends TCP first, unless the connection failed or is given up.
  if (readyState === "open") raw.end();
  else if (role === "client" && wasClean) await raw.until(() => raw.hasEnded || hasClose(raw.bytes));
  else await raw.until(() => raw.hasEnded);
  raw.end();
  await raw.until(() => raw.hasEnded);
  return raw;
}

/** The last of the frames is a Close. */
function hasClose(bytes: Uint8Array): boolean {
  try {
    return readFrames(bytes).at(-1)?.opcode === 8;
  } catch {
    return false;
  }
}
