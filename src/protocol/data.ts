import { typeError } from "../errors.ts";

/** What may be sent: text, or bytes in any form that ECMAScript has for them. */
export type Data = string | Uint8Array | ArrayBuffer | ArrayBufferView | SharedArrayBuffer;

/** What is received: text messages are strings, binary ones bytes of their own. */
export type Message = string | Uint8Array;

const isPlain = (buffer: ArrayBufferLike): boolean =>
  buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable;

type Fields = Record<"buffer" | "byteOffset" | "byteLength", PropertyDescriptor>;

const ofArray = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array);
const ofDataView = Object.getOwnPropertyDescriptors(DataView.prototype);
/** What `length` says as long as nothing hides it. */
const lengthOf = (bytes: Uint8Array): number => ofArray.length.get!.call(bytes);

/** The bytes that a view covers, whatever fields of its own it has: others would be sent that nobody passed in. */
function covered(view: ArrayBufferView): Uint8Array {
  const isArray = ofArray[Symbol.toStringTag].get!.call(view) !== undefined;
  const { buffer, byteOffset, byteLength }: Fields = isArray ? ofArray : ofDataView;
  const get = (field: PropertyDescriptor): unknown => field.get!.call(view);
  return new Uint8Array(get(buffer) as ArrayBuffer, get(byteOffset) as number, get(byteLength) as number);
}

/**
 * Exactly the bytes that the view covers at this moment. Memory that can change its size, or that another thread can
 * write to, is copied. A caller who copies what is shorter than `keptFrom` before anything else runs may be given such
 * memory: to ask for the buffer of a short array has the engine make one, which takes longer than all of the sending.
 *
 * @throws {TypeError} ERR_DATA_TYPE for anything that is not bytes, and for a detached buffer.
 */
export function toBytes(data: Exclude<Data, string>, keptFrom = 0): Uint8Array {
  try {
    // What is empty may be so because its buffer is detached.
    const isSound = data instanceof Uint8Array && data.length > 0 && data.length === lengthOf(data);
    if (isSound && (data.length < keptFrom || isPlain(data.buffer))) return data;
    // A DataView can be made of a buffer from any realm, and of nothing that only calls itself one.
    const bytes = covered(ArrayBuffer.isView(data) ? data : new DataView(data));
    return isPlain(bytes.buffer) ? bytes : new Uint8Array(bytes);
  } catch {
    const wanted = "a string, or bytes (Uint8Array, ArrayBuffer, …) whose buffer was not transferred away";
    throw typeError("ERR_DATA_TYPE", `A message is ${wanted}; this is ${name(data)}.`);
  }
}

function name(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "an object") : typeof value;
}
