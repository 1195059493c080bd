// Echo by hybi, as a user would write it; with --deflate, compressed, by the options of --use.
import process from "node:process";
import { parseArgs } from "node:util";
import { Server } from "hybi";
import { ready } from "./ready.mjs";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { deflate: { type: "boolean" }, use: { type: "string", default: "{}" } },
});

async function extensions() {
  const { permessageDeflate } = await import("hybi/deflate");
  return [permessageDeflate(JSON.parse(values.use))];
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
