// One connection sends, and everyone gets it: the next message goes out when all have the former.
import { Crowd } from "./crowd.mjs";
import { frames } from "./frames.mjs";

export async function broadcast(order) {
  let isOver = false;
  let sent = 0;
  const crowd = await Crowd.open(order, frames(order), () => {
    const all = order.connections;
    while (!isOver && crowd.count >= (sent - order.inFlight + 1) * all) send();
  });
  const send = () => {
    sent++;
    crowd.connections[0].send(1);
  };
  for (let i = 0; i < order.inFlight; i++) send();
  return {
    sample: () => crowd.counted,
    async stop() {
      isOver = true;
      await crowd.end(() => sent * order.connections);
    },
  };
}
