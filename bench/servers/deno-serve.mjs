// What Deno has built in.
import { options, tls } from "./options.mjs";
import { ready } from "./ready.mjs";

const { Deno } = globalThis;
const sockets = new Set();

Deno.serve({ hostname: "127.0.0.1", port: 0, ...tls, onListen: ({ port }) => ready(port) }, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  // It would give Blobs, which take a turn each to be sent.
  socket.binaryType = "arraybuffer";
  if (options.broadcast) {
    socket.onopen = () => sockets.add(socket);
    socket.onclose = () => sockets.delete(socket);
    socket.onmessage = ({ data }) => {
      for (const other of sockets) other.send(data);
    };
  } else
    socket.onmessage = ({ data }) => {
      socket.send(data);
    };
  return response;
});
