/**
 * What users hold in their hands: a connection, and all that its methods speak of.
 *
 * @module
 */
export { ClientConnection, type ClientOptions, type DialTarget } from "./driver/client-connection.ts";
export { Connection } from "./driver/connection.ts";
export type { ConnectionEvents } from "./driver/events.ts";
export type { Emitter, Listener } from "./driver/emitter.ts";
export type { CloseInfo } from "./driver/link-owner.ts";
export type { ConnectionOptions } from "./driver/options.ts";
export type { SendCallback } from "./driver/sender.ts";
export type { SendOptions, SendType } from "./driver/sending.ts";
export { ServerConnection } from "./driver/server-connection.ts";
export type { Data, Message } from "./protocol/data.ts";
export { closeCodes, isCloseCode } from "./codec/close-codes.ts";
export { ConnectionError, HybiError, errorCodes, type ErrorCode } from "./errors.ts";
export { HandshakeError, HeadError, ProtocolError } from "./protocol/errors.ts";
export { RefusalError, type RefusalReason } from "./protocol/refusal.ts";
export { Budget, processBudget } from "./protocol/budget.ts";
export type { HeartbeatOptions } from "./driver/heartbeat.ts";
export type { Capabilities } from "./driver/capabilities.ts";
export type { Diagnostics } from "./driver/diagnostics.ts";
export type { Counters } from "./driver/counters.ts";
export type { SlowConsumer } from "./driver/queue.ts";
export type { Extension, ExtensionOffer, ExtensionParameter, ExtensionSession } from "./protocol/extension.ts";
export { HeaderFields, type HeadersInput } from "./protocol/headers.ts";
export type { Role } from "./protocol/protocol.ts";
export type { ReadyState } from "./protocol/state.ts";
