import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TlsOptions } from "../../src/driver/transport.ts";
import { certificates, type Certificates } from "../helpers/certificates.ts";
import { partyNames, type PartyName } from "./pairs.ts";
import { Agent, type Log, type Party } from "./party.ts";
import { runtimeNames } from "./runtimes.ts";
import { WsParty } from "./ws-party.ts";

/** Who the server is, and whether it wants to know who its clients are. */
interface Servers {
  readonly trusted: TlsOptions;
  readonly elsewhere: TlsOptions;
  readonly unknown: TlsOptions;
  readonly verifying: TlsOptions;
}

let made: Certificates;
let servers: Servers;
const parties = new Map<PartyName, Party>();
/** The same with a certificate of their own; what a client is on workerd does not change while it runs. */
const bearers = new Map<PartyName, Party>();

beforeAll(async () => {
  made = await certificates();
  const { ca, server, elsewhere, unknown, client } = made;
  servers = { trusted: server, elsewhere, unknown, verifying: { ...server, ca, verify: true } };
  const start = (name: PartyName, identity: TlsOptions = {}): Promise<Party> => {
    if (name === "ws") return Promise.resolve(new WsParty());
    return Agent.start(name, { servers: Object.values(servers) as TlsOptions[], client: { ca, ...identity } });
  };
  await Promise.all(
    partyNames.map(async (name) => {
      parties.set(name, await start(name));
      bearers.set(name, name === "workerd" ? await start(name, client) : parties.get(name)!);
    }),
  );
});
afterAll(() => Promise.all([...parties.values(), bearers.get("workerd")!].map((party) => party.stop())));

let lastKey = 0;

interface Dialogue {
  readonly server: Log;
  readonly client: Log;
}

async function open(
  server: Party,
  client: Party,
  at: TlsOptions,
  tls: TlsOptions,
  host: string,
): Promise<() => Promise<Dialogue>> {
  const [atServer, atClient] = [`s${++lastKey}`, `c${lastKey}`];
  const { port } = await server.serve({ tls: at });
  await server.prepare(atServer, [["send", "secret", { bytes: 300_000 }], ["echo"]]);
  await client.connect(atClient, `wss://${host}:${port}/${atServer}`, {
    options: { tls },
    script: [
      ["send", "back"],
      ["await", "message", 3],
      ["close", 1000, "done"],
    ],
  });
  return async () => {
    const [log] = await client.finished(atClient);
    if (log![0]![0] === "failed") return { server: [], client: log! };
    return { client: log!, server: (await server.finished(atServer))[0]! };
  };
}

async function expectTalk(...args: Parameters<typeof open>): Promise<void> {
  const { server, client } = await (await open(...args))();
  expect(server).toEqual([
    ["open", "", ""],
    ["text", "back"],
    ["close", 1000, "done", true],
  ]);
  expect(client.map(([kind]) => kind)).toEqual(["open", "text", "binary", "text", "close"]);
}

async function expectRefusal(...args: Parameters<typeof open>): Promise<void> {
  const { client } = await (await open(...args))();
  expect(client.map(([kind]) => kind)).toEqual(["failed", "close"]);
  const isOurs = args[1].name !== "ws";
  if (isOurs) expect(client[0]).toEqual(["failed", 0, "ERR_CONNECT", expect.any(String)]);
  expect(client[1]).toEqual(["close", 1006, "", false]);
}

const pairs = partyNames.flatMap((client) =>
  partyNames.filter((server) => client !== "ws" || server !== "ws").map((server) => ({ client, server })),
);

describe.each(pairs)("wss from $client to $server", ({ client, server }) => {
  it("is open to a client that trusts the authority", () =>
    expectTalk(parties.get(server)!, parties.get(client)!, servers.trusted, { ca: made.ca }, "127.0.0.1"));
});

describe.each(runtimeNames)("a client on %s", (name) => {
  it("knows the server by its name as well", () =>
    expectTalk(parties.get("node")!, parties.get(name)!, servers.trusted, { ca: made.ca }, "localhost"));

  it("refuses a server of an authority that it does not know", () =>
    expectRefusal(parties.get("node")!, parties.get(name)!, servers.unknown, { ca: made.ca }, "localhost"));

  it("refuses a server that is somebody else", async () => {
    await expectRefusal(parties.get("node")!, parties.get(name)!, servers.elsewhere, { ca: made.ca }, "localhost");
    await expectRefusal(parties.get("node")!, parties.get(name)!, servers.elsewhere, { ca: made.ca }, "127.0.0.1");
  });

  it("shows its certificate to a server that asks for it", () =>
    expectTalk(
      parties.get("node")!,
      bearers.get(name)!,
      servers.verifying,
      { ca: made.ca, ...made.client },
      "localhost",
    ));
});

describe.each(runtimeNames)("a server on %s", (name) => {
  it("that verifies its clients takes one of the authority's, and refuses one without a certificate", async () => {
    await expectTalk(
      parties.get(name)!,
      parties.get("node")!,
      servers.verifying,
      { ca: made.ca, ...made.client },
      "localhost",
    );
    const { client } = await (
      await open(parties.get(name)!, parties.get("node")!, servers.verifying, { ca: made.ca }, "localhost")
    )();
    expect(client.map(([kind]) => kind)).toEqual(["failed", "close"]);
  });

  it("refuses a client of an authority that it does not know", async () => {
    const tls = { ca: made.ca, ...made.unknownClient };
    const { client } = await (
      await open(parties.get(name)!, parties.get("node")!, servers.verifying, tls, "localhost")
    )();
    expect(client.map(([kind]) => kind)).toEqual(["failed", "close"]);
  });

  it("goes on after a client that speaks no TLS", async () => {
    const { port } = await parties.get(name)!.serve({ tls: servers.trusted });
    const client = parties.get("node")!;
    const key = `plain ${name}`;
    await client.connect(key, `ws://127.0.0.1:${port}/`);
    const [log] = await client.finished(key);
    expect(log!.map(([kind]) => kind)).toEqual(["failed", "close"]);
    await expectTalk(parties.get(name)!, client, servers.trusted, { ca: made.ca }, "127.0.0.1");
  });
});

// workerd takes certificates by its configuration alone, and does not show them.
describe.each(runtimeNames.filter((name) => name !== "workerd"))("a server on %s", (name) => {
  it("shows its hook the client's certificate, or that there is none", async () => {
    const certificateSeen = async (tls: TlsOptions, identity: Partial<Certificates["client"]>): Promise<unknown> => {
      const { port } = await parties.get(name)!.serve({ tls, upgrade: "certified" });
      const ws = new WebSocket(`wss://localhost:${port}/${++lastKey}`, { ca: made.ca, ...identity });
      const [response] = (await once(ws, "upgrade")) as [IncomingMessage];
      ws.terminate();
      return response.headers["x-certificate"];
    };
    const { raw } = new X509Certificate(made.client.cert);
    expect(await certificateSeen(servers.verifying, made.client)).toBe(raw.toString("base64"));
    expect(await certificateSeen(servers.trusted, {})).toBe("none");
  });
});
