// The limit: `net` echoes the bytes as they come, frames and all, once it has let the load's handshake through.
import * as net from "node:net";
import * as secure from "node:tls";
import { options, tls } from "./options.mjs";
import { ready } from "./ready.mjs";

const sockets = new Set();

function connected(socket) {
  sockets.add(socket);
  socket.once("data", () => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    socket.on("data", (chunk) => {
      if (!options.broadcast) socket.write(chunk);
      else for (const other of sockets) other.write(chunk);
    });
  });
  socket.on("error", () => undefined);
  socket.on("close", () => sockets.delete(socket));
}

const server = tls
  ? secure.createServer({ ...tls, noDelay: true }, connected)
  : net.createServer({ noDelay: true }, connected);
server.listen(0, "127.0.0.1", () => ready(server.address().port));
