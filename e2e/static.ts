import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const types: Record<string, string> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
};

/** Serves the files of a folder as they are, with a Content-Security-Policy if one is given. */
export async function serve(folder: string, policy?: string): Promise<{ url: string; close(): Promise<unknown> }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url!, "http://x").pathname;
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const headers = {
      "Content-Type": types[extname(name)] ?? "text/plain",
      ...(policy && { "Content-Security-Policy": policy }),
    };
    readFile(join(folder, name)).then(
      (bytes) => response.writeHead(200, headers).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections();
      return once(server.close(), "close");
    },
  };
}
