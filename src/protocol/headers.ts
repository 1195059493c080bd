/**
 * Header fields of the opening handshake: the ones that were read, the ones a user adds, and how a head is written.
 * RFC 9110 §5 (fields, lists, tokens), RFC 9112 §5 (their form on the wire).
 *
 * @module
 */

import { typeError } from "../errors.ts";

/** One field: its name and its value. */
export type HeaderField = readonly [name: string, value: string];

/** Fields as they come from elsewhere: a WHATWG `Headers`, a list of pairs, or a record such as Node's. */
export type HeadersInput =
  Iterable<HeaderField> | Readonly<Record<string, string | readonly string[] | undefined>> | HeaderFields;

/** The most elements in one comma-separated list of the handshake, the empty ones counted too. */
export const maxListElements = 100;

/** The longest comma-separated list of the handshake, in characters. */
export const maxListLength = 8192;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Whether a text is a token (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

const tokenCodes = Uint8Array.from({ length: 256 }, (_, code) => Number(isToken(String.fromCharCode(code))));

/** Whether a character or byte may stand in a token. */
export function isTokenCode(code: number): boolean {
  return tokenCodes[code] === 1;
}

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The text from `start` to `end` without the spaces and tabs around it (OWS, RFC 9110 §5.6.3). */
export function trimSpace(text: string, start = 0, end = text.length): string {
  // By hand, since /[ \t]+$/ is quadratic in a run of spaces that does not end the text.
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** How a value appears in the text of an error. */
export function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : `of type ${typeof value}`;
}

/**
 * The elements of a comma-separated list. Empty ones are passed over (RFC 9110 §5.6.1.2).
 *
 * @returns undefined when the list is past {@link maxListLength} or {@link maxListElements}
 */
export function listElements(value: string): string[] | undefined {
  if (value.length > maxListLength) return undefined;
  const parts = value.split(",", maxListElements + 1);
  if (parts.length > maxListElements) return undefined;
  const elements: string[] = [];
  for (const part of parts) {
    const element = trimSpace(part);
    if (element !== "") elements.push(element);
  }
  return elements;
}

/** The elements of a list of tokens; undefined when it is malformed or past a limit. */
export function tokenList(value: string): string[] | undefined {
  const elements = listElements(value);
  return elements?.every(isToken) ? elements : undefined;
}

/** An immutable list of header fields, in the order of the wire; names are looked up without regard to case. */
export class HeaderFields implements Iterable<HeaderField> {
  /** The fields, or the head that they are read from whenever they are asked for. */
  #source: readonly HeaderField[] | string;

  constructor(fields: Iterable<HeaderField> = []) {
    this.#source = Array.from(fields);
  }

  /**
   * The fields of a head that is known to be well-formed, from its start line to its empty line. Many connections keep
   * theirs for as long as they live, and one text is smaller than a list of small ones.
   */
  static ofHead(head: string): HeaderFields {
    const fields = new HeaderFields();
    fields.#source = head;
    return fields;
  }

  /** Takes fields over that something else has read and checked; undefined values are left out. */
  static from(input: HeadersInput): HeaderFields {
    return input instanceof HeaderFields ? input : new HeaderFields(pairsOf(input));
  }

  get #fields(): readonly HeaderField[] {
    return typeof this.#source === "string" ? fieldsOf(this.#source) : this.#source;
  }

  /** How many fields there are, counting a name as often as it stands there. */
  get size(): number {
    return this.#fields.length;
  }

  /** The value of a field; of several with that name, all of them, joined by ", " (RFC 9110 §5.3). */
  get(name: string): string | undefined {
    const values = this.#values(name);
    return values.length > 1 ? values.join(", ") : values[0];
  }

  /** The values of all fields with that name. */
  getAll(name: string): string[] {
    return [...this.#values(name)];
  }

  has(name: string): boolean {
    return this.#values(name).length > 0;
  }

  #values(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    const source = this.#source;
    if (typeof source === "string") return valuesOf(source).get(wanted) ?? [];
    return source.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
  }

  [Symbol.iterator](): IterableIterator<HeaderField> {
    return this.#fields[Symbol.iterator]();
  }
}

function fieldsOf(head: string): HeaderField[] {
  const fields: HeaderField[] = [];
  for (let start = nextLine(head, 0); start < head.length - 2;) {
    const colon = head.indexOf(":", start);
    const end = nextLine(head, colon);
    fields.push([head.slice(start, colon), trimSpace(head, colon + 1, end - 2)]);
    start = end;
  }
  return fields;
}

function nextLine(head: string, start: number): number {
  return head.indexOf("\r\n", start) + 2;
}

/** The head that was looked into last, and its values by lower-case names: to open a connection takes a dozen lookups. */
let latest = "";
let latestValues = new Map<string, string[]>();

function valuesOf(head: string): ReadonlyMap<string, readonly string[]> {
  if (head === latest) return latestValues;
  const values = new Map<string, string[]>();
  for (const [name, value] of fieldsOf(head)) {
    const key = name.toLowerCase();
    const others = values.get(key);
    if (others) others.push(value);
    else values.set(key, [value]);
  }
  latest = head;
  return (latestValues = values);
}

function* pairsOf(input: HeadersInput): Iterable<HeaderField> {
  if (Symbol.iterator in input) {
    yield* input as Iterable<HeaderField>;
    return;
  }
  for (const [name, value] of Object.entries(input)) {
    if (typeof value === "string") yield [name, value];
    else if (value) for (const one of value) yield [name, one];
  }
}

const ownedByHandshake = new Map([
  ["upgrade", "it is always websocket"],
  ["connection", "it is always Upgrade"],
  ["sec-websocket-key", "a fresh one is drawn for every connection"],
  ["sec-websocket-accept", "it is computed from the client's key"],
  ["sec-websocket-version", "it is always 13"],
  ["sec-websocket-protocol", "use the option acceptProtocols"],
  ["sec-websocket-extensions", "use the option extensions"],
  ["content-length", "an opening handshake has no content"],
  ["transfer-encoding", "an opening handshake has no content"],
]);

/**
 * Checks the fields that a user adds to the opening handshake.
 *
 * @param init  a WHATWG `Headers`, an array of pairs, or a record whose values are a string or an array of strings
 * @param role  a client may set `Host` (once); a server's values are ASCII, since clients refuse others in a response
 * @throws TypeError ERR_HEADER for a name that is no token or that the handshake itself sets, and for a value with a
 *   control character (CR, LF and NUL among them) or a character above U+00FF
 */
export function headerList(init: HeadersInput, role: "client" | "server"): HeaderField[] {
  if (typeof init !== "object" || init === null) {
    throw typeError("ERR_HEADER", "Headers are a Headers object, an array of pairs, or a record.");
  }
  const list = Symbol.iterator in init ? pairList(init as Iterable<unknown>, role) : recordList(init, role);
  if (list.filter(([name]) => name.toLowerCase() === "host").length > 1) {
    throw typeError("ERR_HEADER", "The header Host may stand only once.");
  }
  return list;
}

function pairList(pairs: Iterable<unknown>, role: "client" | "server"): HeaderField[] {
  return Array.from(pairs, (pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw typeError("ERR_HEADER", "A list of headers holds pairs of a name and a value.");
    }
    return checkedField(pair[0], pair[1], role);
  });
}

function recordList(record: object, role: "client" | "server"): HeaderField[] {
  return Object.entries(record).flatMap(([name, value]: [string, unknown]) =>
    Array.isArray(value) ? value.map((one) => checkedField(name, one, role)) : [checkedField(name, value, role)],
  );
}

function checkedField(name: unknown, value: unknown, role: "client" | "server"): HeaderField {
  if (typeof name !== "string" || !isToken(name)) {
    throw typeError("ERR_HEADER", `The header name ${shown(name)} is not an HTTP token.`);
  }
  const lowerName = name.toLowerCase();
  const instead = ownedByHandshake.get(lowerName);
  if (instead !== undefined) {
    throw typeError("ERR_HEADER", `The header ${name} belongs to the opening handshake: ${instead}.`);
  }
  if (role === "server" && lowerName === "host") {
    throw typeError("ERR_HEADER", "The header Host belongs to a request: a server does not send it.");
  }
  // The value stays out of the texts: it may be a secret.
  if (typeof value !== "string") throw typeError("ERR_HEADER", `The value of the header ${name} is not a string.`);
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (!isFieldText(code) || (role === "server" && code > 0x7e)) {
      throw typeError("ERR_HEADER", `The value of the header ${name} holds ${codePoint(code)}, which may not be sent.`);
    }
  }
  return [name, trimSpace(value)];
}

/** HTAB, SP, VCHAR or obs-text (RFC 9110 §5.5). */
function isFieldText(code: number): boolean {
  return (code >= 0x20 && code <= 0x7e) || code === 0x09 || (code >= 0x80 && code <= 0xff);
}

function codePoint(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/**
 * A head as it stands on the wire, with `body` behind it. Characters U+0080 to U+00FF become one byte each.
 *
 * @throws TypeError ERR_HEADER rather than letting a line break or another control character reach the wire
 */
export function writeHead(startLine: string, fields: Iterable<HeaderField>, body?: Uint8Array): Uint8Array {
  const lines = [startLine];
  for (const [name, value] of fields) {
    if (!isToken(name)) throw typeError("ERR_HEADER", `The header name ${shown(name)} is not an HTTP token.`);
    lines.push(`${name}: ${value}`);
  }
  let length = 2 + (body?.length ?? 0);
  for (const line of lines) length += line.length + 2;

  const bytes = new Uint8Array(length);
  let at = 0;
  for (const line of lines) {
    for (let index = 0; index < line.length; index++) {
      const code = line.charCodeAt(index);
      if (!isFieldText(code)) throw typeError("ERR_HEADER", `A head may not hold ${codePoint(code)}.`);
      bytes[at++] = code;
    }
    bytes[at++] = 0x0d;
    bytes[at++] = 0x0a;
  }
  bytes[at++] = 0x0d;
  bytes[at++] = 0x0a;
  if (body) bytes.set(body, at);
  return bytes;
}
