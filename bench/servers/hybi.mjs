// Echo by hybi, as a user would write it.
import { Server } from "hybi";
import { ready } from "./ready.mjs";

const server = new Server({ port: 0, host: "127.0.0.1" });
server.on("connection", (ws) => {
  ws.on("message", (message) => {
    ws.send(message);
  });
});
const { port } = await server.listen();
ready(port);
