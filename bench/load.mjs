// The load: connections that keep a number of messages in flight, over plain sockets, counting only bytes, so that it
// costs less than any server it measures. It is told what to do by its parent, one order at a time.
import { randomBytes } from "node:crypto";
import { Socket, connect } from "node:net";
import { REQUEST } from "./request.mjs";

/** One masked frame, the naive way. */
function frame(size, text) {
  const key = randomBytes(4);
  const header =
    size < 126 ? [size] : size < 65536 ? [126, size >> 8, size & 255] : [127, 0, 0, 0, 0, ...bytes32(size)];
  header[0] |= 0x80;
  const payload = text ? Buffer.alloc(size, "The quick brown fox. ") : randomBytes(size);
  return Buffer.concat([
    Buffer.from([text ? 0x81 : 0x82, ...header]),
    key,
    payload.map((byte, i) => byte ^ key[i & 3]),
  ]);
}

const bytes32 = (n) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const window = Buffer.alloc(1 << 18);

function open(port, order, count) {
  const one = frame(order.size, order.text);
  const batch = Buffer.concat(Array.from({ length: order.inFlight }, () => one));
  // A server's frames are not masked; the raw echo sends back what it got.
  const back = order.masked ? one.length : one.length - 4;
  let pending = 0;
  let opened = false;
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: window,
        callback(length) {
          if (!opened) {
            opened = true;
            if (!window.subarray(0, length).includes("\r\n\r\n")) throw new Error("The handshake came in pieces.");
            resolve(socket);
            return true;
          }
          pending += length;
          const messages = Math.floor(pending / back);
          if (messages > 0) {
            pending -= messages * back;
            count(messages);
            for (let left = messages; left > 0; left -= order.inFlight)
              socket.write(left >= order.inFlight ? batch : batch.subarray(0, left * one.length));
          }
          return true;
        },
      },
    });
    socket.begin = () => socket.write(batch);
    socket.on("connect", () => socket.write(REQUEST));
    socket.on("error", reject);
  });
}

process.on("message", async (order) => {
  let messages = 0;
  const sockets = await Promise.all(
    Array.from({ length: order.connections }, () => open(order.port, order, (n) => (messages += n))),
  );
  for (const socket of sockets) socket.begin();
  await new Promise((resolve) => setTimeout(resolve, order.warmUp));
  messages = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, order.duration));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = messages / seconds;
  for (const socket of sockets) if (socket instanceof Socket) socket.destroy();
  process.send({ perSecond, load: (user + system) / 1e6 / seconds });
});
