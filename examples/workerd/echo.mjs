// A WebSocket server on workerd's own TCP sockets that sends back what it gets: text as text, binary as binary.
//
//   npx workerd serve examples/workerd/config.capnp --socket-addr echo=127.0.0.1:5000
import { Server } from "hybi";

const server = new Server();

server.on("connection", (ws) => {
  // A client that sends faster than it reads is held back until it has caught up.
  ws.on("message", (message) => {
    if (!ws.send(message)) ws.pause();
  });
  ws.on("drain", () => ws.resume());
});

export default {
  // workerd calls this for each socket, and closes the socket when it is over: it lasts as long as the connection.
  async connect(socket) {
    await server.accept(socket);
  },
};
