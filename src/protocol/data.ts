import { typeError } from "../errors.ts";

/** What may be sent: text, or bytes in any form that ECMAScript has for them. */
export type Data = string | Uint8Array | ArrayBuffer | ArrayBufferView | SharedArrayBuffer;

/** What is received: text messages are strings, binary ones bytes of their own. */
export type Message = string | Uint8Array;

const isPlain = (buffer: ArrayBufferLike): boolean =>
  buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable;

const lengthProperty = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "length")!;
/** What `length` says as long as nothing hides it. */
const lengthOf = (bytes: Uint8Array): number => lengthProperty.get!.call(bytes) as number;

/**
 * Exactly the bytes that the view covers at this moment. Memory that can change its size, or that another thread can
 * write to, is copied. A caller who copies what is shorter than `keptFrom` before anything else runs may be given such
 * memory: to ask for the buffer of a short array has the engine make one, which takes longer than all of the sending.
 *
 * @throws {TypeError} ERR_DATA_TYPE for anything that is not bytes, and for a detached buffer.
 */
export function toBytes(data: Exclude<Data, string>, keptFrom = 0): Uint8Array {
  try {
    // What is empty may be so because its buffer is detached; and a length that is not the view's own would have bytes
    // sent that nobody passed in.
    const isSound = data instanceof Uint8Array && data.length > 0 && data.length === lengthOf(data);
    if (isSound && (data.length < keptFrom || isPlain(data.buffer))) return data;
    // A DataView can be made of a buffer from any realm, and of nothing that only calls itself one.
    const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(data) ? data : new DataView(data);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return isPlain(buffer) ? bytes : new Uint8Array(bytes);
  } catch {
    const wanted = "a string, or bytes (Uint8Array, ArrayBuffer, …) whose buffer was not transferred away";
    throw typeError("ERR_DATA_TYPE", `A message is ${wanted}; this is ${name(data)}.`);
  }
}

function name(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "an object") : typeof value;
}
