// hybi, as a user would write it.
import { Server } from "hybi";
import { options, tls } from "./options.mjs";
import { ready } from "./ready.mjs";

async function extensions() {
  const { permessageDeflate } = await import("hybi/deflate");
  return [permessageDeflate(JSON.parse(options.use))];
}

const server = new Server({
  port: 0,
  host: "127.0.0.1",
  ...(tls && { tls }),
  ...(options.deflate && { extensions: await extensions() }),
});
server.on("connection", (ws) => {
  if (options.broadcast)
    ws.on("message", (message) => {
      for (const other of server.connections) other.send(message);
    });
  else
    ws.on("message", (message) => {
      ws.send(message);
    });
});
const { port } = await server.listen();
ready(port);
