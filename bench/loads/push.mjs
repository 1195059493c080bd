// A server that sends the same frames, made beforehand, as fast as its clients take them.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { frames } from "./frames.mjs";

const { Bun } = globalThis;

/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const MOST_OF_A_WRITE = 1 << 20;

function response(head) {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1];
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

export function push({ size, payload }) {
  const { bytes } = frames({ payload, size, inFlight: Math.ceil(MOST_OF_A_WRITE / size), isMasked: false });
  const flush = (socket) => {
    for (;;) {
      const at = socket.data.at;
      const written = socket.write(bytes, at, bytes.length - at);
      if (written <= 0) return;
      socket.data.at = (at + written) % bytes.length;
      if (written < bytes.length - at) return;
    }
  };
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { head: "", at: 0, isOpen: false };
      },
      data(socket, chunk) {
        if (socket.data.isOpen) return;
        socket.data.head += Buffer.from(chunk).toString("latin1");
        if (!socket.data.head.includes("\r\n\r\n")) return;
        socket.data.isOpen = true;
        socket.write(response(socket.data.head));
        flush(socket);
      },
      drain(socket) {
        if (socket.data.isOpen) flush(socket);
      },
      error: () => undefined,
    },
  });
  return {
    told: { port: listener.port },
    sample: () => ({}),
    stop: () => void listener.stop(true),
  };
}
