/**
 * `hybi/websocketstream`: a connection as a pair of web streams with backpressure, as it is proposed for browsers.
 *
 * @module
 */
export { WebSocketError, type WebSocketCloseInfo } from "./websocketstream/web-socket-error.ts";
export {
  WebSocketStream,
  type WebSocketOpenInfo,
  type WebSocketStreamOptions,
} from "./websocketstream/web-socket-stream.ts";
export type { WebSocketOptions } from "./websocket/establish.ts";
