// News: what is posted to Hono goes out to all who listen by WebSocket. A second WebSocket has a path of its own.
//
//   node examples/hono.mjs [port]      (with deno run -A, or bun, as well)
//   Then: curl -d "It rains." http://127.0.0.1:3000/news
import process from "node:process";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Server } from "hybi";

const app = new Hono();
app.post("/news", async (context) => {
  const text = await context.req.text();
  for (const ws of news.connections) ws.send(text);
  return context.json({ listeners: news.connections.size });
});

// `@hono/node-server` on Deno and Bun too: what `Deno.serve` and `Bun.serve` take keeps its sockets to itself.
const web = serve({ fetch: app.fetch, port: Number(process.argv[2] ?? 3000), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`News at http://127.0.0.1:${port}/news`);
});

const news = new Server({ server: web, path: "/news" });
const echo = new Server({ server: web, path: "/echo", maxLength: 4_000_000 });

echo.on("connection", async (ws) => {
  for await (const message of ws) ws.send(message);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    web.close(() => process.exit(0)); // once the last connection has ended
    for (const server of [news, echo]) void server.close(); // with 1001
  });
}
