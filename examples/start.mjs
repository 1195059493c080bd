// What `npm start` runs: the frame inspector, an echo server on the same port, and a client that says "Hi" to it. It goes
// on until Ctrl-C.
//
//   node examples/start.mjs [port]
import { once } from "node:events";
import { createServer } from "node:http";
import process from "node:process";
import { Server, connect } from "hybi";
import { echo } from "./echo.mjs";
import { filesOf } from "./files.mjs";

const web = createServer(filesOf("build/inspector"));
// Pages of every origin may connect: there is nothing here that they could do in the name of a user.
const server = new Server({ server: web, origins: "any" });
server.on("connection", echo);

await once(web.listen(Number(process.argv[2] ?? 5000), "127.0.0.1"), "listening");
const { address, port } = web.address();
console.log(`Echoing at ws://${address}:${port}/echo`);
console.log(`Look at frames at http://${address}:${port}/`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    web.close();
    await server.close(); // with 1001
    process.exit(0);
  });
}

const ws = await connect(`ws://${address}:${port}/echo`);
console.log("Connected.");
ws.on("message", (message) => {
  console.log(`Got: ${message}`);
});
ws.on("close", (code) => {
  console.log(`Closed with ${code}.`);
});
ws.send("Hi");
