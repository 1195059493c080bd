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

const listen = (server) => ({ socket: servers.push(server) - 1 });

controller.on("connection", (ws) => control(ws, { where: {}, listen }));

export default {
  async connect(socket, _env, { props }) {
    await servers[props.socket].accept(socket);
  },
};
