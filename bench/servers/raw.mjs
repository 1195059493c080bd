// The limit: `net` echoes the bytes as they come, frames and all, once it has let the load's handshake through.
import { createServer } from "node:net";
import { ready } from "./ready.mjs";

const server = createServer({ noDelay: true }, (socket) => {
  socket.once("data", () => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    socket.on("data", (chunk) => socket.write(chunk));
  });
  socket.on("error", () => undefined);
});
server.listen(0, "127.0.0.1", () => ready(server.address().port));
