// Connections that come and go: TCP, the opening handshake, the closing handshake, and the next. Each that is over counts.
import { Buffer } from "node:buffer";
import { REQUEST } from "../request.mjs";

const { Bun } = globalThis;

/** A Close frame with 1000, masked with zeros in the place of a key. */
const CLOSE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
const END_OF_HEAD = "\r\n\r\n";
/** Milliseconds within which the last ones have to be over. */
const SOON = 10_000;

export async function handshakes({ port, connections, comesBack }) {
  let count = 0;
  let open = 0;
  let isOver = false;
  let failure;
  const failed = (error) => (failure ??= error);
  const handlers = {
    open(socket) {
      socket.data = { head: "", isOpen: false, isDone: false };
      socket.write(REQUEST);
    },
    data(socket, chunk) {
      const state = socket.data;
      if (!state.isOpen) {
        state.head += chunk.latin1Slice();
        if (!state.head.includes(END_OF_HEAD)) return;
        if (!state.head.startsWith("HTTP/1.1 101 ")) failed(new Error(`The server answered ${state.head}.`));
        state.isOpen = true;
        socket.write(CLOSE);
        return;
      }
      if (chunk[0] !== CLOSE[0]) failed(new Error(`No Close frame came, but 0x${chunk[0].toString(16)}.`));
      state.isDone = true;
      // A WebSocket server ends the connection first (RFC 6455 §7.1.1); a raw echo does not know that it is over.
      if (comesBack === "as it is") socket.end();
    },
    end(socket) {
      socket.end();
    },
    close({ data }) {
      open--;
      if (data?.isDone) count++;
      else failed(new Error("The server closed a connection before its closing handshake."));
      next();
    },
    error: (socket, error) => failed(error),
    connectError: (socket, error) => failed(error),
  };
  const next = () => {
    if (isOver || failure) return;
    open++;
    Bun.connect({ hostname: "127.0.0.1", port, socket: handlers }).catch(failed);
  };
  for (let i = 0; i < connections; i++) next();
  const counted = () => {
    if (failure) throw failure;
    return { count };
  };
  return {
    sample: counted,
    async stop() {
      isOver = true;
      for (const from = performance.now(); open > 0 && performance.now() - from < SOON && !failure;)
        await new Promise((resolve) => setTimeout(resolve, 5));
      counted();
      if (open > 0) throw new Error(`${open} connections were not closed.`);
    },
  };
}
