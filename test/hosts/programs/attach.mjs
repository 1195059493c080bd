// Web servers with hybi attached to them, for attach.test.ts, which runs this under each runtime. It prints where they
// listen, and then a line of JSON for all that happens to their connections.
//
//   attach.mjs '{"cert": "…", "key": "…"}'
import * as http from "node:http";
import * as https from "node:https";
import process from "node:process";
import { Server } from "hybi";

const print = (...what) => console.log(JSON.stringify(what));

const BLOCKS = 320;
const block = new Uint8Array(65_536);

/** What a connection does depends on its path. */
const behaviours = {
  "/echo": (ws) => {
    ws.on("message", (message) => {
      if (!ws.send(message)) ws.pause();
    });
    ws.on("drain", () => ws.resume());
  },
  "/paused": (ws) => {
    let bytes = 0;
    ws.on("message", (message) => {
      if (typeof message === "string") ws.send(String(bytes));
      bytes += message.length;
    });
    ws.pause();
    commands["/resume"] = () => ws.resume();
  },
  "/blocks": async (ws) => {
    let sent = 0;
    commands["/sent"] = () => [sent, ws.bufferedAmount];
    while (sent < BLOCKS) {
      sent++;
      if (!ws.send(block)) await new Promise((resolve) => ws.once("drain", resolve).once("close", resolve));
    }
    await ws.close(1000, "all sent");
  },
  "/terminate": (ws) => ws.on("message", () => ws.terminate()),
};

/** What the test asks for, by requests that are not for a WebSocket. */
const commands = { "/open": () => servers.reduce((sum, { connections }) => sum + connections.size, 0) };

const servers = [];

function watch(server) {
  servers.push(server);
  server.on("refused", ({ status }) => print("refused", status));
  server.on("connection", (ws, { target, path }) => {
    print(target, "open", ws.socket.secure, ws.socket.remoteAddress, ws.socket.remotePort);
    ws.on("close", (code, reason) => print(target, "close", code, reason));
    ws.on("error", (error) => print(target, "error", error.code));
    behaviours[path]?.(ws);
  });
  return server;
}

// Nothing is to end because of it: no test takes as long.
const closeTimeout = 60_000;

const listen = (web) => new Promise((resolve) => web.listen(0, "127.0.0.1", resolve));

/** A web server that answers with the path of the request, or does what that commands. */
function create(make, options) {
  return make({ ...options, keepAliveTimeout: 60_000 }, async (request, response) => {
    response.end(JSON.stringify((await commands[request.url]?.()) ?? `page ${request.url}`));
  });
}

const webs = {
  http: create(http.createServer),
  https: create(https.createServer, JSON.parse(process.argv[2])),
  paths: create(http.createServer),
  others: create(http.createServer),
  asking: create(http.createServer),
  detached: create(http.createServer),
  ended: create(http.createServer),
};

for (const name of ["http", "https", "ended"]) watch(new Server({ server: webs[name], closeTimeout }));

for (const path of ["/echo", "/terminate"]) watch(new Server({ server: webs.paths, path, closeTimeout }));

// Another listener of `upgrade` beside hybi's.
watch(new Server({ server: webs.others, path: "/echo", closeTimeout }));
webs.others.on("upgrade", (request, socket) => {
  if (request.url === "/other") socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nother");
});

// A listener that cannot decide at once, as one that asks a database who the client is.
const asking = watch(new Server({ closeTimeout }));
webs.asking.on("upgrade", ({ method, url, headers, httpVersion }, socket, head) => {
  socket.on("error", () => undefined);
  commands["/decide"] = () => {
    // As a web server does that wants requests to come without a pause; a WebSocket may be silent.
    socket.setTimeout(1, () => socket.destroy());
    asking.upgrade({ method, url, headers, httpVersion, socket, head });
  };
  print(url, "asking");
});

const detached = watch(new Server({ server: webs.detached, closeTimeout }));
commands["/detach"] = () => detached.close().then(() => "closed");

// The answer must be out by then, since this connection is idle after it and is closed with the server.
commands["/end"] = () => void setImmediate(() => webs.ended.close(() => print("ended")));

// What a user may take for a web server, and this runtime may not have.
const serve = globalThis.Deno?.serve ?? globalThis.Bun?.serve;
commands["/serve"] = async () => {
  const server = serve?.({ port: 0, hostname: "127.0.0.1", onListen() {}, fetch: () => new Response(), handler() {} });
  try {
    new Server({ server: server ?? new EventTarget() });
  } catch (error) {
    return error.code;
  } finally {
    await (server?.shutdown ?? server?.stop)?.call(server);
  }
};

await Promise.all(Object.values(webs).map(listen));
print(Object.fromEntries(Object.entries(webs).map(([name, web]) => [name, web.address().port])));
