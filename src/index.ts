/**
 * `hybi`: WebSocket (RFC 6455) servers and clients, the same on every JavaScript runtime.
 *
 * @module
 */
export { Client, connect } from "./client.ts";
export * from "./connection.ts";
export { Server, type ServerEvents, type ServerOptions } from "./server.ts";
