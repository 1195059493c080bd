// uWebSockets.js, where it is installed.
import uws from "uWebSockets.js";
import { options } from "./options.mjs";
import { ready } from "./ready.mjs";

const ALL = "all";
const app = uws.App();
app.ws("/*", {
  compression: uws.DISABLED,
  idleTimeout: 0,
  maxPayloadLength: 2 ** 26,
  maxBackpressure: 2 ** 26,
  open(ws) {
    if (options.broadcast) ws.subscribe(ALL);
  },
  message(ws, message, isBinary) {
    if (options.broadcast) app.publish(ALL, message, isBinary);
    else ws.send(message, isBinary);
  },
});
app.listen("127.0.0.1", 0, (socket) => ready(uws.us_socket_local_port(socket)));
