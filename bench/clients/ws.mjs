import { once } from "node:events";
import { WebSocket } from "ws";
import { run } from "./run.mjs";

run(async (url, counted) => {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  // As it comes: no kind of message costs ws less.
  ws.binaryType = "nodebuffer";
  ws.on("error", () => undefined);
  const closed = new Promise((resolve) => ws.on("close", resolve));
  ws.on("message", counted);
  await once(ws, "open");
  return () => closed;
});
