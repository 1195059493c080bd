// An echo that ends with Fastify's own life: its `close` ends the WebSockets too, and its routes know of them.
//
//   node examples/fastify.mjs [port]      (with deno run -A, or bun, as well)
import process from "node:process";
import { fastify } from "fastify";
import { Server } from "hybi";

const app = fastify();
const echo = new Server({ server: app.server, path: "/echo" });

echo.on("connection", (ws) => {
  // A client that sends faster than it reads is held back until it has caught up.
  ws.on("message", (message) => {
    if (!ws.send(message)) ws.pause();
  });
  ws.on("drain", () => ws.resume());
});

app.get("/status", () => ({ connections: echo.connections.size }));

// With 1001, before Fastify waits for its connections to end.
app.addHook("preClose", () => echo.close());

const url = await app.listen({ port: Number(process.argv[2] ?? 3000), host: "127.0.0.1" });
console.log(`Status at ${url}/status`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await app.close();
    process.exit(0);
  });
}
