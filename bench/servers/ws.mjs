// ws, which takes bufferutil when it is there.
import { WebSocketServer } from "ws";
import { options } from "./options.mjs";
import { listen, web } from "./web.mjs";

const server = new WebSocketServer({
  server: web,
  perMessageDeflate: options.deflate,
  skipUTF8Validation: false,
});
server.on("connection", (ws) => {
  if (options.broadcast)
    ws.on("message", (data, isBinary) => {
      for (const other of server.clients) other.send(data, { binary: isBinary });
    });
  else
    ws.on("message", (data, isBinary) => {
      ws.send(data, { binary: isBinary });
    });
  ws.on("error", () => undefined);
});
listen();
