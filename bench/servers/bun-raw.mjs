// The limit on Bun: its sockets echo the bytes as they come. What the system does not take waits for the drain.
import { options, tls } from "./options.mjs";
import { ready } from "./ready.mjs";

const { Bun } = globalThis;
const sockets = new Set();

function write(socket, bytes) {
  const { waiting } = socket.data;
  const written = waiting.length > 0 ? 0 : socket.write(bytes);
  if (written < bytes.length) waiting.push(bytes.subarray(written));
}

const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  ...(tls && { tls }),
  socket: {
    open(socket) {
      socket.data = { isOpen: false, waiting: [] };
      sockets.add(socket);
    },
    data(socket, chunk) {
      if (!socket.data.isOpen) {
        socket.data.isOpen = true;
        socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      } else if (!options.broadcast) write(socket, chunk);
      else for (const other of sockets) write(other, chunk);
    },
    drain(socket) {
      const rest = socket.data.waiting;
      socket.data.waiting = [];
      for (const bytes of rest) write(socket, bytes);
    },
    close(socket) {
      sockets.delete(socket);
    },
  },
});
ready(listener.port);
