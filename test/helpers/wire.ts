import { noise } from "./bytes.ts";

/**
 * Frames as RFC 6455 §5.2 draws them, written and read field by field: slow, whole, and without the codec, so that the
 * codec can be held against it.
 */
export type Role = "client" | "server";

export type Content = string | Uint8Array | readonly number[];

export const bytesOf = (content: Content): Uint8Array =>
  typeof content === "string" ? new Uint8Array(Buffer.from(content, "utf8")) : Uint8Array.from(content);

export const concat = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Bytes as a string of one character each: cheap to join and to compare. */
export const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

export interface FrameFields {
  fin?: boolean;
  /** The reserved bits in their place: 0x40, 0x20, 0x10. */
  rsv?: number;
  key?: readonly number[] | undefined;
  /** How many bits the length takes; the fewest that hold it unless told. */
  form?: 7 | 16 | 64;
  /** The length to announce, when it is not the payload's own. */
  announced?: bigint;
}

/** The smallest of the three forms of §5.2. */
export const shortestForm = (length: bigint): 7 | 16 | 64 => (length < 126n ? 7 : length < 65536n ? 16 : 64);

export function frameHeader(opcode: number, length: bigint, fields: Omit<FrameFields, "announced"> = {}): Uint8Array {
  const { fin = true, rsv = 0, key, form = shortestForm(length) } = fields;
  const bytes = [(fin ? 0x80 : 0) + rsv + opcode];
  bytes.push((key ? 0x80 : 0) + (form === 7 ? Number(length) : form === 16 ? 126 : 127));
  for (let shift = form === 7 ? 0 : form; shift > 0; shift -= 8)
    bytes.push(Number((length >> BigInt(shift - 8)) & 0xffn));
  return Uint8Array.from(key ? [...bytes, ...key] : bytes);
}

/** §5.3: octet i of the payload XOR octet i MOD 4 of the key. */
export const masked = (payload: Uint8Array, key: readonly number[], phase = 0): Uint8Array =>
  payload.map((byte, i) => byte ^ key[(i + phase) % 4]!);

export function frame(opcode: number, content: Content = "", fields: FrameFields = {}): Uint8Array {
  const payload = bytesOf(content);
  const { announced = BigInt(payload.length), key, ...rest } = fields;
  return concat([frameHeader(opcode, announced, { ...rest, key }), key ? masked(payload, key) : payload]);
}

/** Writes the frames that the other side of `role` may send: a client masks each with a key of its own (§5.1, §5.3). */
export class Peer {
  /** The side that the frames are for. */
  readonly role: Role;
  #frames = 0;

  constructor(role: Role) {
    this.role = role;
  }

  frame(opcode: number, content: Content = "", fields: FrameFields = {}): Uint8Array {
    const key = this.role === "server" ? [...noise(4, 7919 * ++this.#frames)] : undefined;
    return frame(opcode, content, { key, ...fields });
  }

  text(content: Content = "", fields?: FrameFields): Uint8Array {
    return this.frame(1, content, fields);
  }

  binary(content: Content = "", fields?: FrameFields): Uint8Array {
    return this.frame(2, content, fields);
  }

  /** A continuation that ends its message unless `fields` say otherwise. */
  continuation(content: Content = "", fields?: FrameFields): Uint8Array {
    return this.frame(0, content, fields);
  }

  ping(content: Content = "", fields?: FrameFields): Uint8Array {
    return this.frame(9, content, fields);
  }

  pong(content: Content = "", fields?: FrameFields): Uint8Array {
    return this.frame(10, content, fields);
  }

  close(code?: number, reason: Content = "", fields?: FrameFields): Uint8Array {
    return this.frame(8, code === undefined ? "" : closePayload(code, reason), fields);
  }

  /** A message cut into fragments, one for each content (§5.4). */
  fragments(opcode: number, contents: readonly Content[]): Uint8Array[] {
    return contents.map((content, i) => this.frame(i === 0 ? opcode : 0, content, { fin: i === contents.length - 1 }));
  }
}

/** §5.5.1 */
export const closePayload = (code: number, reason: Content = ""): Uint8Array =>
  Uint8Array.from([code >> 8, code & 0xff, ...bytesOf(reason)]);

export interface WireFrame {
  fin: boolean;
  rsv: number;
  opcode: number;
  key: number[] | undefined;
  payload: Uint8Array;
}

/** Reads what was sent; throws when it is not made of whole frames whose lengths are in their shortest form. */
export function readFrames(bytes: Uint8Array): WireFrame[] {
  const frames: WireFrame[] = [];
  let at = 0;
  const take = (count: number): Uint8Array => {
    if (at + count > bytes.length) throw new Error(`Frame ${frames.length} is cut at byte ${bytes.length}.`);
    return bytes.subarray(at, (at += count));
  };
  const number = (count: number): bigint => take(count).reduce((value, byte) => value * 256n + BigInt(byte), 0n);
  while (at < bytes.length) {
    const [first, second] = take(2) as unknown as [number, number];
    const short = second & 0x7f;
    const form = short < 126 ? 7 : short === 126 ? 16 : 64;
    const length = form === 7 ? BigInt(short) : number(form / 8);
    if (form !== shortestForm(length)) throw new Error(`Frame ${frames.length} has ${length} as ${form} bits.`);
    const key = second & 0x80 ? [...take(4)] : undefined;
    const payload = take(Number(length));
    frames.push({
      fin: (first & 0x80) !== 0,
      rsv: first & 0x70,
      opcode: first & 0x0f,
      key,
      payload: key ? masked(payload, key) : payload.slice(),
    });
  }
  return frames;
}
