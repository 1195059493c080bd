// Echo by what Bun has built in, without compression.
import { ready } from "./ready.mjs";

const { Bun } = globalThis;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    message(socket, message) {
      socket.send(message);
    },
  },
});
ready(server.port);
