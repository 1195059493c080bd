// The limit on Bun: its sockets echo the bytes as they come. What a socket does not take is the drain's, which this
// leaves out, since nobody measures it with a peer that does not read.
import { ready } from "./ready.mjs";

const { Bun } = globalThis;

const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(socket) {
      socket.data = { isOpen: false };
    },
    data(socket, chunk) {
      socket.write(socket.data.isOpen ? chunk : "HTTP/1.1 101 Switching Protocols\r\n\r\n");
      socket.data.isOpen = true;
    },
  },
});
ready(listener.port);
