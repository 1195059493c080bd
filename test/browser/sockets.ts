import { WebSocket as Undici } from "undici";
import { WebSocket } from "../../src/websocket.ts";

/** Two of the standard's WebSockets to stand where a browser has its own. */
export const sockets: readonly (readonly [name: string, WebSocket: unknown])[] = [
  ["undici's WebSocket", Undici],
  ["hybi's own", WebSocket],
];
