/**
 * A party of the conformance suite: it serves and connects with hybi as the test tells it over a control connection.
 * What it does is the same on every runtime but for how it listens.
 *
 * On workerd a socket belongs to the handler that made it. So a script runs where its connection is, and only plain
 * data goes between the control connection and the others.
 *
 * @module
 */
import { Budget, Client, HandshakeError, ProtocolError, Server, connect } from "hybi";
import { defaultCodec } from "hybi/codec";
import { permessageDeflate } from "hybi/deflate";
import { driverFor, host } from "hybi/driver";
import { messageOf, noise } from "./data.mjs";
import { refusals, upon } from "./misuse.mjs";
import { careless } from "./careless.mjs";
import { reversing } from "./reversing.mjs";
import { Track } from "./track.mjs";
import { isAwaited, said, say } from "./word.mjs";

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

/** The tracks of connections by their keys: for a server a key is the path of the request. */
const tracks = new Map();
const scripts = new Map();
const servers = [];
/** Clients whose errors nobody listens to, while they live. */
const deaf = new Set();
const extensionsOf = { reversing, careless, deflate: permessageDeflate({ peerWindowBits: 15 }) };

/** Hooks for `upgrade`, by what comes of them. */
const hooks = {
  later: () => said("decide"),
  never: () => new Promise(() => undefined),
  certified: ({ peerCertificate }) => ({
    headers: { "X-Certificate": peerCertificate ? Buffer.from(peerCertificate).toString("base64") : "none" },
  }),
  throws() {
    throw new Error("thrown on purpose");
  },
};

/** The options of hybi from those of a command, which is JSON. */
function optionsOf({ extensions, budget, upgrade, dialed, ...options }, runtime) {
  return {
    ...options,
    ...(extensions && { extensions: extensions.map((one) => extensionsOf[one] ?? permessageDeflate(one)) }),
    ...(budget !== undefined && { budget: new Budget(budget) }),
    ...(upgrade && { upgrade: hooks[upgrade] }),
    ...(dialed && { dial: runtime.dial }),
  };
}

/** Lets go what comes, and listens to nothing else but for what the script has it do. */
function deafen(ws, script = []) {
  ws.on("message", () => undefined);
  for (const [, event, what] of script) upon(ws, event, what);
}

/** The connection in the words of a script. */
function faceOf(ws) {
  return {
    connection: ws,
    send: (data, options) => ws.send(data, options),
    tell: (data, callback) => ws.send(data, { callback }),
    ping: (payload, callback) => ws.sendPing(payload, callback),
    pong: (payload) => ws.sendPong(payload),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    drained: () => new Promise((resolve) => ws.once("drain", resolve)),
    messages: ws,
    get bufferedAmount() {
      return ws.bufferedAmount;
    },
    get roundTripTime() {
      return ws.roundTripTime;
    },
  };
}

function detailOf(error) {
  if (error instanceof ProtocolError) return [error.closeCode, error.code, error.message];
  const { status, body } = error instanceof HandshakeError ? error : {};
  return [0, error.code ?? error.name, body ? `${status} ${new TextDecoder().decode(body)}` : error.message];
}

function follow(key, ws, script) {
  const track = new Track();
  tracks.set(key, track);
  track.face = faceOf(ws);
  const isLoop = script.some(([step]) => step === "loop");
  if (!isLoop) ws.on("message", (message) => track.message(message));
  ws.on("ping", (payload) => track.add("ping", String.fromCharCode(...payload)));
  ws.on("pong", (payload) => track.add("pong", String.fromCharCode(...payload)));
  ws.on("error", (error) => track.add("failed", ...detailOf(error)));
  ws.on("close", (code, reason) => track.add("close", code, reason, ws.wasClean));
  return track;
}

const opened = (track, ws) => track.add("open", ws.protocol, ws.extensions.join());

const commands = {
  /** Opens a server, on a certain socket if the runtime's are given; answers its number, and where it listens. */
  async serve(runtime, { isDeaf, attached, ...options }, socket) {
    const server = new Server({ ...(!attached && runtime.where), ...optionsOf(options, runtime) });
    const refused = [];
    if (!isDeaf) server.on("refused", ({ status }) => refused.push(status));
    server.on("connection", (ws, { path }) => {
      const key = path.slice(1);
      const script = scripts.get(key) ?? [];
      if (isDeaf) return deafen(ws, script);
      const track = follow(key, ws, script);
      opened(track, ws);
      void track.run(script);
    });
    const number = servers.push({ server, refused }) - 1;
    return { number, ...(await (attached ? runtime.attach(server) : runtime.listen(server, socket))) };
  },

  /** The statuses of the requests that a server refused so far. */
  refused: (_, number) => servers[number].refused,

  /** What a server holds. */
  holding(_, number) {
    const { open, opening } = servers[number].server.stats();
    return { connections: open, opening };
  },

  /** Has a server close, and does not wait for it. */
  drain: (_, number, timeout) => void servers[number].server.close({ timeout }),

  /**
   * Sends messages to all the connections of a server, as fast as the newest of them takes them: for one that is given up
   * nothing waits any more, though it may still be among them.
   */
  async broadcast(_, number, content, count) {
    const { connections } = servers[number].server;
    const newest = [...connections].at(-1);
    const message = messageOf(content);
    for (let i = 0; i < count; i++) {
      for (const ws of connections) {
        try {
          ws.send(message);
        } catch (error) {
          if (error.code !== "ERR_QUEUE_FULL") throw error;
        }
      }
      while (newest.bufferedAmount > 0) await tick();
    }
  },

  /** Connects with nobody listening; answers at once. */
  dialDeaf(_, url, options, script) {
    const ws = new Client(url, optionsOf(options));
    deaf.add(ws);
    deafen(ws, script);
  },

  /** How many of those clients live. */
  deafClients() {
    for (const ws of deaf) if (ws.readyState === "closed") deaf.delete(ws);
    return deaf.size;
  },

  /** Connects by the promise, and waits until the server closes; answers the error if there is one. */
  async dial(_, url, options) {
    try {
      const ws = await connect(url, optionsOf(options));
      await new Promise((resolve) => ws.once("close", resolve));
    } catch (error) {
      const { name, code, status, headers, body, message } = error;
      return { name, code, status, headers: headers && [...headers], bodyLength: body?.length, message };
    }
  },

  /** Does what hybi is to refuse, by its name; answers what was thrown. */
  refusal: (_, name, url) => refusals.find((one) => one.name === name).run(url),

  /** Gives the connection that will have this key a script of its own. */
  prepare: (_, key, script) => void scripts.set(key, script),

  /** Connects; what is in `early` is done before the connection is open. */
  connect(runtime, key, url, { options = {}, script = [], early = [], isRandomnessFixed = false }) {
    // One seed for each call, so that the bytes do not depend on how many are drawn at once.
    let seed = 0;
    const random = (bytes) => bytes.set(noise(bytes.length, ++seed));
    const ws = isRandomnessFixed
      ? driverFor({ ...host, random }).makeClient(url, optionsOf(options, runtime))
      : new Client(url, optionsOf(options, runtime));
    const track = follow(key, ws, script);
    ws.on("open", () => {
      opened(track, ws);
      void track.run(script);
    });
    // Where it never opens, the script never runs.
    ws.on("close", () => (track.isDone ||= !track.counts.open));
    for (const [name, ...args] of early) track.do(name, ...args);
    if (isRandomnessFixed) ws.startConnection();
  },

  /** The logs of these connections, once they are done. */
  async finished(_, ...keys) {
    while (!keys.every((key) => tracks.get(key)?.isDone)) await tick();
    return keys.map((key) => {
      const { log } = tracks.get(key);
      tracks.delete(key);
      scripts.delete(key);
      return log;
    });
  },

  /** What a connection has come to so far; undefined while there is none. */
  look(_, key) {
    const track = tracks.get(key);
    return track && { log: track.log, counts: track.counts, sent: track.sent, most: track.most };
  },

  /** What its connections hold. The control connection is one of those that have a slot. */
  held: () => ({
    connections: servers.reduce((sum, { server }) => sum + server.connections.size, 0),
    slots: defaultCodec.slotsTaken,
  }),

  signal: (_, key, name) => void tracks.get(key).signals.add(name),

  isAwaited: (_, word) => isAwaited(word),

  say: (_, word) => say(word),
};

/**
 * Does what comes over the control connection. `runtime` has `where`, options for a server that is to listen, and
 * `listen`, which answers where that is; `attach`, which has a web server do it; and `dial`, an option of clients.
 */
export function control(ws, runtime) {
  ws.on("message", async (message) => {
    const [id, name, ...args] = JSON.parse(message);
    try {
      ws.send(JSON.stringify([id, (await commands[name](runtime, ...args)) ?? null]));
    } catch (error) {
      ws.send(JSON.stringify([id, null, String(error.stack ?? error)]));
    }
  });
}
