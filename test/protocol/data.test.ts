import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { toBytes } from "../../src/protocol/data.ts";
import { noise } from "../helpers/bytes.ts";

type Input = Parameters<typeof toBytes>[0];

// Resizable buffers are younger than the library of types that this project compiles against.
interface ResizableBuffer extends ArrayBuffer {
  resize(length: number): void;
}
const resizable = (length: number, most: number): ResizableBuffer =>
  new (ArrayBuffer as unknown as new (length: number, options: object) => ResizableBuffer)(length, { maxByteLength: most }); // prettier-ignore
const growable = (length: number, most: number): SharedArrayBuffer =>
  new (SharedArrayBuffer as unknown as new (length: number, options: object) => SharedArrayBuffer)(length, { maxByteLength: most }); // prettier-ignore

/** A buffer of noise with 8 bytes in front of, and behind, the 16 that count. */
const bytes = noise(32);
const wanted = [...bytes.subarray(8, 24)];
function filled<T extends ArrayBufferLike>(buffer: T): T {
  new Uint8Array(buffer).set(bytes);
  return buffer;
}
const exactly = <T extends ArrayBufferLike>(buffer: T): T => {
  new Uint8Array(buffer).set(wanted);
  return buffer;
};
const plain = (): ArrayBuffer => filled(new ArrayBuffer(32));

const foreign = runInNewContext(
  "const buffer = new Uint8Array(source).buffer; ({ buffer, view: new Uint8Array(buffer, 8, 16), data: new DataView(buffer, 8, 16) })",
  { source: [...bytes] },
) as { buffer: ArrayBuffer; view: Uint8Array; data: DataView };

const inputs: readonly (readonly [string, () => Input])[] = [
  ["Uint8Array", () => Uint8Array.from(wanted)],
  ["Uint8Array on a part of a buffer", () => new Uint8Array(plain(), 8, 16)],
  ["Buffer", () => Buffer.from(wanted)],
  ["Buffer from the pool", () => Buffer.from(Buffer.from(wanted).toString("latin1"), "latin1")],
  ["Buffer on a part of a buffer", () => Buffer.from(plain(), 8, 16)],
  ["subarray of a subarray", () => Buffer.from(plain()).subarray(4).subarray(4, 20)],
  ["ArrayBuffer", () => exactly(new ArrayBuffer(16))],
  ["DataView", () => new DataView(plain(), 8, 16)],
  ["Int8Array", () => new Int8Array(plain(), 8, 16)],
  ["Uint8ClampedArray", () => new Uint8ClampedArray(plain(), 8, 16)],
  ["Uint16Array", () => new Uint16Array(plain(), 8, 8)],
  ["Int32Array", () => new Int32Array(plain(), 8, 4)],
  // CVE-2026-45736: the bytes, not the numbers, and as many of them as the view covers
  ["Float32Array", () => new Float32Array(plain(), 8, 4)],
  ["Float64Array", () => new Float64Array(plain(), 8, 2)],
  ["BigUint64Array", () => new BigUint64Array(plain(), 8, 2)],
  ["SharedArrayBuffer", () => exactly(new SharedArrayBuffer(16))],
  ["view of a SharedArrayBuffer", () => new Uint8Array(filled(new SharedArrayBuffer(32)), 8, 16)],
  ["DataView of a SharedArrayBuffer", () => new DataView(filled(new SharedArrayBuffer(32)), 8, 16)],
  ["growable SharedArrayBuffer", () => exactly(growable(16, 100))],
  ["view of a growable SharedArrayBuffer", () => new Uint8Array(filled(growable(32, 100)), 8, 16)],
  ["resizable ArrayBuffer", () => exactly(resizable(16, 100))],
  ["view of a resizable ArrayBuffer", () => new Uint8Array(filled(resizable(32, 100)), 8, 16)],
  ["DataView of a resizable ArrayBuffer", () => new DataView(filled(resizable(32, 100)), 8, 16)],
  [
    "view that follows its resizable buffer",
    () => {
      const buffer = filled(resizable(32, 100));
      const view = new Uint8Array(buffer, 8);
      buffer.resize(24);
      return view;
    },
  ],
  ["Uint8Array of another realm", () => foreign.view],
  ["DataView of another realm", () => foreign.data],
  ["ArrayBuffer of another realm", () => foreign.buffer.slice(8, 24)],
];

describe("toBytes: exactly the bytes that the view covers", () => {
  it.each(inputs)("%s", (_, make) => {
    const input = make();
    const out = toBytes(input);
    expect(out).toBeInstanceOf(Uint8Array);
    expect([...out]).toEqual(wanted);
    // What comes out can neither change its size nor be written to by another thread.
    expect(out.buffer).toBeInstanceOf(ArrayBuffer);
    expect((out.buffer as { resizable?: boolean }).resizable ?? false).toBe(false);
  });

  it.each([
    ["Uint8Array", new Uint8Array(0)],
    ["view at the end of a buffer", new Uint8Array(plain(), 32)],
    ["ArrayBuffer", new ArrayBuffer(0)],
    ["DataView", new DataView(new ArrayBuffer(0))],
    ["Float32Array", new Float32Array(0)],
    ["SharedArrayBuffer", new SharedArrayBuffer(0)],
    ["resizable ArrayBuffer", resizable(0, 10)],
    ["Buffer", Buffer.alloc(0)],
  ])("an empty %s is an empty message", (_, input) => {
    expect(toBytes(input)).toHaveLength(0);
  });

  it("a plain Uint8Array is not copied, nor is any other view of a plain buffer", () => {
    const view = new Uint8Array(plain(), 8, 16);
    expect(toBytes(view)).toBe(view);
    const floats = new Float32Array(plain(), 8, 4);
    expect(toBytes(floats).buffer).toBe(floats.buffer);
  });

  it.each([
    ["SharedArrayBuffer", exactly(new SharedArrayBuffer(16)) as Input],
    ["view of one", new Uint8Array(exactly(new SharedArrayBuffer(16)))],
    ["resizable ArrayBuffer", exactly(resizable(16, 32))],
    ["view of one", new Uint8Array(exactly(resizable(16, 32)))],
  ])("memory that may change is copied: a %s", (_, input) => {
    const out = toBytes(input);
    const buffer = ArrayBuffer.isView(input) ? input.buffer : input;
    new Uint8Array(buffer as ArrayBuffer).fill(0);
    expect([...out]).toEqual(wanted);
  });
});

const refusal = expect.objectContaining({ name: "TypeError", code: "ERR_DATA_TYPE" }) as Error;

/** With its buffer transferred away. */
function detached(make: (buffer: ArrayBuffer) => unknown, buffer: ArrayBuffer = plain()): unknown {
  const made = make(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return made;
}

describe("toBytes refuses with ERR_DATA_TYPE", () => {
  it.each<[string, unknown]>([
    ["null", null],
    ["undefined", undefined],
    ["0", 0],
    ["12", 12],
    ["NaN", NaN],
    ["a bigint", 1n],
    ["true", true],
    ["a symbol", Symbol("s")],
    ["a function", () => undefined],
    ["an object", {}],
    ["an object without a prototype", Object.create(null)],
    ["an array of bytes", [1, 2, 3]],
    ["an array-like object", { length: 2, 0: 1, 1: 2 }],
    ["a String object", new String("text")],
    ["a Date", new Date(0)],
    ["a promise", Promise.resolve(new Uint8Array(1))],
    ["an iterable", new Set([1, 2])],
    ["an object that claims to be a buffer", { byteLength: 3, [Symbol.toStringTag]: "ArrayBuffer" }],
    ["an array that claims to be a buffer", Object.assign([1, 2, 3], { [Symbol.toStringTag]: "ArrayBuffer" })],
    ["an object that inherits from ArrayBuffer", Object.create(ArrayBuffer.prototype)],
    ["an object that inherits from Uint8Array", Object.create(Uint8Array.prototype)],
  ])("%s", (_, input) => {
    expect(() => toBytes(input as Input)).toThrow(refusal);
  });

  it("says what it was given", () => {
    expect(() => toBytes(12 as unknown as Input)).toThrow("number");
    expect(() => toBytes(null as unknown as Input)).toThrow("null");
    expect(() => toBytes(new Date() as unknown as Input)).toThrow("Date");
  });

  it.each<[string, unknown]>([
    ["ArrayBuffer", detached((buffer) => buffer)],
    ["Uint8Array", detached((buffer) => new Uint8Array(buffer, 8, 16))],
    ["empty Uint8Array", detached((buffer) => new Uint8Array(buffer, 8, 0))],
    ["Buffer", detached((buffer) => Buffer.from(buffer, 8, 16))],
    ["Float32Array", detached((buffer) => new Float32Array(buffer, 8, 4))],
    ["DataView", detached((buffer) => new DataView(buffer, 8, 16))],
    ["resizable ArrayBuffer", detached((buffer) => buffer, resizable(32, 64))],
    ["Uint8Array of a resizable buffer", detached((buffer) => new Uint8Array(buffer, 8, 16), resizable(32, 64))],
    [
      "ArrayBuffer of another realm",
      detached((buffer) => buffer, runInNewContext("new ArrayBuffer(8)") as ArrayBuffer),
    ],
  ])("what is detached: %s", (_, input) => {
    expect(() => toBytes(input as Input)).toThrow(refusal);
  });

  it.each<[string, (buffer: ArrayBuffer) => Input]>([
    ["Uint8Array", (buffer) => new Uint8Array(buffer, 8, 16)],
    ["Uint16Array", (buffer) => new Uint16Array(buffer, 8, 8)],
    ["DataView", (buffer) => new DataView(buffer, 8, 16)],
  ])("or, since it covers nothing any more, sends no byte of, a %s whose buffer shrank", (_, view) => {
    const buffer = filled(resizable(32, 64));
    const input = view(buffer);
    buffer.resize(16);
    let out: Uint8Array;
    try {
      out = toBytes(input);
    } catch (error) {
      expect(error).toMatchObject({ name: "TypeError", code: "ERR_DATA_TYPE" });
      return;
    }
    expect(out).toHaveLength(0);
  });
});

describe("a view that lies about its length", () => {
  const doctored = (length: number): Uint8Array =>
    Object.defineProperty(Uint8Array.of(1, 2, 3), "length", { value: length });
  class Grown extends Uint8Array {
    override get length(): number {
      return 1000;
    }
  }

  it.each([doctored(1000), doctored(2), new Grown([1, 2, 3])])("is sent as the bytes it has (%#)", (view) => {
    const bytes = toBytes(view);
    expect(bytes.length).toBe(3);
    expect([...bytes]).toEqual([1, 2, 3]);
  });
});
