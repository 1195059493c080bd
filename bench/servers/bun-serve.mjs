// What Bun has built in.
import { options, tls } from "./options.mjs";
import { ready } from "./ready.mjs";

const { Bun } = globalThis;
const ALL = "all";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  ...(tls && { tls }),
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    maxPayloadLength: 2 ** 26,
    backpressureLimit: 2 ** 26,
    open(socket) {
      if (options.broadcast) socket.subscribe(ALL);
    },
    message(socket, message) {
      if (options.broadcast) server.publish(ALL, message);
      else socket.send(message);
    },
  },
});
ready(server.port);
