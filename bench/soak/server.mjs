// The server of the soak. A client's path says what it gets: `/talk` an answer to each message, `/talk/7` a Close frame
// behind the seventh, `/flood` messages as fast as it reads.
import process from "node:process";
import { Server } from "hybi";
import { defaultCodec } from "hybi/codec";
import { Tally, chance, compose, fault, send } from "./traffic.mjs";

const [seed, handshakeTimeout, ...hosts] = process.argv.slice(2);
const tally = new Tally();
const violations = [];
let opened = 0;

function violation(text) {
  tally.add("violations");
  if (violations.length < 20) violations.push(text);
}

function talk(ws, random, most) {
  let received = 0;
  ws.on("message", (message) => {
    const wrong = fault(message, received);
    if (wrong) violation(`the server: ${wrong}`);
    tally.add("messages received");
    tally.add("units received", message.length);
    if (received < most) {
      tally.add("messages sent");
      if (!send(ws, compose(received, random), random)) {
        ws.pause();
        ws.once("drain", () => ws.resume());
      }
    }
    received++;
    if (received === most) void ws.close(4000, "that is all");
  });
}

async function flood(ws, random) {
  for (let seq = 0; ws.readyState === "open"; seq++) {
    tally.add("messages sent");
    if (send(ws, compose(seq, random, 16_384), random)) await new Promise((resolve) => setImmediate(resolve));
    else await new Promise((resolve) => ws.once("drain", resolve).once("close", resolve));
  }
}

function accept(ws, { path }) {
  const [, kind, most = Infinity] = path.split("/");
  const random = chance(Number(seed), ++opened);
  tally.add("connections");
  ws.on("error", (error) => tally.add(error.code ?? String(error)));
  ws.on("close", (code) => tally.add(`closed with ${code}`));
  if (kind === "flood") void flood(ws, random);
  else talk(ws, random, Number(most));
}

// Several addresses have several times the ports.
const options = { port: 0, handshakeTimeout: Number(handshakeTimeout), closeTimeout: 5000 };
const servers = hosts.map((host) => new Server({ host, ...options }));
const urls = [];
for (const [i, server] of servers.entries()) {
  server.on("connection", accept);
  server.on("refused", ({ status }) => tally.add(`refused with ${status}`));
  server.on("error", (error) => violation(`the server: ${error.stack}`));
  const { port } = await server.listen();
  urls.push(`ws://${hosts[i]}:${port}`);
}

async function collect(rounds) {
  const { Bun, gc } = globalThis;
  const once = Bun ? () => Bun.gc(true) : gc;
  // What a collection leaves to finalizers is gone by the next, and V8 takes seconds to give free pages back.
  for (let i = 0; i < rounds; i++) {
    once();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

process.on("message", async ({ rounds }) => {
  await collect(rounds);
  process.send({
    heap: process.memoryUsage().heapUsed,
    connections: servers.reduce((sum, { connections }) => sum + connections.size, 0),
    slots: defaultCodec.slotsTaken,
    counts: tally.counts,
    violations,
  });
});
process.on("disconnect", () => process.exit());
// On Deno this opens at once what it opens half a second later else.
process.on("SIGUSR2", () => undefined);
process.send({ urls, pid: process.pid });
