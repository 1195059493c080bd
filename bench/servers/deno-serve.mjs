// Echo by what Deno has built in.
import { ready } from "./ready.mjs";

const { Deno } = globalThis;

Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => ready(port) }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.addEventListener("message", ({ data }) => socket.send(data));
  return response;
});
