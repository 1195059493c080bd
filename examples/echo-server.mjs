// A WebSocket server that sends back what it gets: text as text, binary as binary.
//
//   node examples/echo-server.mjs [port] [--max-length N] [--deflate]
import process from "node:process";
import { parseArgs } from "node:util";
import { Server } from "hybi";
import { permessageDeflate } from "hybi/deflate";
import { echo } from "./echo.mjs";

const { values, positionals } = parseArgs({
  options: { "max-length": { type: "string" }, deflate: { type: "boolean" } },
  allowPositionals: true,
});
// Pages of every origin may connect: there is nothing here that they could do in the name of a user.
const options = { host: "127.0.0.1", port: Number(positionals[0] ?? 5000), origins: "any" };
if (values["max-length"] !== undefined) options.maxLength = Number(values["max-length"]);
if (values.deflate) options.extensions = [permessageDeflate()];

const server = new Server(options);

server.on("connection", echo);

const { hostname, port } = await server.listen();
console.log(`Echoing at ws://${hostname}:${port}/echo`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await server.close(); // with 1001
    process.exit(0);
  });
}
