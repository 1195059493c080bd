import { typeError } from "../errors.ts";

/** What may be sent: text, or bytes in any form that ECMAScript has for them. */
export type Data = string | Uint8Array | ArrayBuffer | ArrayBufferView | SharedArrayBuffer;

/** What is received: text messages are strings, binary ones bytes of their own. */
export type Message = string | Uint8Array;

const isPlain = (buffer: ArrayBufferLike): boolean =>
  buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable;

/**
 * Exactly the bytes that the view covers at this moment. Memory that can change its size, or that another thread can
 * write to, is copied.
 *
 * @throws {TypeError} ERR_DATA_TYPE for anything that is not bytes, and for a detached buffer.
 */
export function toBytes(data: Exclude<Data, string>): Uint8Array {
  if (data instanceof Uint8Array && isPlain(data.buffer)) {
    if (data.length === 0) refuseDetached(data.buffer);
    return data;
  }
  let bytes: Uint8Array;
  if (ArrayBuffer.isView(data)) {
    bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  } else if (isArrayBuffer(data)) {
    refuseDetached(data);
    bytes = new Uint8Array(data);
  } else {
    throw typeError("ERR_DATA_TYPE", `A message is a string or bytes (Uint8Array, ArrayBuffer, …), not ${name(data)}.`);
  }
  if (bytes.length === 0) refuseDetached(bytes.buffer);
  return isPlain(bytes.buffer) ? bytes : new Uint8Array(bytes);
}

function isArrayBuffer(data: unknown): data is ArrayBufferLike {
  const tag = Object.prototype.toString.call(data);
  return tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]";
}

function refuseDetached(buffer: ArrayBufferLike): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength > 0) return;
  try {
    new Uint8Array(buffer);
  } catch {
    throw typeError("ERR_DATA_TYPE", "The message's buffer is detached: it was transferred elsewhere.");
  }
}

function name(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "an object") : typeof value;
}
