// `websocket`, which takes bufferutil and utf-8-validate when they are there.
import websocket from "websocket";
import { options } from "./options.mjs";
import { listen, web } from "./web.mjs";

const server = new websocket.server({
  httpServer: web,
  autoAcceptConnections: true,
  fragmentOutgoingMessages: false,
  keepalive: false,
  maxReceivedFrameSize: 2 ** 26,
  maxReceivedMessageSize: 2 ** 26,
});

const send = (connection, { type, utf8Data, binaryData }) =>
  type === "utf8" ? connection.sendUTF(utf8Data) : connection.sendBytes(binaryData);

server.on("connect", (connection) => {
  if (options.broadcast)
    connection.on("message", (message) => {
      for (const other of server.connections) send(other, message);
    });
  else connection.on("message", (message) => send(connection, message));
  connection.on("error", () => undefined);
});
listen();
