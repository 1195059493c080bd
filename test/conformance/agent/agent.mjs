/**
 * The party of the conformance suite for runtimes that listen by themselves: Node, Deno and Bun. It says on its first
 * line where to control it, and ends with its standard input.
 *
 * @module
 */
import * as http from "node:http";
import * as net from "node:net";
import process from "node:process";
import { Server } from "hybi";
import { control } from "./core.mjs";

const where = { port: 0, host: "127.0.0.1" };

const listen = async (server) => ({ port: (await server.listen()).port });

/** Deno opens what it watches signals with half a second later of its own, and panics if no descriptor is left then. */
process.on("SIGUSR2", () => undefined);

async function attach(server) {
  const web = http.createServer();
  server.attach(web);
  await new Promise((resolve) => web.listen(where, resolve));
  return { port: web.address().port };
}

const dial = ({ hostname, port }) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, hostname);
    socket.once("error", reject).once("connect", () => resolve(socket.off("error", reject)));
  });

const server = new Server(where);
server.on("connection", (ws) => control(ws, { where, listen, attach, dial }));
const { port } = await server.listen();
console.log(JSON.stringify({ port }));
process.stdin.on("end", () => process.exit()).resume();
