import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TlsOptions } from "../../src/driver/transport.ts";
import { block } from "../conformance/agent/data.mjs";
import { Agent, type Log, type Party, type PartyOptions, type Script } from "../conformance/party.ts";
import { Raw, RawServer, openingRequest, openingResponse } from "../conformance/raw.ts";
import type { RuntimeName } from "../conformance/runtimes.ts";
import { WsParty } from "../conformance/ws-party.ts";
import { certificates } from "../helpers/certificates.ts";
import { Proxy } from "../helpers/proxy.ts";
import { frame, op } from "../helpers/raw-peer.ts";
import { roles } from "../helpers/session.ts";
import type { Role } from "../helpers/wire.ts";

/** Long enough for a peer whose process, and whose way here, share the machine with others. */
const heartbeat = { interval: 400, timeout: 2000 };
const LIFE = heartbeat.interval + heartbeat.timeout;
/** What the machine may take for it besides. */
const ALLOWANCE = 10_000;

const MIB = 1 << 20;
const LARGE = 32 * MIB;

let lastKey = 0;

/** Both sides of a connection, by a proxy. */
interface Way {
  readonly own: string;
  readonly others: string;
  readonly proxy: Proxy;
}

const pings = (log: Log): number => log.filter(([kind]) => kind === "ping").length;

/** hybi on a runtime, in both roles, against peers that are gone, slow, busy, or merely quiet. */
export function findDeadPeers(name: RuntimeName): void {
  let agent: Agent;
  const peer = new WsParty();
  const ends: (() => void)[] = [];
  let server: TlsOptions;
  let ca: string;

  beforeAll(async () => {
    // What it is compared with takes a moment to make, in which the test would be as good as dead.
    block(0, LARGE);
    const made = await certificates();
    ({ server, ca } = made);
    agent = await start();
  });
  afterAll(async () => {
    for (const end of ends) end();
    await Promise.all([agent.stop(), peer.stop()]);
  });

  const start = (): Promise<Agent> => Agent.start(name, { servers: [server], client: { ca } });

  async function connect(
    role: Role,
    own: { by?: Agent; script?: Script; options?: PartyOptions; isSecure?: boolean },
    otherScript: Script = [],
    delay = 0,
  ): Promise<Way> {
    const { by = agent, script = [], options = { heartbeat }, isSecure = false } = own;
    const [atServer, atClient] = [`s${++lastKey}`, `c${lastKey}`];
    const [serving, client] = role === "server" ? [by, peer] : ([peer, by] as [Party, Party]);
    const { port } = await serving.serve({ ...(role === "server" && options), ...(isSecure && { tls: server }) });
    const proxy = await Proxy.to(port);
    proxy.delay = delay;
    ends.push(() => proxy.close());
    const [atOwn, atOther] = role === "server" ? [atServer, atClient] : [atClient, atServer];
    await serving.prepare(atServer, role === "server" ? script : otherScript);
    await client.connect(atClient, `${isSecure ? "wss" : "ws"}://127.0.0.1:${proxy.port}/${atServer}`, {
      options: { ...(role === "client" && options), ...(isSecure && { tls: { ca } }) },
      script: role === "server" ? otherScript : script,
    });
    await look(by, atOwn, (log) => log.length > 0);
    await look(peer, atOther, (log) => log.length > 0);
    return { own: atOwn, others: atOther, proxy };
  }

  /** Waits until the log of a connection is as wanted; fails once the connection is closed without that. */
  async function look(party: Party, key: string, isThere: (log: Log) => boolean): Promise<Log> {
    for (;;) {
      const found = await party.look(key);
      if (found && isThere(found.log)) return found.log;
      if (found?.counts["close"]) expect.fail(`It was closed too early: ${JSON.stringify(found.log)}`);
    }
  }

  /** So many further Pings of the heartbeat come to the peer. */
  async function beats({ others }: Way, count: number): Promise<void> {
    const before = pings((await peer.look(others))!.log);
    await look(peer, others, (log) => pings(log) >= before + count);
  }

  const secure = [
    ["TCP", false],
    ["TLS", true],
  ] as const;

  describe.concurrent.each(roles)(`${name} as a %s`, (role) => {
    describe.concurrent.each(secure)("over %s", (_, isSecure) => {
      it("finds a peer dead that is silent, and tells all who wait, once", async () => {
        const script: Script = [
          ["signal", "ping"],
          ["pinging", "still there?"],
        ];
        const way = await connect(role, { script, isSecure });
        await beats(way, 2);
        way.proxy.silence();
        const start = performance.now();
        await agent.signal(way.own, "ping");
        const [log] = await agent.finished(way.own);
        expect(performance.now() - start).toBeLessThan(LIFE + ALLOWANCE);
        expect(log!.map(([kind]) => kind).sort()).toEqual(["answered", "close", "failed", "open"]);
        expect(log).toContainEqual(["answered", false]);
        expect(log).toContainEqual(["failed", 0, "ERR_DEAD_PEER", expect.any(String)]);
        expect(log).toContainEqual(["close", 1006, "", false]);
      });

      it("finds a peer dead that is silent while much is on its way to it", async () => {
        const script: Script = [
          ["signal", "send"],
          ["sending", { bytes: 32 * MIB }],
          ["sending", "behind it"],
        ];
        const way = await connect(role, { script, isSecure });
        way.proxy.silence();
        const start = performance.now();
        await agent.signal(way.own, "send");
        const [log] = await agent.finished(way.own);
        // A beat in which the system's own buffers were filled counts for life.
        expect(performance.now() - start).toBeLessThan(2 * LIFE + ALLOWANCE);
        expect(log!.filter(([kind]) => kind === "taken")).toEqual([["taken", false], ["taken", false]]); // prettier-ignore
        expect(log!.filter(([kind]) => kind === "failed")).toEqual([["failed", 0, "ERR_DEAD_PEER", expect.any(String)]]); // prettier-ignore
        expect(log!.filter(([kind]) => kind === "close")).toEqual([["close", 1006, "", false]]);
      });

      it("lets a peer read one large message as slowly as it likes", async () => {
        const script: Script = [
          ["signal", "send"],
          ["flood", 1, LARGE],
          ["close", 1000, "done"],
        ];
        const way = await connect(role, { script, isSecure }, [["blocks", LARGE]]);
        // Three quarters of it take many timeouts; what the systems hold at its end must not take one.
        const slow = (3 * MIB) / 1000;
        way.proxy.rate = { toClient: slow, toServer: slow, until: 24 * MIB };
        const start = performance.now();
        await agent.signal(way.own, "send");
        await look(agent, way.own, (entries) => entries.some(([kind, code]) => kind === "close" && code === 1000));
        const [log] = await agent.finished(way.own);
        expect(performance.now() - start).toBeGreaterThan(2 * heartbeat.timeout);
        expect(log).toEqual([["open", "", ""], ["close", 1000, "done", true]]); // prettier-ignore
        const [theirs] = await peer.finished(way.others);
        expect(theirs!.filter(([kind]) => kind !== "ping")).toEqual([["open", "", ""], ["close", 1000, "done", true]]); // prettier-ignore
      });
    });

    it("leaves a quiet peer alone that answers, and knows how far away it is", async () => {
      const script: Script = [["signal", "look"], ["roundTrip"], ["close", 1000]];
      const way = await connect(role, { script }, [], 50);
      await beats(way, 8);
      await agent.signal(way.own, "look");
      const [log] = await agent.finished(way.own);
      expect(log!.map(([kind]) => kind)).toEqual(["open", "roundTrip", "close"]);
      const ms = log![1]![1] as number;
      expect(ms).toBeGreaterThanOrEqual(98);
      expect(ms).toBeLessThan(heartbeat.timeout);
    });

    it("ends nobody while it does not read, and nobody when it does again", async () => {
      const script: Script = [["pause"], ["signal", "resume"], ["resume"], ["signal", "close"], ["close", 1000]];
      const way = await connect(role, { script });
      await beats(way, 5);
      await agent.signal(way.own, "resume");
      await beats(way, 5);
      await agent.signal(way.own, "close");
      expect(await agent.finished(way.own)).toEqual([
        [
          ["open", "", ""],
          ["close", 1000, "", true],
        ],
      ]);
    });

    it("sends no Ping at all without a heartbeat", async () => {
      const script: Script = [
        ["signal", "close"],
        ["close", 1000],
      ];
      const without = await connect(role, { script, options: { heartbeat: false } });
      const way = await connect(role, { script });
      await beats(way, 8);
      for (const { own } of [without, way]) await agent.signal(own, "close");
      const [log] = await peer.finished(without.others);
      expect(log).toEqual([["open", "", ""], ["close", 1000, "", true]]); // prettier-ignore
    });

    it("leaves a peer alone that has much to say but never answers a Ping", async () => {
      const script: Script = [
        ["signal", "close"],
        ["close", 1000],
      ];
      const key = `r${++lastKey}`;
      let raw: Raw;
      if (role === "server") {
        const { port } = await agent.serve({ heartbeat });
        await agent.prepare(key, script);
        raw = Raw.connect(port);
        await raw.write(openingRequest(key));
        await raw.readHead();
      } else {
        const rawServer = await RawServer.listen();
        ends.push(() => rawServer.close());
        await agent.connect(key, rawServer.url(key), { script, options: { heartbeat } });
        raw = await rawServer.client(key);
        await raw.write(openingResponse(raw));
      }
      ends.push(() => raw.socket.destroy());
      // A Ping of the heartbeat has eight bytes, and a key from a client.
      const size = role === "server" ? 10 : 14;
      for (let i = 1; i <= 4; i++) {
        await raw.until(() => raw.bytes.length >= i * size || raw.hasEnded);
        expect(raw.bytes[(i - 1) * size]).toBe(0x80 | op.ping);
        await raw.write(frame(op.text, `${i}`, { mask: role === "server" }));
      }
      await look(agent, key, (log) => log.length === 5);
      await agent.signal(key, "close");
      // The next Ping may be due before that.
      let at = 4 * size;
      await raw.until(() => {
        while (raw.bytes[at] === (0x80 | op.ping)) at += size;
        return raw.bytes.length > at || raw.hasEnded;
      });
      expect(raw.bytes[at]).toBe(0x80 | op.close);
    });
  });

  // It holds the whole process up, so each has one of its own.
  describe.concurrent.each(roles)(`${name} as a busy %s`, (role) => {
    it.for([
      ["longer than interval and timeout", LIFE + 500],
      ["until just past the peer's deadline", heartbeat.timeout],
    ] as const)("ends nobody because it was busy itself, %s", async ([, ms], { onTestFinished }) => {
      const by = await start();
      onTestFinished(() => by.stop());
      const script: Script = [
        ["signal", "go"],
        ["busy", ms],
        ["signal", "close"],
        ["close", 1000],
      ];
      // The Pong comes while it is busy.
      const way = await connect(role, { by, script }, [], 100);
      await beats(way, 2);
      await by.signal(way.own, "go");
      await beats(way, 3);
      await by.signal(way.own, "close");
      expect(await by.finished(way.own)).toEqual([
        [
          ["open", "", ""],
          ["close", 1000, "", true],
        ],
      ]);
    });
  });
}
