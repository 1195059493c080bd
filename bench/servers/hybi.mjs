// Echo by hybi, as a user would write it; with --deflate, compressed.
import process from "node:process";
import { parseArgs } from "node:util";
import { Server } from "hybi";
import { ready } from "./ready.mjs";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { deflate: { type: "boolean" }, level: { type: "string" }, threshold: { type: "string" } },
});

async function extensions() {
  const { permessageDeflate } = await import("hybi/deflate");
  const { level, threshold } = values;
  return [permessageDeflate({ ...(level && { level: +level }), ...(threshold && { threshold: +threshold }) })];
}

const server = new Server({
  port: 0,
  host: "127.0.0.1",
  ...(values.deflate && { extensions: await extensions() }),
});
server.on("connection", (ws) => {
  ws.on("message", (message) => {
    ws.send(message);
  });
});
const { port } = await server.listen();
ready(port);
