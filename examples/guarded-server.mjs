// A chat that can stand on the open internet: who gets in, what each may cost, and how it ends.
//
//   node examples/guarded-server.mjs [port]
//
// Connect with the header "Authorization: Bearer <a name>". SIGUSR2 prints the counters; SIGTERM ends it gracefully.
import process from "node:process";
import { RefusalError, Server } from "hybi";

const server = new Server({
  host: "127.0.0.1",
  port: Number(process.argv[2] ?? 5000),
  // Pages of these origins may connect, and programs, which send no Origin.
  origins: ["https://chat.example"],
  maxConnections: 10_000,
  maxConnectionsPerAddress: 100,
  // A client that reads too slowly gets the newest messages, and nobody waits for it.
  slowConsumer: "drop-oldest",
  maxQueuedBytes: 1_000_000,
  maxLength: 10_000,
  async upgrade({ path, headers, address }) {
    if (path !== "/chat") throw new RefusalError(404, "There is only /chat.");
    const [, name] = /^Bearer (\w+)$/.exec(headers.get("authorization") ?? "") ?? [];
    if (!name) throw new RefusalError(401, "Who are you?", { "WWW-Authenticate": "Bearer" });
    return { data: { name, address } };
  },
});

server.on("connection", (ws) => {
  ws.on("message", (message) => {
    for (const other of server.connections) if (other !== ws) other.send(`${ws.data.name}: ${message}`);
  });
  // What a listener throws, or a peer does wrong, ends that connection and no other.
  ws.on("error", (error) => console.error(`${ws.data.name}: ${error.code}`));
});

const { hostname, port } = await server.listen();
console.log(`Chatting at ws://${hostname}:${port}/chat`);

process.on("SIGUSR2", () => console.log(JSON.stringify(server.stats())));

process.once("SIGTERM", async () => {
  // Newcomers get 503 and the others 1001, in groups; whoever does not answer is ended after five seconds.
  await server.close({ timeout: 5000 });
  console.log("Closed.");
  process.exit(0);
});
