/**
 * `hybi` in a page: the same client over the browser's own WebSocket, without a codec. What a page cannot do is refused
 * with ERR_UNSUPPORTED, and `capabilities` says it beforehand.
 *
 * @module
 */
import { host } from "./browser/host.ts";
import { capabilitiesOf, type Capabilities } from "./driver/capabilities.ts";

/** What can be done here, to be asked before it is done. */
export const capabilities: Capabilities = /* @__PURE__ */ capabilitiesOf(host);

export { Client, connect } from "./browser/client.ts";
export { ClientConnection } from "./browser/client-connection.ts";
export { Server, ServerConnection } from "./browser/server.ts";
export { closeCodes, isCloseCode } from "./codec/close-codes.ts";
export { Connection } from "./driver/connection.ts";
export { ConnectionError, HybiError, errorCodes } from "./errors.ts";
export { Budget, processBudget } from "./protocol/budget.ts";
export { HandshakeError, HeadError, ProtocolError } from "./protocol/errors.ts";
export { HeaderFields } from "./protocol/headers.ts";
export { RefusalError } from "./protocol/refusal.ts";
