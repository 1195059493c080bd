import type { ExtensionOffer, ExtensionParameter } from "../protocol/extension.ts";

/** The name that RFC 7692 §7 registers. */
export const PERMESSAGE_DEFLATE = "permessage-deflate";

/** The parameters of an offer or a response (RFC 7692 §7.1). */
export interface Parameters {
  /** §7.1.1.1 */
  serverNoContextTakeover?: boolean;
  /** §7.1.1.2 */
  clientNoContextTakeover?: boolean;
  /** §7.1.2.1: 8 to 15. */
  serverMaxWindowBits?: number | undefined;
  /** §7.1.2.2: 8 to 15; `true`, in an offer, for no value. */
  clientMaxWindowBits?: number | true | undefined;
}

/** The value of a parameter as it is kept, or undefined when it may not stand there. */
type Reader = (value: string | true) => number | true | undefined;

const flag: Reader = (value) => (value === true ? true : undefined);
/** A decimal number without leading zeros (§7.1.2.1). */
const bits: Reader = (value) => (value !== true && /^([89]|1[0-5])$/.test(value) ? Number(value) : undefined);
const bitsOrNone: Reader = (value) => (value === true ? true : bits(value));

const fields: readonly [name: string, field: keyof Parameters, inOffer: Reader, inResponse: Reader][] = [
  ["server_no_context_takeover", "serverNoContextTakeover", flag, flag],
  ["client_no_context_takeover", "clientNoContextTakeover", flag, flag],
  ["server_max_window_bits", "serverMaxWindowBits", bits, bits],
  ["client_max_window_bits", "clientMaxWindowBits", bitsOrNone, bits],
];

/** What an offer, or else a response, says; undefined when a name is unknown or stands twice, or a value is invalid (§7). */
export function readParameters(given: readonly ExtensionParameter[], inOffer: boolean): Parameters | undefined {
  const parameters: Record<string, unknown> = {};
  for (const [name, text] of given) {
    const known = fields.find(([candidate]) => candidate === name);
    if (!known) return undefined;
    const [, field, offered, responded] = known;
    const value = (inOffer ? offered : responded)(text);
    if (value === undefined || field in parameters) return undefined;
    parameters[field] = value;
  }
  return parameters;
}

/** The element of `Sec-WebSocket-Extensions` that says this. */
export function writeParameters(parameters: Parameters): ExtensionOffer {
  const written: ExtensionParameter[] = [];
  for (const [name, field] of fields) {
    const value = parameters[field];
    if (value !== undefined && value !== false) written.push([name, value === true ? true : String(value)]);
  }
  return { name: PERMESSAGE_DEFLATE, parameters: written };
}
