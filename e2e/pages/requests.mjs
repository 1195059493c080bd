// Sends requests to the server of `hybi/streams`, over a socket in memory.
import { Server } from "hybi/streams";
import { bytesOf, cuts, same } from "./bytes.mjs";
import { MemoryTransport } from "./sockets.mjs";

export async function requests(codec, _, { bytes, options, expected }) {
  for (const chunks of cuts(bytesOf(bytes))) {
    const socket = new MemoryTransport(
      () => chunks,
      () => undefined,
      true,
    );
    await new Server({ codec, ...options }).accept(socket);
    same(Number(/^HTTP\/1\.1 (\d+) /.exec(socket.received)?.[1]), expected);
    if (/^Sec-WebSocket-(?:Extensions|Protocol)/im.test(socket.received)) throw new Error("it was taken");
  }
}
