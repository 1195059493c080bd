// RFC 6455 §5.2: the frame header.

export const FIN: u32 = 0x80;
export const RSV: u32 = 0x70;
export const OPCODE: u32 = 0x0f;
/** The top bit of an opcode tells control frames from data frames (§5.5). */
export const CONTROL: u32 = 0x08;

const MASK: u32 = 0x80;
const LENGTH_16: u32 = 126;
const LENGTH_64: u32 = 127;
/** The longest payload of a control frame (§5.5), and of a frame whose length is not extended. */
export const MAX_SHORT: u32 = 125;

/** Writes a header at `at` and answers how many bytes it takes. `firstByte` holds FIN, RSV and opcode. */
export function encodeHeader(at: usize, firstByte: u32, payloadLength: f64, masked: u32, maskingKey: u32): u32 {
  const mask: u32 = masked ? MASK : 0;
  let length: u32;
  store<u8>(at, firstByte);
  if (payloadLength <= <f64>MAX_SHORT) {
    store<u8>(at, mask | <u32>payloadLength, 1);
    length = 2;
  } else if (payloadLength < 65536) {
    store<u8>(at, mask | LENGTH_16, 1);
    store<u16>(at, bswap<u16>(<u16>payloadLength), 2, 1);
    length = 4;
  } else {
    const high = <u32>(payloadLength / 4294967296);
    store<u8>(at, mask | LENGTH_64, 1);
    store<u32>(at, bswap(high), 2, 1);
    store<u32>(at, bswap(<u32>(payloadLength - <f64>high * 4294967296)), 6, 1);
    length = 10;
  }
  if (!masked) return length;
  store<u32>(at + length, maskingKey, 0, 1);
  return length + 4;
}

/** How many bytes the header takes whose first two bytes are at `at`. */
// @ts-ignore: decorator
@inline
export function headerLength(at: usize): u32 {
  const second: u32 = load<u8>(at, 1);
  const length = second & 0x7f;
  return 2 + (length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0) + ((second & MASK) >> 5);
}

// @ts-ignore: decorator
@inline
export function isMasked(at: usize): bool {
  return (load<u8>(at, 1) & MASK) != 0;
}

/** Whether the payload length would be over 125: all that a control frame's check needs (§5.5). */
// @ts-ignore: decorator
@inline
export function isExtended(at: usize): bool {
  return (<u32>load<u8>(at, 1) & 0x7f) > MAX_SHORT;
}

/** Whether the 64-bit length has its top bit set, which §5.2 forbids. */
// @ts-ignore: decorator
@inline
export function hasTopBit(at: usize): bool {
  return (load<u8>(at, 1) & 0x7f) == LENGTH_64 && (load<u8>(at, 2) & 0x80) != 0;
}

/** The payload length, exact below 2^53; beyond that, still beyond every limit. */
// @ts-ignore: decorator
@inline
export function payloadLength(at: usize): f64 {
  const length: u32 = load<u8>(at, 1) & 0x7f;
  if (length < LENGTH_16) return <f64>length;
  if (length == LENGTH_16) return <f64>bswap(load<u16>(at, 2, 1));
  return <f64>bswap(load<u32>(at, 2, 1)) * 4294967296 + <f64>bswap(load<u32>(at, 6, 1));
}

/** §5.2: "the minimal number of bytes MUST be used to encode the length". */
// @ts-ignore: decorator
@inline
export function isMinimal(at: usize, length: f64): bool {
  const form: u32 = load<u8>(at, 1) & 0x7f;
  if (form == LENGTH_16) return length > <f64>MAX_SHORT;
  if (form == LENGTH_64) return length >= 65536;
  return true;
}

/** The masking key of a masked header of `length` bytes. */
// @ts-ignore: decorator
@inline
export function maskingKey(at: usize, length: u32): u32 {
  return load<u32>(at + length - 4, 0, 1);
}
