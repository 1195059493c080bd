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
  type WebSocketInit,
} from "./websocket/websocket.ts";
export type { WebSocketOptions } from "./websocket/establish.ts";
export type { EventHandler } from "./websocket/event-handlers.ts";
export { CloseEvent, type CloseEventInit } from "./websocket/events.ts";
