// A server that sends the same to all who are connected, for slow-consumer.test.ts, which runs this under each runtime.
// Each line of its standard input is a command, whose answer is a line of JSON.
//
//   broadcast.mjs '{"slowConsumer": "drop-oldest", …}'
import process from "node:process";
import { createInterface } from "node:readline";
import { Server } from "hybi";

const server = new Server({ port: 0, host: "127.0.0.1", heartbeat: false, ...JSON.parse(process.argv[2]) });

/** What became of each message to the connection at `/stalled`: what its callback was called with, or send threw. */
const fates = [];
/** What happened to that connection. */
const events = [];
let stalled;

server.on("connection", (ws, { path }) => {
  if (path !== "/stalled") return;
  stalled = ws;
  ws.on("drain", () => events.push(["drain"]));
  ws.on("error", ({ code }) => events.push(["error", code]));
  ws.on("close", (code) => events.push(["close", code]));
});

/** Its messages are numbered by themselves, since it gets more than the others. */
function sendToStalled(size, options) {
  const fate = [];
  const number = fates.push(fate) - 1;
  const callback = (error) => fate.push(error ? (error.code ?? error.message) : "sent");
  try {
    stalled.send(`${number}`.padEnd(size), { ...options, callback });
  } catch (error) {
    fate.push(`threw ${error.code ?? error}`);
  }
}

const commands = {
  /** Sends messages to the one that is stalled alone. */
  fill(count, size) {
    for (let i = 0; i < count; i++) sendToStalled(size);
  },
  /** Sends messages to all, numbered from `from` on. */
  broadcast(from, count, size) {
    for (let i = from; i < from + count; i++)
      for (const ws of server.connections)
        if (ws === stalled) sendToStalled(size);
        else ws.send(`${i}`.padEnd(size));
  },
  /** Sends one message to all, in fragments. */
  fragments(from, count, size) {
    for (let i = 0; i < count; i++) {
      const options = { ...(i > 0 && { type: "continuation" }), fin: i === count - 1 };
      for (const ws of server.connections)
        if (ws === stalled) sendToStalled(size, options);
        else ws.send(`${from}`.padEnd(size), options);
    }
  },
  look: () => ({ fates, events, stats: server.stats(), behind: stalled.bufferedAmount }),
};

const { port } = await server.listen();
const print = (what) => console.log(JSON.stringify(what));
print({ port });
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [name, ...args] = JSON.parse(line);
    print(commands[name](...args) ?? null);
  })
  .on("close", () => process.exit());
