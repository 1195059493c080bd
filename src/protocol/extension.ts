/**
 * Extensions: the grammar of `Sec-WebSocket-Extensions` and their negotiation (RFC 6455 §9.1, §11.3.2).
 *
 * @module
 */

import { HybiError, typeError } from "../errors.ts";
import { isSpace, isToken, isTokenCode, maxListElements, maxListLength, shown } from "./headers.ts";

/** One parameter; `true` when it stands without a value. */
export type ExtensionParameter = [name: string, value: string | true];

/** One element of the field: an offer in a request, a response in a response. Parameters may repeat. */
export interface ExtensionOffer {
  name: string;
  parameters: ExtensionParameter[];
}

/** An extension as it is configured, before it is negotiated for a connection. */
export interface Extension {
  /** Its registered name, a token. */
  readonly name: string;
  /** Client: what to offer, the preferred first; each carries {@link name}. */
  offer(): ExtensionOffer[];
  /** Server: takes one of the client's offers of this name, given in the client's order; undefined declines them all. */
  accept(offers: readonly ExtensionOffer[]): AcceptedExtension | undefined;
  /** Client: takes the server's response to its offer. Throws a {@link HybiError} when that is not acceptable. */
  confirm(response: ExtensionOffer): ExtensionSession;
}

export interface AcceptedExtension {
  response: ExtensionOffer;
  session: ExtensionSession;
}

/** An extension at work on one connection. */
export interface ExtensionSession {
  /** The reserved bits it uses on the first frame of a message: 0x40 (RSV1), 0x20 (RSV2), 0x10 (RSV3), or-ed. */
  readonly rsv: number;
  /**
   * A message to send; undefined: it goes out as it is, without the bit. `compress` is what its sender said to that; an
   * extension that does not compress has no use for it.
   */
  encode(opcode: number, data: Uint8Array, compress?: boolean): Uint8Array | undefined;
  /**
   * A fragment of a message to send (§5.4). What is answered to the first, whose opcode is the message's, goes for all of
   * them: undefined lets them out as they are. Without this method messages in fragments are left alone.
   */
  encodeFragment?(opcode: number, data: Uint8Array, fin: boolean, compress?: boolean): Uint8Array | undefined;
  /**
   * A message received with the bit; `maxLength`, in bytes, is for what comes out. An error with the code ERR_TOO_LONG
   * fails the connection with 1009, any other with 1007, unless a `ProtocolError` says its own.
   */
  decode(opcode: number, data: Uint8Array, maxLength: number): Uint8Array;
  /** Frees what it holds. */
  close(): void;
}

/**
 * What a server negotiated: the elements of its response, and in the same order the sessions. A message to send passes
 * them in this order, a received one in reverse (§9.1).
 */
export interface NegotiatedExtensions {
  responses: ExtensionOffer[];
  sessions: ExtensionSession[];
}

/**
 * The elements of `Sec-WebSocket-Extensions`; takes time in proportion to the text.
 *
 * @param value  the field's value, several fields joined by ", " (§9.1)
 * @returns undefined when the value does not fit the grammar, or is past the limits of a list, where parameters are
 *   counted with the elements
 */
export function parseExtensions(value: string): ExtensionOffer[] | undefined {
  if (value.length > maxListLength) return undefined;
  const scanner = new Scanner(value);
  const offers: ExtensionOffer[] = [];
  for (let count = 1; ; count++) {
    if (count > maxListElements) return undefined;
    const name = scanner.token();
    if (name !== "") {
      const parameters: ExtensionParameter[] = [];
      while (scanner.take(SEMICOLON)) {
        if (++count > maxListElements) return undefined;
        const parameter = parseParameter(scanner);
        if (!parameter) return undefined;
        parameters.push(parameter);
      }
      offers.push({ name, parameters });
    }
    if (scanner.atEnd) return offers.length > 0 ? offers : undefined;
    if (!scanner.take(COMMA)) return undefined;
  }
}

function parseParameter(scanner: Scanner): ExtensionParameter | undefined {
  const name = scanner.token();
  if (name === "") return undefined;
  if (!scanner.take(EQUALS)) return [name, true];
  const value = scanner.take(QUOTE) ? scanner.quoted() : scanner.token();
  // §9.1: a quoted value must be a token once it is unescaped, so neither form leaves room for an empty one.
  return isToken(value) ? [name, value] : undefined;
}

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Walks over a text once; spaces go with what stands before them (§9.1 keeps RFC 2616's implied LWS). */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    // Inside quotes a space is part of the value.
    if (code !== QUOTE) this.#skipSpace();
    return true;
  }

  /** What stands before the next delimiter; not yet known to be a token when it is not empty and not followed by one. */
  token(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && isTokenCode(this.#text.charCodeAt(this.#at))) this.#at++;
    const token = this.#text.slice(start, this.#at);
    this.#skipSpace();
    return token;
  }

  /** The unescaped rest of a quoted-string; "" when the quote is never closed. */
  quoted(): string {
    const start = this.#at;
    let escaped = false;
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) {
        const raw = this.#text.slice(start, this.#at++);
        this.#skipSpace();
        return escaped ? raw.replace(/\\(.)/gs, "$1") : raw;
      }
      if (code === BACKSLASH) {
        escaped = true;
        this.#at++;
      }
    }
    return "";
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }
}

/**
 * The value of `Sec-WebSocket-Extensions` for these elements.
 *
 * @throws TypeError ERR_HEADER when a name or a value is not a token
 */
export function serializeExtensions(offers: readonly ExtensionOffer[]): string {
  return offers
    .map(({ name, parameters }) =>
      [checkToken(name), ...parameters.map(([key, value]) => serializeParameter(key, value))].join("; "),
    )
    .join(", ");
}

function serializeParameter(name: string, value: string | true): string {
  return value === true ? checkToken(name) : `${checkToken(name)}=${checkToken(value)}`;
}

function checkToken(text: string): string {
  if (!isToken(text)) throw typeError("ERR_HEADER", `The extension name or value ${shown(text)} is not an HTTP token.`);
  return text;
}

/**
 * Server: lets each configured extension choose among the client's offers, in the client's order of preference.
 * An extension that claims a reserved bit which an earlier one already holds is declined (§9.1).
 */
export function negotiate(offers: readonly ExtensionOffer[], extensions: readonly Extension[]): NegotiatedExtensions {
  const responses: ExtensionOffer[] = [];
  const sessions: ExtensionSession[] = [];
  const names = extensions.length > 0 ? new Set(offers.map((offer) => offer.name)) : [];
  closingOnError(sessions, () => {
    for (const name of names) {
      const extension = extensions.find((candidate) => candidate.name === name);
      const accepted = extension?.accept(offers.filter((offer) => offer.name === name));
      if (!accepted) continue;
      if (claimed(sessions) & accepted.session.rsv) {
        accepted.session.close();
        continue;
      }
      responses.push(accepted.response);
      sessions.push(accepted.session);
    }
  });
  return { responses, sessions };
}

/**
 * Client: has each extension that was offered confirm the server's response.
 *
 * @param extensions  those that were offered
 * @returns the sessions, in the server's order
 * @throws HybiError ERR_HANDSHAKE_RESPONSE for a response that was not offered, is given twice, claims a reserved bit
 *   that an earlier one holds (§9.1), or has parameters that its extension does not take; no session stays open then
 */
export function confirmExtensions(
  responses: readonly ExtensionOffer[],
  extensions: readonly Extension[],
): ExtensionSession[] {
  const sessions: ExtensionSession[] = [];
  const seen = new Set<string>();
  closingOnError(sessions, () => {
    for (const response of responses) {
      const { name } = response;
      const extension = extensions.find((candidate) => candidate.name === name);
      if (!extension) throw new HybiError("ERR_HANDSHAKE_RESPONSE", `The extension ${name} was not offered.`);
      if (seen.has(name)) throw new HybiError("ERR_HANDSHAKE_RESPONSE", `The extension ${name} is given twice.`);
      seen.add(name);
      const session = extension.confirm(response);
      const taken = claimed(sessions) & session.rsv;
      sessions.push(session);
      if (taken) {
        throw new HybiError("ERR_HANDSHAKE_RESPONSE", `The extension ${name} uses a reserved bit of an earlier one.`);
      }
    }
  });
  return sessions;
}

/** The reserved bits that these have taken. */
export function claimed(sessions: readonly ExtensionSession[]): number {
  return sessions.reduce((bits, session) => bits | session.rsv, 0);
}

function closingOnError(sessions: readonly ExtensionSession[], work: () => void): void {
  try {
    work();
  } catch (error) {
    for (const session of sessions) session.close();
    throw error;
  }
}
