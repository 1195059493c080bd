/**
 * Conversions of Web IDL, as far as the standard's faces need them: what a caller passes becomes what the interface says.
 *
 * @module
 */
import { toBytes } from "../protocol/data.ts";

/** DOMString (§3.2.10). */
export function domString(value: unknown): string {
  // Unlike String(), this throws for a symbol.
  return "".concat(value as string);
}

/** USVString (§3.2.12): a lone surrogate becomes U+FFFD. */
export function usvString(value: unknown): string {
  return domString(value).replace(/\p{Surrogate}/gu, "\ufffd");
}

export function isSequence(value: unknown): value is Iterable<unknown> {
  return Object(value) === value && (value as Partial<Iterable<unknown>>)[Symbol.iterator] != null;
}

/** sequence<T> (§3.2.21). */
export function sequence<T>(value: unknown, what: string, convert: (element: unknown) => T): T[] {
  if (isSequence(value)) return Array.from(value, convert);
  throw new TypeError(`${what} must be a list.`);
}

/** A dictionary (§3.2.17): what is left out has no members. */
export function dictionary(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (Object(value) === value) return value as Record<string, unknown>;
  throw new TypeError(`${what} must be an object.`);
}

const LARGEST_SHORT = 65535;

/** [Clamp] unsigned short (§3.3.3): the nearest there is, of two the even one. */
export function clampedShort(value: unknown): number {
  // Unlike Number(), this throws for a BigInt.
  const number = Math.min(Math.max(value as number, 0), LARGEST_SHORT);
  const below = Math.floor(number);
  const rest = number - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below || 0;
}

/** [EnforceRange] unsigned short (§3.3.5). */
export function enforcedShort(value: unknown, what: string): number {
  const number = Math.trunc(value as number);
  if (number >= 0 && number <= LARGEST_SHORT) return number + 0;
  throw new TypeError(`${what} must be a number from 0 to ${LARGEST_SHORT}.`);
}

const ofBuffer = Object.getOwnPropertyDescriptors(ArrayBuffer.prototype);

/** Of any realm; a SharedArrayBuffer is none. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    ofBuffer.byteLength.get!.call(value);
    return true;
  } catch {
    return false;
  }
}

const NO_BYTES = new Uint8Array(0);

/**
 * The bytes of a BufferSource (§3.2.25), not copied; undefined for anything else. Those of a detached one are none.
 *
 * @throws {TypeError} for memory that is shared, or can change its size: its users must say that they allow for it.
 */
export function bufferSource(value: unknown): Uint8Array | undefined {
  const isView = ArrayBuffer.isView(value);
  if (!isView && !isArrayBuffer(value)) return undefined;
  const buffer: unknown = isView ? value.buffer : value;
  if (!isArrayBuffer(buffer)) throw new TypeError("A view of shared memory cannot be sent: send a copy of it.");
  if ((buffer as { readonly resizable?: boolean }).resizable)
    throw new TypeError("A resizable ArrayBuffer cannot be sent: send a copy of it.");
  return value.byteLength === 0 ? NO_BYTES : toBytes(value);
}

/** The value of an attribute that is a promise: it rejects where others throw, on what is no such object (§3.7.6). */
export function promised<T>(get: () => Promise<T>): Promise<T> {
  try {
    return get();
  } catch (error) {
    const illegal = error as TypeError;
    return Promise.reject(illegal);
  }
}

/**
 * Makes the members of a class enumerable, and gives it and its instances their name, as an interface has it (§3.7),
 * whatever a bundler has made of it.
 */
export function asInterface(of: { readonly prototype: object }, name: string): void {
  for (const [member, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(of.prototype)))
    if (member !== "constructor") Object.defineProperty(of.prototype, member, { ...descriptor, enumerable: true });
  Object.defineProperty(of.prototype, Symbol.toStringTag, { value: name, configurable: true });
  Object.defineProperty(of, "name", { value: name });
}
