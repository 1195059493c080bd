// Echo by ws; with --deflate, compressed.
import process from "node:process";
import { WebSocketServer } from "ws";
import { ready } from "./ready.mjs";

const server = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  perMessageDeflate: process.argv.includes("--deflate"),
});
server.on("connection", (ws) => {
  ws.on("message", (data, isBinary) => {
    ws.send(data, { binary: isBinary });
  });
});
server.on("listening", () => ready(server.address().port));
