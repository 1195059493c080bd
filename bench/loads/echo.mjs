// Connections that each keep a number of messages in flight: what comes back is sent again.
import { Crowd } from "./crowd.mjs";
import { frames } from "./frames.mjs";

export async function echo(order) {
  let isOver = false;
  let sent = 0;
  const send = (messages, connection) => {
    sent += messages;
    connection.send(messages);
  };
  const crowd = await Crowd.open(order, frames(order), (messages, connection) => {
    if (!isOver) send(messages, connection);
  });
  for (const connection of crowd.connections) send(order.inFlight, connection);
  return {
    sample: () => crowd.counted,
    async stop() {
      isOver = true;
      await crowd.end(() => sent);
    },
  };
}
