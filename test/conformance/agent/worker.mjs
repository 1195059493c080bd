/**
 * The party of the conformance suite for workerd, which listens on the sockets of its configuration: the first is the
 * control connection's, the others belong to one server each.
 *
 * @module
 */
import { Server } from "hybi";
import { control } from "./core.mjs";

const controller = new Server();
const servers = [controller];

let next = 1;

function listen(server, socket = next++) {
  servers[socket] = server;
  return { socket };
}

controller.on("connection", (ws) => control(ws, { where: {}, listen }));

export default {
  async connect(socket, _env, { props }) {
    await servers[props.socket].accept(socket);
  },
};
