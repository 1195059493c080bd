// A server of hybi's for pages: it echoes, and does what a text says that begins with a slash.
//
//   node e2e/peer.mjs <a JSON file with further options of the server>
import { readFileSync } from "node:fs";
import process from "node:process";
import { Server } from "hybi";
import { permessageDeflate } from "hybi/deflate";

const { deflate, ...options } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const extensions = deflate ? [permessageDeflate()] : [];
const server = new Server({ port: 0, host: "127.0.0.1", origins: "any", extensions, ...options });

const commands = {
  close: (ws, code, reason) => ws.close(Number(code), reason),
  closed: (ws) => ws.send(JSON.stringify(lastClose)),
  burst: (ws, count) => {
    for (let i = 0; i < Number(count); i++) ws.send(`message ${i}`);
  },
  terminate: (ws) => ws.terminate(),
};
let lastClose;

server.on("connection", (ws) => {
  ws.on("message", (message) => {
    const [, name, first, second] = (typeof message === "string" && /^\/(\w+) ?(\S*) ?(.*)$/.exec(message)) || [];
    if (name) return commands[name](ws, first, second);
    // Who sends faster than it reads is held back.
    if (!ws.send(message)) ws.pause();
  });
  ws.on("drain", () => ws.resume());
  ws.on("close", (code, reason) => (lastClose = [code, reason, ws.wasClean]));
});
const { port } = await server.listen();
console.log(`Listening on ${port}`);
