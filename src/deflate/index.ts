/**
 * `hybi/deflate`: DEFLATE (RFC 1951), synchronous and with streams that keep their window, and permessage-deflate
 * (RFC 7692) on it.
 *
 * @module
 */
export { deflate, Deflater, type DeflateOptions } from "./deflater.ts";
export { inflate, Inflater, type InflateOptions } from "./inflater.ts";
export { DeflateModule, type DeflateBuild } from "./module.ts";
export { permessageDeflate, windowBudget, type PermessageDeflateOptions } from "./permessage-deflate.ts";
export { Budget } from "../protocol/budget.ts";
export { DataError, HybiError, errorCodes, type ErrorCode } from "../errors.ts";
export type {
  AcceptedExtension,
  Extension,
  ExtensionOffer,
  ExtensionParameter,
  ExtensionSession,
} from "../protocol/extension.ts";
