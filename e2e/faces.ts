import { Server } from "hybi";
import { permessageDeflate } from "hybi/deflate";
import { RawServer, closePayload, op } from "../test/helpers/raw-peer.ts";

/** Whose classes `pages/faces.mjs` uses. */
export type Whose = "own" | "hybi";

/** What to do, with whose classes, and the URLs of two servers: what {@link Comparison} tells, and a raw one. */
export type Use = readonly [name: string, whose: Whose, url: string, raw: string];

/** What is done with a WebSocket, which every browser has, and with a WebSocketStream, which Chromium has. */
const webSocketUses = [
  "messages",
  "endings",
  "closing",
  "late",
  "refused",
  "unreachable",
  "disagreed",
  "givenUp",
  "making",
] as const;
export const streamUses = ["streams", "streamEndings"] as const;

/** Where an engine's own class does something else than hybi's, and the standard. */
interface Difference {
  readonly engine: "Firefox" | "WebKit";
  readonly use: (typeof webSocketUses)[number];
  /** Where in what comes of it, as in `events.0.1`. */
  readonly at: string;
  readonly why: string;
}

const opensWithout = "opens though the server has taken none of the subprotocols";
const countsFraming = "counts the header, too, of what it does not send any more";
const known: readonly Difference[] = [
  { engine: "Firefox", use: "disagreed", at: "events", why: opensWithout },
  { engine: "WebKit", use: "disagreed", at: "events", why: opensWithout },
  {
    engine: "Firefox",
    use: "messages",
    at: "end.1",
    why: "counted less in one run of several: perhaps hybi asks it too early; not explained",
  },
  { engine: "WebKit", use: "messages", at: "late.2", why: countsFraming },
  { engine: "WebKit", use: "messages", at: "end.1", why: countsFraming },
];

/** What is not done in an engine, since when it is over there depends on the engine. */
const leftOut: readonly Omit<Difference, "at">[] = [
  {
    engine: "Firefox",
    use: "late",
    why: "does not wait for its peer, so it may be closed before anybody sees it closing",
  },
  { engine: "WebKit", use: "late", why: "waits for five seconds though its peer has closed and ended the connection" },
  { engine: "WebKit", use: "unreachable", why: "does not give up on port 0" },
];

/** What is done with an engine's WebSocket. */
export const usesOf = (engine: string): readonly string[] =>
  webSocketUses.filter((use) => !leftOut.some((one) => one.engine === engine && one.use === use));

/** Where the two differ, each with both values. */
function differing(own: unknown, hybi: unknown, at = ""): [at: string, own: unknown, hybi: unknown][] {
  if (Object(own) !== own || Object(hybi) !== hybi) return own === hybi ? [] : [[at, own, hybi]];
  const [a, b] = [own, hybi] as Record<string, unknown>[];
  const names = new Set([...Object.keys(a!), ...Object.keys(b!)]);
  return [...names].flatMap((name) => differing(a![name], b![name], at === "" ? name : `${at}.${name}`));
}

/** The peer's part of what is done over a raw server. By a second connection the page says that it has done its own. */
const parts: Readonly<Record<string, (raw: RawServer) => Promise<void>>> = {
  async late(raw) {
    const peer = await raw.open();
    peer.send(op.close, closePayload(4000, "enough"), { mask: false });
    await peer.readClose();
    await raw.open();
    peer.end();
  },
};

/** What a page's classes are compared over: a server that echoes, and closes as it is told, and a raw one. */
export class Comparison {
  readonly #server: Server;
  readonly #url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.#url = url;
  }

  static async start(): Promise<Comparison> {
    const server = new Server({
      port: 0,
      host: "127.0.0.1",
      path: "/",
      origins: "any",
      acceptProtocols: ["v1.chat"],
      extensions: [permessageDeflate()],
    });
    server.on("connection", (ws) =>
      ws.on("message", (message) => {
        const [, how] = /^\/close (\w+)$/.exec(String(message)) ?? [];
        if (how === undefined) ws.send(message);
        else if (how === "terminate") ws.terminate();
        else void ws.close(how === "nothing" ? undefined : Number(how), how === "nothing" ? "" : "done");
      }),
    );
    const { port } = (await server.listen()) as { port: number };
    return new Comparison(server, `ws://127.0.0.1:${port}/`);
  }

  /** Has something done in the page, plays the peer's part in it, and answers what came of it. */
  async use(inPage: (use: Use) => Promise<unknown>, name: string, whose: Whose): Promise<unknown> {
    await using raw = await RawServer.listen();
    const [result] = await Promise.all([inPage([name, whose, this.#url, raw.url]), parts[name]?.(raw)]);
    return result;
  }

  /** Does something with both classes, and answers where they differ, but for what is known of the engine. */
  async differences(
    inPage: (use: Use) => Promise<unknown>,
    name: string,
    engine: string,
  ): Promise<ReturnType<typeof differing>> {
    const own = await this.use(inPage, name, "own");
    const found = differing(own, await this.use(inPage, name, "hybi"));
    const places = known.filter((one) => one.engine === engine && one.use === name).map(({ at }) => at);
    return found.filter(([at]) => !places.some((place) => `${at}.`.startsWith(`${place}.`)));
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}
