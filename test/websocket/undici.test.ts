import { WebSocket as Undici } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "../../src/websocket.ts";
import { EventLog, event, thrownName } from "../helpers/face.ts";
import { RawServer, closePayload, frame, op, type RawPeer } from "../helpers/raw-peer.ts";

/**
 * Two that were written apart, from the same standard. Where undici goes another way the standard is clear, and other tests
 * hold ours to it: its close() overtakes a Blob, it takes a BigInt for a code, and some handshakes it never gives up.
 */
const makers: readonly (new (url: string, protocols?: string | string[]) => WebSocket)[] = [
  WebSocket,
  Undici as unknown as typeof WebSocket,
];

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

interface Course {
  readonly events: unknown[];
  readonly sent: unknown[];
}

/** What a client makes of what the server does, and what it has sent. */
type Play = (ws: WebSocket) => Promise<RawPeer>;

async function courseOf(Maker: (typeof makers)[number], play: Play, protocols: string[] = []): Promise<Course> {
  const ws = new Maker(raw.url, protocols);
  ws.binaryType = "arraybuffer";
  const log = new EventLog(ws);
  const peer = await play(ws);
  const sent: unknown[] = [];
  for (let isOver = false; !isOver;) {
    const next = await peer.readFrame().catch(() => undefined);
    if (next) sent.push([next.fin, next.opcode, next.payload.toString("latin1")]);
    isOver = !next || next.opcode === op.close;
    if (next && isOver) peer.write(down(op.close, next.payload));
  }
  peer.end();
  const close = await log.closed();
  const events = log.entries.map(({ event, readyState }) => [
    event.type,
    readyState,
    ...(event.type === "message" ? shown(event as MessageEvent) : []),
  ]);
  return { events: [...events, close], sent };
}

const shown = ({ data, origin }: MessageEvent): unknown[] => [
  data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data,
  origin,
];

const down = (opcode: number, payload: string | Uint8Array = "", rsv = 0): Buffer =>
  frame(opcode, payload, { mask: false, rsv });

/** The server opens, and writes so. */
const writes =
  (...frames: Buffer[]): Play =>
  () =>
    raw.open("", Buffer.concat(frames));

/** The server answers the opening handshake so. */
const answers =
  (answer: string): Play =>
  async () => {
    const { peer } = await raw.request();
    peer.write(answer);
    return peer;
  };

/** The client does so once it is open. */
const does =
  (act: (ws: WebSocket) => void): Play =>
  async (ws) => {
    const [peer] = await Promise.all([raw.open(), event(ws, "open")]);
    act(ws);
    return peer;
  };

const plays: Record<string, Play> = {
  "a close of the server's": writes(down(op.close, closePayload(1001, "für dich"))),
  "a close of the server's without a code": writes(down(op.close)),
  "messages, then a close": writes(
    down(op.text, "1"),
    down(op.binary, Uint8Array.of(2)),
    down(op.text),
    down(op.close, closePayload(4999)),
  ),
  "a reserved bit": writes(down(op.text, "1"), down(op.text, "2", 0x20)),
  "an unknown opcode": writes(down(3)),
  "a masked frame": writes(frame(op.text, "1")),
  "an invalid close code": writes(down(op.close, closePayload(1005))),
  "text that is no UTF-8": writes(down(op.text, Uint8Array.of(0xc0))),
  "everything that can be sent": does((ws) => {
    ws.send("aü\ud800");
    ws.send(Uint8Array.of(1, 2, 3).subarray(1));
    ws.send(new ArrayBuffer(3));
    ws.send(5 as unknown as string);
    ws.send("");
    ws.close();
  }),
  "close()": does((ws) => ws.close()),
  "close() with a code": does((ws) => ws.close(3000)),
  "close() with a code and a reason": does((ws) => ws.close(4000, "a\ud800")),
};

const refusals: Record<string, Play> = {
  "a refusal": answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
  "a redirection": answers("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
};

/** Attempts that throw, or not, for the same reasons. */
const urls = ["", "/x", "ftp://x/", "ws://x:99999/", "ws://x/#", "ws://[::1/", "mailto:a@b"];
const protocols: unknown[] = ["", "a b", "a,b", "ü", ["a", "a"], ["a", "A"], ["a", ""], [Symbol("x")], Symbol("x")];
const closings: unknown[][] = [[0], [null], [NaN], [999], [1001], [2999], [5000], [1000, "x".repeat(124)]];

describe("beside undici", () => {
  it.each(Object.entries(plays))("%s", async (_name, play) => {
    const [ours, theirs] = [await courseOf(makers[0]!, play), await courseOf(makers[1]!, play)];
    const known = (course: Course): Course => ({
      ...course,
      // What a failed connection still tells the peer, undici says in other words, or not at all.
      sent: course.sent.filter((sent) => (sent as unknown[])[1] !== op.close || course.events.length < 3),
    });
    expect(known(ours)).toEqual(known(theirs));
    expect(ours.events.length).toBeGreaterThan(1);
  });

  it.each(Object.entries(refusals))("%s", async (_name, play) => {
    const [ours, theirs] = [await courseOf(makers[0]!, play, ["a"]), await courseOf(makers[1]!, play, ["a"])];
    expect(ours.events).toEqual(theirs.events);
  });

  it("what is refused", () => {
    const [ours, theirs] = makers.map((Maker) => {
      const ws = new Maker(raw.url);
      const outcomes = [
        ...urls.map((url) => thrownName(() => new Maker(url))),
        ...protocols.map((given) => thrownName(() => new Maker(raw.url, given as string))),
        ...closings.map((given) => thrownName(() => ws.close(...(given as [number])))),
        thrownName(() => ws.send("x")),
        thrownName(() => (ws.send as () => void)()),
      ];
      ws.close();
      return outcomes;
    });
    expect(ours).toEqual(theirs);
    expect(ours).not.toContain("nothing");
  });
});
