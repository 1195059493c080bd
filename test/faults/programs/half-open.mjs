// One end of a connection between two network namespaces, for half-open.test.ts, which runs this under each runtime. It
// prints a line of JSON for all that happens, and ends with the connection, or with its standard input.
//
//   half-open.mjs server ADDRESS HEARTBEAT
//   half-open.mjs client URL HEARTBEAT
import process from "node:process";
import { Server, connect } from "hybi";

const [role, where, heartbeat] = process.argv.slice(2);
const options = { heartbeat: JSON.parse(heartbeat) };
const print = (...what) => console.log(JSON.stringify(what));

function follow(ws) {
  print("open");
  ws.on("ping", () => print("ping"));
  ws.on("error", ({ code }) => print("error", code));
  ws.on("close", (code) => print("close", code));
  // To be answered before the way is cut, and after.
  ws.sendPing("first", (error) => print("answered", !error));
  process.stdin.on("data", () => {
    ws.send("on its way", { callback: (error) => print("taken", !error) });
    ws.sendPing("second", (error) => print("answered", !error));
  });
}

if (role === "server") {
  const server = new Server({ port: 0, host: where, ...options });
  server.on("connection", (ws) => follow(ws));
  const { port } = await server.listen();
  print("port", port);
} else {
  follow(await connect(where, options));
}
process.stdin.on("end", () => process.exit()).resume();
