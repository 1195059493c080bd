/**
 * The party of the conformance suite for runtimes that listen by themselves: Node, Deno and Bun. It says on its first
 * line where to control it, and ends with its standard input.
 *
 * @module
 */
import process from "node:process";
import { Server } from "hybi";
import { control } from "./core.mjs";

const where = { port: 0, host: "127.0.0.1" };

const listen = async (server) => ({ port: (await server.listen()).port });

const server = new Server(where);
server.on("connection", (ws) => control(ws, { where, listen }));
const { port } = await server.listen();
console.log(JSON.stringify({ port }));
process.stdin.on("end", () => process.exit()).resume();
