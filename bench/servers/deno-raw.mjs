// The limit on Deno: a loop of reads and writes for each connection. The buffer that a read waits with is part of its
// memory; 4 KiB is as little as an echo would do with.
import { ready } from "./ready.mjs";

const { Deno } = globalThis;

async function echo(connection) {
  connection.setNoDelay();
  const buffer = new Uint8Array(4096);
  const write = async (bytes) => {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  };
  await connection.read(buffer);
  await write(new TextEncoder().encode("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  for (let length; (length = await connection.read(buffer)) !== null;) await write(buffer.subarray(0, length));
  connection.close();
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
ready(listener.addr.port);
for await (const connection of listener) echo(connection).catch(() => undefined);
