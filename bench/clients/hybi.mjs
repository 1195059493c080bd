import { once } from "node:events";
import { Client } from "hybi";
import { run } from "./run.mjs";

run(async (url, counted) => {
  const ws = new Client(url);
  const closed = new Promise((resolve) => ws.on("close", resolve));
  ws.on("message", counted);
  await once(ws, "open");
  return () => closed;
});
