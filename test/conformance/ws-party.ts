import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket, WebSocketServer, type PerMessageDeflateOptions } from "ws";
import { until } from "../helpers/until.ts";
import type { Role } from "../helpers/wire.ts";
import { Track, type Face } from "./agent/track.mjs";
import { onceForEach } from "./party.ts";
import type { ConnectOptions, Log, Look, Party, PartyOptions, Script, Serving } from "./party.ts";

const maxPayload = 1 << 30;

function faceOf(ws: WebSocket): Face {
  let sent: Promise<unknown> = Promise.resolve();
  return {
    send(data, { fin = true } = { fin: true }) {
      sent = new Promise((resolve) => ws.send(data, { fin }, resolve));
      return ws.bufferedAmount < 65_536;
    },
    tell: (data, callback) => ws.send(data, callback),
    ping: (payload) => ws.ping(payload),
    pong: (payload) => ws.pong(payload),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    drained: () => sent,
    get messages(): never {
      throw new Error("ws has no loop over messages.");
    },
    get bufferedAmount() {
      return ws.bufferedAmount;
    },
  };
}

/** permessage-deflate in its words, seen from one side; it takes no more than the first extension that it knows. */
function deflateOf(role: Role, { extensions = [] }: PartyOptions): PerMessageDeflateOptions | false {
  const use = extensions.find((one) => one === "deflate" || typeof one === "object");
  if (!use) return false;
  const {
    windowBits,
    peerWindowBits,
    contextTakeover = true,
    peerContextTakeover = true,
  } = use === "deflate" ? {} : use;
  const own = { bits: windowBits, isForgetful: !contextTakeover };
  const peers = { bits: peerWindowBits, isForgetful: !peerContextTakeover };
  const [server, client] = role === "server" ? [own, peers] : [peers, own];
  return {
    threshold: 0,
    // Where it is false, the other side may not ask for it either.
    ...(server.isForgetful && { serverNoContextTakeover: true }),
    ...(client.isForgetful && { clientNoContextTakeover: true }),
    ...(server.bits !== undefined && { serverMaxWindowBits: server.bits }),
    ...(client.bits !== undefined && { clientMaxWindowBits: client.bits }),
  };
}

/** The independent library, in the process of the test, in the place of hybi. */
export class WsParty implements Party {
  readonly name = "ws";
  readonly #tracks = new Map<string, Track>();
  readonly #scripts = new Map<string, Script>();
  readonly #stops: (() => void)[] = [];

  #follow(key: string, ws: WebSocket): Track {
    const track = new Track();
    track.face = faceOf(ws);
    this.#tracks.set(key, track);
    ws.on("message", (data: Buffer, isBinary) => track.message(isBinary ? data : data.toString()));
    ws.on("ping", (payload) => track.add("ping", payload.toString("latin1")));
    ws.on("pong", (payload) => track.add("pong", payload.toString("latin1")));
    ws.on("error", (error) => track.add("failed", 0, error.name, error.message));
    // It does not tell how it ended, but 1006 never stood in a Close frame.
    ws.on("close", (code, reason) => track.add("close", code, reason.toString(), code !== 1006));
    return track;
  }

  readonly serve = onceForEach((options) => this.#serve(options));

  async #serve(options: PartyOptions): Promise<Serving> {
    const { tls, acceptProtocols = [], maxLength = maxPayload } = options;
    const web = tls ? https.createServer({ cert: String(tls.cert), key: String(tls.key) }) : http.createServer();
    const server = new WebSocketServer({
      server: web,
      maxPayload: maxLength,
      perMessageDeflate: deflateOf("server", options),
      handleProtocols: (offered) => [...offered].find((name) => acceptProtocols.includes(name)) ?? false,
    });
    server.on("connection", (ws, { url }) => {
      const key = url!.slice(1);
      const track = this.#follow(key, ws);
      track.add("open", ws.protocol, ws.extensions);
      void track.run(this.#scripts.get(key) ?? []);
    });
    this.#stops.push(() => {
      for (const ws of server.clients) ws.terminate();
      web.close();
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    return { number: 0, port: (web.address() as AddressInfo).port };
  }

  prepare(key: string, script: Script): Promise<void> {
    this.#scripts.set(key, script);
    return Promise.resolve();
  }

  connect(key: string, url: string, { options = {}, script = [] }: ConnectOptions = {}): Promise<void> {
    const { tls, acceptProtocols = [] } = options;
    const ws = new WebSocket(url, [...acceptProtocols], {
      perMessageDeflate: deflateOf("client", options),
      maxPayload,
      // Its own masking would take most of the time; hybi's clients mask.
      generateMask: (key) => void key.fill(0),
      ...(tls?.ca !== undefined && { ca: String(tls.ca) }),
      ...(tls?.cert !== undefined && { cert: String(tls.cert), key: String(tls.key) }),
    });
    const track = this.#follow(key, ws);
    ws.on("open", () => {
      track.add("open", ws.protocol, ws.extensions);
      void track.run(script);
    });
    ws.on("close", () => (track.isDone ||= track.counts["open"] === undefined));
    return Promise.resolve();
  }

  async finished(...keys: string[]): Promise<Log[]> {
    await until(() => keys.every((key) => this.#tracks.get(key)?.isDone));
    return keys.map((key) => this.#tracks.get(key)!.log);
  }

  async look(key: string): Promise<Look | undefined> {
    await sleep(4);
    return this.#tracks.get(key);
  }

  signal(key: string, name: string): Promise<void> {
    this.#tracks.get(key)!.signals.add(name);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    return Promise.resolve();
  }
}
