// A WebSocket for those alone who have logged in: Koa sets a signed cookie, and its own code reads it at the upgrade.
//
//   node examples/koa.mjs [port]      (with deno run -A, or bun, as well)
//   Then visit /login?name=Ann.
import { randomBytes } from "node:crypto";
import { ServerResponse } from "node:http";
import process from "node:process";
import Koa from "koa";
import { Server } from "hybi";

const app = new Koa();
app.keys = [randomBytes(32).toString("hex")];
app.use((ctx) => {
  if (ctx.path !== "/login") return;
  // "strict", so that no page of another site can open the WebSocket in this user's name (RFC 6455 §10.2).
  ctx.cookies.set("name", encodeURIComponent(ctx.query.name ?? "nobody"), { signed: true, sameSite: "strict" });
  ctx.body = "Welcome.\n";
});

const web = app.listen(Number(process.argv[2] ?? 3000), "127.0.0.1", () => {
  console.log(`Log in at http://127.0.0.1:${web.address().port}/login`);
});

// This one is not attached: it takes what it is given below.
const members = new Server({ path: "/members" });
members.on("connection", (ws, request) => {
  ws.send(`Hello, ${decodeURIComponent(request.headers.get("x-name"))}`);
  ws.on("message", (message) => ws.send(message));
});

web.on("upgrade", (request, socket, head) => {
  const name = app.createContext(request, new ServerResponse(request)).cookies.get("name", { signed: true });
  if (name !== undefined) {
    const { method, url, headers, httpVersion } = request;
    return members.upgrade({ method, url, headers: { ...headers, "x-name": name }, httpVersion, socket, head });
  }
  socket.on("error", () => socket.destroy());
  socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    web.close(() => process.exit(0)); // once the last connection has ended
    void members.close(); // with 1001
  });
}
