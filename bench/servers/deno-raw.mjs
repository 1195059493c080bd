// The limit on Deno: a loop of reads and writes for each connection.
import { options, tls } from "./options.mjs";
import { ready } from "./ready.mjs";

const { Deno } = globalThis;
const connections = new Set();

async function write(connection, bytes) {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function echo(connection) {
  connection.setNoDelay?.();
  // It is kept while a read waits, so a server with many idle connections would take a small one.
  const buffer = new Uint8Array(Number(options.buffer));
  await connection.read(buffer);
  await write(connection, new TextEncoder().encode("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  connections.add(connection);
  for (let length; (length = await connection.read(buffer)) !== null;) {
    const bytes = buffer.subarray(0, length);
    if (!options.broadcast) await write(connection, bytes);
    else await Promise.all(Array.from(connections, (other) => write(other, bytes)));
  }
}

async function serve(connection) {
  try {
    await echo(connection);
  } catch {
    // The load has broken off.
  }
  connections.delete(connection);
  connection.close();
}

const at = { hostname: "127.0.0.1", port: 0 };
const listener = tls ? Deno.listenTls({ ...at, ...tls }) : Deno.listen(at);
ready(listener.addr.port);
for await (const connection of listener) void serve(connection);
