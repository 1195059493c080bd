import type { Host } from "../driver/transport.ts";
import { isDuplex, wrapDuplex } from "./duplex.ts";
import { host as base } from "./streams.ts";

export const host: Host = {
  ...base,
  wrap: (socket, head) => (isDuplex(socket) ? wrapDuplex(socket, head) : base.wrap(socket, head)),
};
