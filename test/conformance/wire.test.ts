import { describe, expect, it } from "vitest";
import { acceptOf, request, sampleKey } from "../helpers/raw-peer.ts";
import { Peer, concat, readFrames } from "../helpers/wire.ts";
import { messageOf, shown } from "./agent/data.mjs";
import { agents, clients, startAgents } from "./agents.ts";
import type { Agent, ConnectOptions, Log, PartyOptions, Script } from "./party.ts";
import { Raw, RawServer, frameCount, openingRequest, openingResponse } from "./raw.ts";

startAgents();

interface Recording {
  readonly bytes: Buffer;
  readonly log?: Log;
}

/** Has each runtime do the same, and answers what they all sent: every byte has to be equal. */
async function onAll(record: (agent: Agent) => Promise<Recording>): Promise<Recording> {
  const recordings: Recording[] = [];
  // One after the other, since they ask for the same path of the same server.
  for (const agent of agents) recordings.push(await record(agent));
  const [first] = recordings;
  for (const [i, { bytes, log }] of recordings.entries()) {
    const at = bytes.findIndex((byte, place) => byte !== first!.bytes[place]);
    const from = Math.max(0, (at < 0 ? Math.min(bytes.length, first!.bytes.length) : at) - 20);
    const around = (all: Buffer): string =>
      `${all.length} bytes, from ${from}: ${all.toString("latin1", from, from + 80)}`;
    if (!bytes.equals(first!.bytes)) expect(around(bytes), agents[i]!.name).toBe(around(first!.bytes));
    expect(log, agents[i]!.name).toEqual(first!.log);
  }
  return first!;
}

const sizes = [0, 1, 125, 126, 65_535, 65_536];
/** All that a side can send, each opcode, and each form of length. */
const saying: Script = [
  ["await", "text"],
  ["send", ...sizes.map((ascii) => ({ ascii })), { text: 1000 }],
  ["send", ...sizes.map((bytes) => ({ bytes }))],
  ["fragments", ["one", "", { text: 500 }], "between"],
  ["fragments", [{ bytes: 65_536 }, { bytes: 0 }]],
  ["ping", ""],
  ["ping", "p".repeat(125)],
  ["pong", "unasked"],
];
const lengths = [...sizes, Buffer.byteLength(messageOf({ text: 1000 })), ...sizes, 3, 7, 0];
const opcodes = [...Array<number>(7).fill(1), ...Array<number>(6).fill(2), 1, 9, 0, 0, 2, 0, 9, 9, 10];

/** What the peer of that dialogue sends. */
const asking = (peer: Peer): Uint8Array =>
  concat([peer.ping("asked"), peer.pong(), ...peer.fragments(2, ["a", "b"]), peer.ping(), peer.text("go on")]);

/** The two answers to the peer's pings, and then all that the script says. */
const count = 2 + opcodes.length;

function checkFrames(bytes: Uint8Array, close: string): void {
  const frames = readFrames(bytes);
  expect(frames.map(({ opcode }) => opcode)).toEqual([10, 10, ...opcodes, 8]);
  expect(frames.slice(2, 2 + lengths.length).map(({ payload }) => payload.length)).toEqual(lengths);
  expect(shown(frames[2 + 12]!.payload)).toBe(shown(messageOf({ bytes: 65_536 })));
  expect(Buffer.from(frames.at(-1)!.payload).toString("latin1")).toBe(close);
}

describe("a server's bytes are the same on every runtime", () => {
  const options: PartyOptions = {
    acceptProtocols: ["v1", "v2"],
    additionalHeaders: { "X-Room": "7", Server: "test" },
    path: "/dialogue",
  };
  const fields = {
    "Sec-WebSocket-Protocol": "v2, v1",
    "Sec-WebSocket-Extensions": "permessage-deflate",
    "User-Agent": "test",
  };

  async function dialogue(
    agent: Agent,
    script: Script,
    rest: (raw: Raw, peer: Peer) => Promise<void>,
  ): Promise<Recording> {
    const { port } = await agent.serve(options);
    await agent.prepare("dialogue", script);
    const raw = Raw.connect(port);
    await raw.write(openingRequest("dialogue", fields));
    await raw.readHead();
    const peer = new Peer("server");
    await raw.write(asking(peer));
    await raw.until(() => raw.hasEnded || frameCount(raw.bytes) >= count);
    await rest(raw, peer);
    await raw.until(() => raw.hasEnded);
    raw.end();
    const [log] = await agent.finished("dialogue");
    return { bytes: Buffer.concat([Buffer.from(raw.head, "latin1"), raw.bytes]), log: log! };
  }

  it("in a dialogue with every opcode and form of length, which the client closes", async () => {
    const { bytes, log } = await onAll((agent) =>
      dialogue(agent, saying, (raw, peer) => raw.write(peer.close(4321, "tschüß"))),
    );
    const head = bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 4);
    expect(head.toString()).toContain(`Sec-WebSocket-Accept: ${acceptOf(sampleKey)}\r\n`);
    expect(head.toString()).toContain("X-Room: 7\r\n");
    checkFrames(bytes.subarray(head.length), `\x10\xe1${Buffer.from("tschüß").toString("latin1")}`);
    expect(log).toEqual([
      ["open", "v2", ""],
      ["ping", "asked"],
      ["pong", ""],
      ["binary", shown("ab")],
      ["ping", ""],
      ["text", "go on"],
      ["close", 4321, "tschüß", true],
    ]);
  });

  it("and in one that the server closes", async () => {
    const script: Script = [...saying, ["close", 1001, "away"]];
    const { bytes } = await onAll((agent) =>
      dialogue(agent, script, async (raw, peer) => {
        await raw.until(() => frameCount(raw.bytes) > count);
        await raw.write(peer.close(1001, "away"));
      }),
    );
    checkFrames(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4), "\x03\xe9away");
  });

  const long = "x".repeat(9000);
  it.each([
    ["no WebSocket at all", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 426],
    ["another method", request({}, "POST /dialogue HTTP/1.1"), 405],
    ["another path", request({}, "GET /other HTTP/1.1"), 404],
    ["HTTP/1.0", request({}, "GET /dialogue HTTP/1.0"), 426],
    ["another version", request({ "Sec-WebSocket-Version": "8" }, "GET /dialogue HTTP/1.1"), 426],
    ["a short key", request({ "Sec-WebSocket-Key": "short" }, "GET /dialogue HTTP/1.1"), 400],
    ["no host", request({ Host: undefined }, "GET /dialogue HTTP/1.1"), 400],
    ["content", request({ "Content-Length": "5" }, "GET /dialogue HTTP/1.1"), 400],
    ["a long target", request({}, `GET /${long} HTTP/1.1`), 414],
    ["long fields", request({ "X-Long": [long, long] }, "GET /dialogue HTTP/1.1"), 431],
    ["nonsense", " nonsense\r\n\r\n", 400],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00", 400],
  ])("in the refusal of %s", async (_, written, status) => {
    const { bytes } = await onAll(async (agent) => {
      const raw = Raw.connect((await agent.serve(options)).port);
      await raw.write(written);
      await raw.until(() => raw.hasEnded);
      raw.end();
      await raw.until(() => raw.isClosed);
      expect(raw.error, agent.name).toBeUndefined();
      return { bytes: raw.bytes };
    });
    expect(bytes.toString("latin1", 0, 13)).toBe(`HTTP/1.1 ${status} `);
  });

  it("to a client that never finishes its request", async () => {
    const { bytes } = await onAll(async (agent) => {
      const raw = Raw.connect((await agent.serve({ handshakeTimeout: 100 })).port);
      await raw.write("GET / HTTP/1.1\r\n");
      await raw.until(() => raw.hasEnded);
      raw.end();
      return { bytes: raw.bytes };
    });
    expect(bytes.toString("latin1")).toMatch(/^HTTP\/1.1 408 /);
  });
});

describe("a client's bytes are the same on every runtime", () => {
  const fields = "Sec-WebSocket-Protocol: v2\r\n";
  const options: ConnectOptions = {
    options: { acceptProtocols: ["v1", "v2"], additionalHeaders: { "X-Room": "7", Origin: "http://example" } },
    isRandomnessFixed: true,
  };

  async function dialogue(
    agent: Agent,
    script: Script,
    rest: (raw: Raw, peer: Peer) => Promise<void>,
  ): Promise<Recording> {
    const key = "dialogue";
    await agent.connect(key, clients.url(key).replace("//", "//ann:secret@"), { ...options, script });
    const raw = await clients.client(key);
    const peer = new Peer("client");
    await raw.write(openingResponse(raw, fields));
    await raw.write(asking(peer));
    await raw.until(() => raw.hasEnded || frameCount(raw.bytes) >= count);
    await rest(raw, peer);
    await raw.until(() => frameCount(raw.bytes) > count);
    raw.end();
    await raw.until(() => raw.hasEnded);
    const [log] = await agent.finished(key);
    return { bytes: Buffer.concat([Buffer.from(raw.head, "latin1"), raw.bytes]), log: log! };
  }

  it("in a dialogue with every opcode and form of length, which the server closes", async () => {
    const { bytes, log } = await onAll((agent) => dialogue(agent, saying, (raw, peer) => raw.write(peer.close(1000))));
    checkFrames(bytes.subarray(bytes.indexOf("\r\n\r\n") + 4), "\x03\xe8");
    expect(log!.at(-1)).toEqual(["close", 1000, "", true]);
  });

  it("and in one that the client closes", async () => {
    const script: Script = [...saying, ["close", 3000, "enough"]];
    const { bytes } = await onAll((agent) =>
      dialogue(agent, script, async (raw, peer) => {
        await raw.until(() => frameCount(raw.bytes) > count);
        await raw.write(peer.close(3000, "enough"));
      }),
    );
    const head = bytes.toString("latin1", 0, bytes.indexOf("\r\n\r\n") + 4);
    expect(head).toMatch(/^GET \/dialogue HTTP\/1.1\r\nHost: 127.0.0.1:\d+\r\n/);
    expect(head).toContain(`Authorization: Basic ${Buffer.from("ann:secret").toString("base64")}\r\n`);
    expect(head).toContain("Sec-WebSocket-Protocol: v1, v2\r\n");
    checkFrames(bytes.subarray(head.length), "\x0b\xb8enough");
  });

  it.each([
    ["a refusal with its body", "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nNope", "ERR_HANDSHAKE_REFUSED"],
    ["a redirect", "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n", "ERR_HANDSHAKE_REFUSED"],
    ["a body that ends with the stream", "HTTP/1.1 500 Oops\r\n\r\nBroken", "ERR_HANDSHAKE_REFUSED"],
    ["what is no HTTP", "SSH-2.0-test\r\n\r\n", "ERR_HANDSHAKE_HEAD"],
    [
      "a wrong accept value",
      "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
      "ERR_HANDSHAKE_RESPONSE",
    ],
    ["nothing but the end", "", "ERR_CONNECT"],
  ])("and so is what it makes of %s", async (name, written, code) => {
    const { log } = await onAll(async (agent) => {
      const key = `${agent.name}/${encodeURIComponent(name)}`;
      await agent.connect(key, clients.url(key));
      const raw = await clients.client(key);
      await raw.write(written);
      raw.end();
      await raw.until(() => raw.hasEnded);
      return { bytes: raw.bytes, log: (await agent.finished(key))[0]! };
    });
    expect(log).toEqual([
      ["failed", 0, code, expect.any(String)],
      ["close", 1006, "", false],
    ]);
  });

  it("and of a server that never answers", async () => {
    const { log } = await onAll(async (agent) => {
      const key = `${agent.name}/silence`;
      await agent.connect(key, clients.url(key), { options: { handshakeTimeout: 100 } });
      const raw = await clients.client(key);
      await raw.until(() => raw.hasEnded);
      raw.end();
      return { bytes: raw.bytes, log: (await agent.finished(key))[0]! };
    });
    expect(log![0]![2]).toBe("ERR_HANDSHAKE_TIMEOUT");
  });

  it("and of a port that nobody listens on", async () => {
    const gone = await RawServer.listen();
    const url = gone.url("");
    gone.close();
    const logs = await Promise.all(
      agents.map(async (agent) => {
        await agent.connect("refused", url);
        return (await agent.finished("refused"))[0]!;
      }),
    );
    for (const [failed, close] of logs) {
      // The rest of the message is the runtime's own.
      expect(failed!.slice(0, 3)).toEqual(["failed", 0, "ERR_CONNECT"]);
      expect(close).toEqual(["close", 1006, "", false]);
    }
  });
});
