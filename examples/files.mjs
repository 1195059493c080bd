// Serves the files of a folder by HTTP.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname, join } from "node:path";

const types = { ".html": "text/html", ".css": "text/css", ".mjs": "text/javascript", ".png": "image/png" };

/** A listener for the requests of an `http` server. */
export function filesOf(folder) {
  return async ({ method, url }, response) => {
    const path = url.replace(/\?.*/s, "");
    const file = join(folder, path === "/" ? "index.html" : path);
    // Names of one part, so that no path leads out of the folder.
    const isThere = /^\/[\w.-]*$/.test(path) && (await stat(file).catch(() => undefined))?.isFile();
    const status = isThere ? (method === "GET" || method === "HEAD" ? 200 : 405) : 404;
    const headers = { "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", Allow: "GET, HEAD" };
    response.writeHead(status, {
      ...headers,
      "Content-Type": `${types[extname(file)] ?? "text/plain"}; charset=utf-8`,
    });
    if (status === 200 && method === "GET") createReadStream(file).pipe(response);
    else response.end();
  };
}
