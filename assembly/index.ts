export { mask } from "./mask";
export { validate } from "./utf8";
export { sha1 } from "./sha1";
export { base64Encode } from "./base64";
export { accept } from "./accept";
