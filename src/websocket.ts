/**
 * `hybi/websocket`: the `WebSocket` that browsers have, over hybi's own client, the same on every runtime.
 *
 * @module
 */
export {
  WebSocket,
  type BinaryType,
  type WebSocketData,
  type WebSocketErrorEvent,
  type WebSocketEventMap,
} from "./websocket/websocket.ts";
export type { WebSocketOptions } from "./websocket/establish.ts";
export { CloseEvent, type CloseEventInit, type EventHandler } from "./websocket/events.ts";
