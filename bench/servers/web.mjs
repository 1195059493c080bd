// The web server of Node's that the libraries stand on.
import * as http from "node:http";
import * as https from "node:https";
import { tls } from "./options.mjs";
import { ready } from "./ready.mjs";

export const web = tls ? https.createServer(tls) : http.createServer();

export function listen() {
  web.listen(0, "127.0.0.1", () => ready(web.address().port));
}
