// The ABI of the codec: integers (and lengths as f64) in, integers out. Offsets are into the exported memory.
export { base64Encode } from "./base64";
export { copy } from "./copy";
export { countedNext, decode } from "./decoder";
export { encodeHeader, headerLength, payloadLength } from "./frame";
export { mask } from "./mask";
export { sha1 } from "./sha1";
export { closeSlot, openSlot, slotsTaken } from "./slots";
export { utf8ToUtf16 } from "./utf16";
export { validate } from "./utf8";
