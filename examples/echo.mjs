/** Sends back what comes: text as text, binary as binary. */
export function echo(ws) {
  // A client that sends faster than it reads is held back until it has caught up.
  ws.on("message", (message) => {
    if (!ws.send(message)) ws.pause();
  });
  ws.on("drain", () => ws.resume());
}
