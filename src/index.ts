/**
 * `hybi`: WebSocket (RFC 6455) servers and clients, the same on every JavaScript runtime.
 *
 * @module
 */
export { capabilities } from "./capabilities.ts";
export { Client, connect } from "./client.ts";
export * from "./connection.ts";
export { Server, type ServerCloseOptions, type ServerEvents } from "./server/server.ts";
export type { ServerOptions } from "./server/options.ts";
export type { ServerStats } from "./server/stats.ts";
export type { Acceptance, Upgrade, UpgradeDecision, UpgradeRequest } from "./driver/upgrade.ts";
export type { OriginPolicy } from "./protocol/origin.ts";
