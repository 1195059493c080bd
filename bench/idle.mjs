// The load for bench/memory.mjs: opens as many connections as its parent says, and leaves them idle.
import { connect } from "node:net";
import { REQUEST } from "./request.mjs";

/** So many are opened at a time, which no server has to turn away. */
const AT_ONCE = 100;

const sockets = [];

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(REQUEST));
    let response = "";
    socket.on("data", (chunk) => {
      response += chunk.toString("latin1");
      if (!response.includes("\r\n\r\n")) return;
      if (response.startsWith("HTTP/1.1 101 ")) resolve(socket);
      else reject(new Error(`The server answered ${response.slice(0, response.indexOf("\r\n"))}.`));
    });
    socket.on("error", reject);
  });
}

process.on("message", async ({ port, count }) => {
  while (count > 0) {
    const some = Math.min(count, AT_ONCE);
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => open(port)))));
    count -= some;
  }
  process.send({ closed: sockets.filter(({ destroyed }) => destroyed).length });
});
process.on("disconnect", () => process.exit());
