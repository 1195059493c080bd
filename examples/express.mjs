// A chat: what one says, all hear. The page is Express's, the WebSocket is hybi's, and both are on one port.
//
//   node examples/express.mjs [port]      (with deno run -A, or bun, as well)
import process from "node:process";
import express from "express";
import { Server } from "hybi";

const page = `<!doctype html>
<title>Chat</title>
<form><input name="say" autofocus> <button>Say</button></form>
<pre></pre>
<script>
  const ws = new WebSocket(location.href.replace("http", "ws") + "chat");
  ws.onmessage = ({ data }) => document.querySelector("pre").append(data, "\\n");
  document.forms[0].onsubmit = ({ target }) => (ws.send(target.say.value), target.reset(), false);
</script>`;

const app = express();
app.get("/", (request, response) => response.send(page));

const web = app.listen(Number(process.argv[2] ?? 3000), "127.0.0.1", () => {
  console.log(`Chat at http://127.0.0.1:${web.address().port}/`);
});

const chat = new Server({ server: web, path: "/chat" });
chat.on("connection", (ws) => {
  ws.on("message", (message) => {
    for (const one of chat.connections) {
      // Who does not keep up would have all that is said kept in memory.
      if (one.bufferedAmount > 16_000_000) one.terminate();
      else one.send(message);
    }
  });
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    web.close(() => process.exit(0)); // once the last connection has ended
    void chat.close(); // with 1001
  });
}
